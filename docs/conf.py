from sklearn_rnn import __version__

project = "sklearn_rnn"
author = "The sklearn_rnn developers"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
# Tables that pages include.
exclude_patterns = ["_build", "user_guide/performance_tables.md", "user_guide/learning_table.md"]
templates_path = ["_templates"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # numpydoc's Parameters say it better
numpydoc_show_class_members = False  # the template lists them
# All checks on the public docstrings, save: extended summary, example and See Also everywhere,
# text on the first line, a type alone in Returns, capitals and stops in short descriptions.
numpydoc_validation_checks = {"all", "ES01", "EX01", "SA01", "SA04", "GL01"}
numpydoc_validation_checks |= {"RT02", "RT03", "RT05", "PR08", "PR09"}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_rnn"
html_show_sourcelink = False
html_theme_options = {"secondary_sidebar_items": ["page-toc"]}
