"""The code in README.md and docs/ runs and prints what it says."""

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


def test_readme():
    blocks = python_blocks(ROOT / "README.md")
    assert blocks
    exec(compile("\n".join(blocks), "README.md", "exec"), {})


def test_pages_were_found():
    assert "getting_started.md" in {path.name for path in PAGES}
