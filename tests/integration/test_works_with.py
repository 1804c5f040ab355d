"""The page docs/user_guide/works_with.md, section by section: each is a page of its own."""

import re

import matplotlib
import pytest
from matplotlib import pyplot

from tests.test_docs import ROOT, assert_page_runs

PAGE = ROOT / "docs" / "user_guide" / "works_with.md"
PACKAGES = {
    "scikit-learn": "sklearn",
    "optuna": "optuna_integration",
    "skforecast": "skforecast",
    "sktime": "sktime",
    "aeon": "aeon",
    "tslearn": "tslearn.bases",
    "MAPIE": "mapie",
    "imbalanced-learn": "imblearn",
    "shap": "shap",
}
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S))

matplotlib.use("agg")


@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
@pytest.mark.filterwarnings("ignore:`optuna.terminator` module:FutureWarning")
@pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")
@pytest.mark.parametrize("neighbour", PACKAGES)
def test_section(neighbour, tmp_path):
    package = PACKAGES[neighbour]
    pytest.importorskip(package, reason=f"{neighbour} is not installed")
    section = tmp_path / f"{neighbour}.md"
    section.write_text(SECTIONS[neighbour], "utf-8")
    assert ">>>" in SECTIONS[neighbour]
    assert_page_runs(section)
    pyplot.close("all")


def test_every_section_with_code_is_run():
    assert {title for title, text in SECTIONS.items() if ">>>" in text} == set(PACKAGES)
