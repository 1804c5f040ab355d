import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

import ziamath
from figure_style import STYLE

from sklearn_rnn import __version__

project = "sklearn_rnn"
author = "The sklearn_rnn developers"
copyright = author
version = release = __version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "data",
    "examples",  # sphinx-gallery makes auto_examples of them
    # Pages include these:
    "user_guide/learning_table.md",
    "user_guide/performance_tables.md",
]
templates_path = ["_templates"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

# A cross-reference that leads nowhere is an error, save into packages whose documentation is not
# at hand when this one is built.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(sklearn\.|numpy\.|dask|pandas\.).*")]

toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc's Parameters say it better
numpydoc_show_class_members = False  # the template lists them
# All checks on the public docstrings, save: extended summary, example and See Also everywhere,
# text on the first line, a type alone in Returns, capitals and stops in short descriptions.
numpydoc_validation_checks = {"all", "ES01", "EX01", "SA01", "SA04", "GL01"}
numpydoc_validation_checks |= {"RT02", "RT03", "RT05", "PR08", "PR09"}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "abort_on_example_error": True,
    "backreferences_dir": "generated/backreferences",
    "doc_module": "sklearn_rnn",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "reset_modules": ("matplotlib", "figure_style.use"),
    "show_signature": False,
    "write_computation_times": False,
}
plot_rcparams = STYLE
plot_apply_rcparams = True
plot_formats = [("png", 130)]
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_rnn"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
# Formulas want a font with a table of mathematical spacings; ziamath brings one.
html_static_path = ["_static", str(Path(ziamath.__file__).parent / "fonts")]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "getting_started", "coming_from", "changelog")}
html_theme_options = {
    "logo": {"text": "sklearn_rnn"},
    "footer_end": [],
    "footer_start": ["copyright"],
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
