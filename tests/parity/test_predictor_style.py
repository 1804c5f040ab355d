"""Exported predictors are code that one reads: ruff has nothing to say of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from sklearn_rnn.interop import export_predictor
from tests.test_predictor import FITS

pytest.importorskip("ruff")
CONFIG = Path(__file__).parents[2] / "pyproject.toml"


def ruff(*arguments):
    command = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """A directory with a module of each model."""
    directory = tmp_path_factory.mktemp("modules")
    for k, (make, _) in enumerate(FITS.values()):
        export_predictor(make(), directory / f"model_{k}.py")
    return str(directory)


@pytest.mark.parametrize("config", [["--isolated"], ["--config", str(CONFIG)]])
def test_ruff_finds_nothing(modules, config):
    done = ruff("check", "--no-cache", *config, modules)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("config", [["--isolated"], ["--config", str(CONFIG)]])
def test_ruff_would_format_them_as_they_are(modules, config):
    done = ruff("format", "--no-cache", "--diff", *config, modules)
    assert done.returncode == 0, done.stdout
