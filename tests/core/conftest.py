"""Fixtures for the core: small chunks, so that short sequences cross their borders too."""

import pytest

from sklearn_rnn._core import workspace

pytest.register_assert_rewrite("tests.core.helpers")


@pytest.fixture
def chunk_columns(monkeypatch):
    """Give a function that sets how many columns (steps x sequences) make a chunk."""
    return lambda columns: monkeypatch.setattr(workspace, "COLUMNS_PER_CHUNK", columns)
