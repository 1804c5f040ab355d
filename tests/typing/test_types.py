"""Type checkers accept a user's script, and refuse calls that are wrong.

mypy runs with --strict and pyright with its defaults, both without any configuration file, as for
a user who has installed the package.
"""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = [HERE / "user_script.py", HERE / "wrong_calls.py"]


def run(directory, *command):
    """Run a Python module in a directory without configuration; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=directory, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr  # else it did not check anything
    return done.stdout


def complaints_of_mypy(directory):
    """Return (file name, line, message) of each error."""
    options = "--strict", "--config-file=", "--cache-dir=cache", "--no-error-summary"
    output = run(directory, "mypy", *options, *SCRIPTS)
    return [
        (Path(path).name, int(line), message)
        for path, line, message in re.findall(r"^(.+?):(\d+): error: (.*)$", output, re.MULTILINE)
    ]


def complaints_of_pyright(directory):
    """Return (file name, line, message) of each error."""
    options = "--outputjson", "--pythonpath", sys.executable
    output = json.loads(run(directory, "pyright", *options, *SCRIPTS))
    assert output["summary"]["filesAnalyzed"] == len(SCRIPTS)
    return [
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["message"])
        for found in output["generalDiagnostics"]
        if found["severity"] == "error"
    ]


CHECKERS = {"mypy": complaints_of_mypy, "pyright": complaints_of_pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def complaints(request, tmp_path_factory):
    pytest.importorskip(request.param, reason=f"{request.param} comes with the extra lint")
    return CHECKERS[request.param](tmp_path_factory.mktemp(request.param))


def test_the_user_script_is_accepted(complaints):
    assert [complaint for complaint in complaints if complaint[0] == "user_script.py"] == []


def test_exactly_the_wrong_calls_are_refused(complaints):
    lines = (HERE / "wrong_calls.py").read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    refused = {line for name, line, _ in complaints if name == "wrong_calls.py"}
    assert len(wrong) > 40
    assert [lines[number - 1] for number in sorted(wrong - refused)] == []
    assert [lines[number - 1] for number in sorted(refused - wrong)] == []


def test_the_user_script_runs():
    runpy.run_path(str(HERE / "user_script.py"), run_name="__main__")
