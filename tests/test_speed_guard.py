"""The guard of speed: two revisions in turn; how fast they are, is no test's business."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.speed import guard, revisions
from tests.benchmarks.speed.__main__ import main
from tests.benchmarks.speed.guard import Case, compare, make_cases, measure, report, verdict
from tests.benchmarks.speed.settings import PUBLISHED, SMALLEST

CASE = Case("fit", "GRU", (1, 4, 8, 3), n_sequences=10, epochs=1, threads=1)
IS_CHECKOUT = (revisions.ROOT / ".git").exists() and shutil.which("git") is not None


class FakeChild:
    """A process whose times are known."""

    def __init__(self, times, error=None):
        self.times, self.error, self.told = list(times), error, []

    def tell(self, do, **options):
        self.told.append(do)
        if do == "prepare":
            return {"error": self.error} if self.error else {"seconds": 1.0}
        return {"seconds": self.times.pop(0)} if do == "time" else {}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(guard, "PAUSE", 0)


# ---- verdicts ----


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([1.06, 1.3, 1.2], "slower"),
        ([1.04, 1.3, 1.2], "unclear"),
        ([0.7, 0.9, 0.94], "faster"),
        ([0.7, 0.9, 0.97], "not slower"),
        ([0.99, 1.0, 1.05], "not slower"),
        ([0.9, 1.0, 1.5], "unclear"),
    ],
)
def test_a_verdict_holds_for_all_rounds(ratios, expected):
    assert verdict(ratios, tolerance=0.05) == expected


def test_the_shortest_turn_of_a_round_counts():
    new, old = FakeChild([9, 2, 3, 4, 9, 6]), FakeChild([1, 1, 9, 9, 2, 9])
    np.testing.assert_array_equal(measure(CASE, new, old, 2, 0), [[2, 1], [4, 2]])
    assert new.told == old.told == ["prepare", *["time"] * 6, "drop"]


def test_lines_and_summary(capsys):
    new, old = FakeChild([2e-3] * 6), FakeChild([1e-3] * 6)
    assert compare([CASE], new, old, rounds=2, at_least=0, tolerance=0.05)
    out = capsys.readouterr().out
    assert "slower     2.00 (2.00 to 2.00) fit GRU 1, 4, 8, 3, 1 thread: 2 ms, before 1 ms\n" in out
    assert out.endswith("\n1 slower\n")


def test_an_unclear_case_is_no_failure(capsys):
    times = [2.0] * 3 + [1.0] * 3 + [2.0] * 10 + [1.0] * 10
    new, old = FakeChild(times), FakeChild([1.0] * len(times))
    assert not compare([CASE], new, old, rounds=2, at_least=0, tolerance=0.05)
    assert "Measure these cases again" in capsys.readouterr().out


def test_an_unclear_case_is_measured_once_more(capsys):
    times = [2.0] * 3 + [1.0] * 3 + [2.0] * 20
    new, old = FakeChild(times), FakeChild([1.0] * len(times))
    assert compare([CASE], new, old, rounds=2, at_least=0, tolerance=0.05)
    assert capsys.readouterr().out.endswith("1 slower\n")


def test_what_the_other_revision_has_not():
    new, old = FakeChild([]), FakeChild([], error="AttributeError: step_proba")
    assert measure(CASE, new, old, 2, 0) == "AttributeError: step_proba"
    assert new.told == ["prepare", "drop"]
    judged, line = report(CASE, "AttributeError: step_proba", 0.05)
    assert judged == "not there"
    assert "AttributeError: step_proba" in line


def test_what_this_revision_cannot_do_is_an_error():
    new, old = FakeChild([], error="TypeError: of fit"), FakeChild([])
    with pytest.raises(RuntimeError, match="this revision failed: TypeError: of fit"):
        measure(CASE, new, old, 2, 0)


def test_cases_are_those_of_the_grid():
    cases = make_cases(PUBLISHED)
    assert len(set(map(str, cases))) == len(cases) == 2 * 3 * 9 * 2 + 3 * 4
    assert len(make_cases(SMALLEST)) == 2 * 3 + 3


# ---- processes ----


def test_each_process_has_the_package_of_its_folder(tmp_path):
    """An older revision without step_proba, which even prints."""
    package = tmp_path / "sklearn_rnn"
    package.mkdir()
    (package / "__init__.py").write_text(
        "print('not an answer')\n"
        "class GRUClassifier:\n"
        "    def __init__(self, **parameters): pass\n"
        "    def fit(self, X, y): print('nor this'); return self\n"
        "    def predict_proba(self, X): return X\n"
    )
    with revisions.started(tmp_path) as (child,):
        step = replace(CASE, kind="step", sizes=(1, 4))
        for case in (CASE, replace(CASE, kind="predict", threads=0), step):
            answer = child.tell(do="prepare", case=guard.asdict(case), at_least=0)
            if case is step:
                assert "step_proba" in answer["error"]
            else:
                assert answer["seconds"] > 0
                assert child.tell(do="time")["seconds"] > 0
                assert child.tell(do="drop") == {}
    assert child.process.returncode == 0


def test_a_folder_without_the_package_is_noticed(tmp_path):
    with pytest.raises(RuntimeError, match="was imported, in place of"):
        revisions.Child(tmp_path)


@pytest.mark.skipif(not IS_CHECKOUT, reason="needs a checkout with git")
def test_against_the_last_commit(capfd):
    options = ["--smallest", "--rounds", "1", "--only", "GRU"]
    assert main(["--against", "HEAD", *options]) in (0, 1)
    out = capfd.readouterr().out
    assert "The working tree beside HEAD (" in out
    for kind in ("fit GRU 1, 4, 8, 3", "predict GRU 1, 4, 8, 3", "step GRU 4, 4"):
        assert out.count(f"{kind}, 1 thread: ") == 1


@pytest.mark.skipif(not IS_CHECKOUT, reason="needs a checkout with git")
def test_a_revision_that_is_none():
    with pytest.raises(SystemExit, match="git rev-parse"):
        main(["--against=--nothing", "--smallest"])


def test_no_case_has_that_name(capsys):
    with pytest.raises(SystemExit):
        main(["--against", "HEAD", "--only", "Elman"])
    assert "no case has Elman in its name" in capsys.readouterr().err
