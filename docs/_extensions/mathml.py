"""Formulas as MathML, made when the site is built: readers need no script and no network.

latex2mathml does the work. It knows no aligned equations and no tags, so these are taken apart
here.
"""

import re
from xml.sax.saxutils import escape

from docutils import nodes
from latex2mathml.converter import convert

ALIGNED = re.compile(r"\s*\\begin\{aligned\}(.*)\\end\{aligned\}\s*", re.DOTALL)
TAG = re.compile(r"\\tag\{(.*?)\}")


def to_mathml(latex, display="inline"):
    latex = latex.replace(r"\mathrm{", r"\text{")  # its upright letters come out italic
    aligned = ALIGNED.fullmatch(latex)
    if not aligned:
        return convert(latex, display=display)
    rows = [row.split("&") for row in aligned[1].split(r"\\")]
    table = "".join(f"<mtr>{''.join(map(to_cell, range(len(row)), row))}</mtr>" for row in rows)
    return f'<math display="block"><mtable displaystyle="true">{table}</mtable></math>'


def to_cell(column, latex):
    side = "left" if column % 2 else "right"
    return f'<mtd style="text-align: {side}">{convert(latex) if latex.strip() else ""}</mtd>'


def visit_inline(translator, node):
    translator.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def visit_display(translator, node):
    latex = node.astext()
    tag = TAG.search(latex)
    number = f"<span>({escape(tag[1])})</span>" if tag else ""
    formula = to_mathml(TAG.sub("", latex), "block")
    translator.body.append(f'<div class="formula">{formula}{number}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
