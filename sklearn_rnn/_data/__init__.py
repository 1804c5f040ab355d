"""Reads X and y: from any container to packed arrays."""
