"""Links of README, CHANGELOG, docs and docstrings: those within lead somewhere, others look right.

No test may ask the network. Of a link to elsewhere only the form is checked: the mistakes of
typing.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]
GENERATED = {"generated", "auto_examples", "_build"}
PAGES = [
    path
    for path in [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/**/*.md"))]
    if not GENERATED & set(path.relative_to(ROOT).parts)
]
SOURCES = [*PAGES, *sorted(ROOT.glob("docs/*.rst")), *sorted(ROOT.glob("docs/examples/*.py"))]
SOURCES += sorted(ROOT.glob("sklearn_rnn/**/*.py"))
# What follows the host, of the hosts that references go to.
FORMS = {
    "doi.org": r"/10\.\d{4,9}/\S+",
    "arxiv.org": r"/abs/\d{4}\.\d{4,5}",
}


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def without_code(text):
    return re.sub(r"^(`{3,}).*?^\1`*$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)


def internal_links(path):
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text("utf-8")))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def external_links(path):
    return re.findall(r"\b[a-z]+://[^\s>\"'`\]}]+", path.read_text("utf-8"))


def anchors(path):
    """The names that headings have: as GitHub and MyST make them."""
    headings = re.findall(r"^#+ +(.+?) *$", without_code(path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def problem_of(link):
    """What is wrong with the form of a link to elsewhere; None where nothing is."""
    link = link.rstrip(".,;:")  # of the sentence
    while link.endswith(")") and link.count(")") > link.count("("):
        link = link[:-1].rstrip(".,;:")
    parts = urlsplit(link)
    if parts.scheme != "https":
        return "is not https"
    if not re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc):
        return "has no host's name"
    if not re.fullmatch(FORMS.get(parts.netloc, r"(/\S*)?"), parts.path):
        return f"is not of the form that links to {parts.netloc} have"
    return None


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_links_within_lead_somewhere(path):
    for target in internal_links(path):
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        assert page.exists(), f"{path.name} links to {target}, which is not there"
        if anchor and "{include}" not in page.read_text("utf-8"):  # headings come from there too
            assert anchor in anchors(page), f"{path.name} links to {target}: no such heading"


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_links_to_elsewhere_have_the_right_form(path):
    problems = [f"{link} {what}" for link in external_links(path) if (what := problem_of(link))]
    assert not problems, problems


def test_there_are_links_to_check():
    assert sum(len(internal_links(path)) for path in PAGES) > 10
    assert sum(len(external_links(path)) for path in SOURCES) > 30


@pytest.mark.parametrize(
    "link",
    [
        "http://doi.org/10.1162/neco.1997.9.8.1735",
        "https://doi.org/doi:10.1162/neco",
        "https://arxiv.org/pdf/1211.5063",
        "https://localhost/x",
    ],
)
def test_a_wrong_form_is_noticed(link):
    assert problem_of(link) is not None


def test_a_right_form_passes():
    assert problem_of("https://doi.org/10.1016/0893-6080(88)90007-X).") is None
    assert problem_of("https://arxiv.org/abs/1211.5063.") is None
