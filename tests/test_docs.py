"""The code in README.md and docs/ runs and prints what it says."""

import ast
import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Need what other extras bring: run in tests/parity and tests/integration.
ELSEWHERE = {"interop.md", "distributed.md", "works_with.md"}
PAGES = [
    path
    for path in sorted(ROOT.glob("docs/**/*.md"))
    if ">>>" in path.read_text("utf-8") and path.name not in ELSEWHERE
]


def python_blocks(path):
    return re.findall(r"^```python\n(.*?)^```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def assert_page_runs(path):
    code = "\n".join(python_blocks(path))
    page = doctest.DocTestParser().get_doctest(code, {}, path.stem, str(path), 0)
    report = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(page, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_docs_page(path):
    assert_page_runs(path)


QUOTATION = re.compile(r"^```\{literalinclude\} (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
QUOTATIONS = [
    (page, *match.groups())
    for page in sorted(ROOT.glob("docs/**/*.md"))
    for match in QUOTATION.finditer(page.read_text("utf-8"))
]


@pytest.mark.parametrize(
    ("page", "file", "options"),
    QUOTATIONS,
    ids=[f"{page.stem}-{file}" for page, file, _ in QUOTATIONS],
)
def test_quoted_code_exists(page, file, options):
    """A page quotes a function from one line to another: all three must still be there."""
    source = (page.parent / file).read_text("utf-8")
    options = dict(re.findall(r"^:([a-z-]+): (.*)$", options, re.MULTILINE))
    if "pyobject" in options:
        source = _source_of(options["pyobject"].split("."), source)
    for name in ("start-at", "end-at"):
        if name in options:
            begin = source.find(options[name].strip('"'))
            assert begin >= 0, f"{name}: {options[name]}"
            source = source[begin:]


def _source_of(names, source):
    """Return the text of a function or class by its names from the outside in."""
    nodes = ast.parse(source).body
    for name in names:
        (node,) = (node for node in nodes if getattr(node, "name", None) == name)
        nodes = getattr(node, "body", [])
    return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])


def test_readme():
    blocks = python_blocks(ROOT / "README.md")
    assert blocks
    exec(compile("\n".join(blocks), "README.md", "exec"), {})


def test_pages_were_found():
    assert "getting_started.md" in {path.name for path in PAGES}
