"""The version of the package, for the roof to show and files to carry."""

__version__ = "0.1.0"
