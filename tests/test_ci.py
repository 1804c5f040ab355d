"""The files around the package agree with each other: CI, its workflow, hooks, citation, docs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sklearn_rnn import __version__

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SCRIPT = (ROOT / ".ci" / "run").read_text("utf-8")


def run(*arguments):
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def stages():
    listed = run("bash", ".ci/run", "--list")
    assert listed.returncode == 0, listed.stderr
    return listed.stdout.split()


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))


def test_each_stage_is_a_function_and_has_a_line_in_the_docs(stages):
    assert len(stages) > 10
    assert sorted(re.findall(r"^stage_([\w-]+)\(\)", SCRIPT, re.MULTILINE)) == sorted(stages)
    page = (ROOT / "docs" / "developing.md").read_text("utf-8")
    table = page.partition("| Stage |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE) == stages


def test_an_unknown_stage_is_refused_before_anything_runs():
    done = run("bash", ".ci/run", "lint", "linen")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no stage linen; these are: tests, parity, " in done.stderr


def test_the_workflow_runs_stages_that_exist(workflow, stages):
    jobs = workflow["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert set(commands) == {".ci/run tests", ".ci/run ${{ matrix.stage }}"}
    in_matrix = workflow["jobs"]["stages"]["strategy"]["matrix"]["stage"]
    # The newest Python runs the tests on each system.
    assert {"tests", "newest", *in_matrix} == set(stages)


def test_the_workflow_has_three_systems_and_may_only_read(workflow):
    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert f">={matrix['python'][0]}" == PROJECT["requires-python"]
    assert len(matrix["python"]) == 2
    assert workflow["permissions"] == {"contents": "read"}
    uses = [s["uses"] for job in workflow["jobs"].values() for s in job["steps"] if "uses" in s]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in uses)


def test_hooks_are_the_commands_of_the_lint_stage():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    lint = SCRIPT.partition("stage_lint() {")[2].partition("\n}")[0]
    commands = re.findall(r"(ruff check|ruff format|codespell|-m tests.constructors --check)", lint)
    assert len(commands) == len(hooks) == 4
    for command, hook in zip(commands, hooks, strict=True):
        assert command in hook


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


def test_lowest_versions_are_those_that_pyproject_declares():
    done = run(sys.executable, ".ci/lowest.py")
    assert done.returncode == 0, done.stderr
    lowest = dict(line.split("==") for line in done.stdout.splitlines())
    for requirement in PROJECT["dependencies"]:
        name, version = requirement.split(">=")
        assert lowest[name] == version
    assert lowest["pandas"][0].isdigit()
