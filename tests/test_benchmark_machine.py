"""Benchmarks run in a process whose environment forces no kernel, and name the one that runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import machine
from tests.helpers import unset_forced

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "tests" / "benchmarks"
PROGRAM = """
import json, os, sys
from tests.benchmarks.machine import forced, run_unforced

def main():
    print(json.dumps({"pid": os.getpid(), "forced": forced(), "argv": sys.argv[1:]}))
    return 3

run_unforced(main, keep_kernel="--keep" in sys.argv)
"""
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if name not in (*machine.KERNEL_VARIABLES, *machine.WAITING_VARIABLES, machine.CHILD)
}


def run(*arguments, **variables):
    """Run the program; return its process, what it printed, and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        env={**CLEAN, **variables, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = process.communicate()
    return process, json.loads(out) if out else None, err


def test_a_clean_environment_needs_no_child():
    process, said, err = run("a", "b c")
    assert said == {"pid": process.pid, "forced": [], "argv": ["a", "b c"]}
    assert (process.returncode, err) == (3, "")


def test_a_child_runs_without_what_forces_a_kernel():
    process, said, err = run("a", "b c", OPENBLAS_CORETYPE="Haswell", OMP_WAIT_POLICY="PASSIVE")
    assert said["pid"] != process.pid
    assert said["argv"] == ["a", "b c"]
    assert said["forced"] == []
    assert process.returncode == 3
    assert "Unset for this benchmark: OMP_WAIT_POLICY, OPENBLAS_CORETYPE" in err


def test_a_kernel_can_be_kept_but_not_how_threads_wait():
    process, said, _ = run("--keep", OPENBLAS_CORETYPE="Haswell", OMP_WAIT_POLICY="PASSIVE")
    assert said["pid"] != process.pid
    assert said["forced"] == ["OPENBLAS_CORETYPE"]


def test_what_is_set_again_is_refused():
    process, said, err = run(OMP_WAIT_POLICY="PASSIVE", **{machine.CHILD: "1"})
    assert said is None
    assert process.returncode == 1
    assert "Refused: OMP_WAIT_POLICY is set again" in err


def test_the_machine_in_one_sentence(monkeypatch):
    unset_forced(monkeypatch)
    described = machine.describe_machine(["numpy"])
    text = machine.sentence(described, ["2026-02-01", "2026-01-01"])
    assert text.startswith(f"Measured on 2026-01-01 to 2026-02-01: {described['cores']} cores of ")
    assert f"({machine.kernel()} kernels), numpy " in text
    assert described["forced"] == []
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    text = machine.sentence(machine.describe_machine(["numpy"]))
    assert f"({machine.kernel()} kernels, forced by OPENBLAS_CORETYPE), " in text


def programs():
    """Return the benchmarks that can be run, by name."""
    for path in sorted(BENCHMARKS.rglob("*.py")):
        if '__name__ == "__main__"' in path.read_text("utf-8"):
            yield path.relative_to(BENCHMARKS).as_posix()


# What these print are no times.
WITHOUT_TIMES = {"intervals.py", "scale.py"}


@pytest.mark.parametrize("name", sorted(set(programs()) - WITHOUT_TIMES))
def test_every_benchmark_of_times_unsets_what_forces_a_kernel(name):
    """And names the kernel that runs: the packages do so in their tables."""
    text = (BENCHMARKS / name).read_text("utf-8")
    assert re.search(r'__name__ == "__main__":\n(    .*\n)*    +run_unforced\(main', text)
    assert "print_machine(" in text or name.endswith("__main__.py")


@pytest.mark.parametrize("name", sorted(WITHOUT_TIMES))
def test_benchmarks_without_times_take_none(name):
    assert not re.search(r"^import time$", (BENCHMARKS / name).read_text("utf-8"), re.MULTILINE)
