"""DataScaleWarning: features that a recurrent network learns poorly from, and those it does not."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import DataScaleWarning, GRUClassifier, GRURegressor, SequenceArray
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import make_sequences, make_targets, tiny

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 3))
Y = X[:, :, 0].sum(axis=1)


def complaints(X, y=Y, model=None, **params):
    """Return the texts of the warnings that a fit gives."""
    model = GRURegressor(2, max_iter=1, random_state=0, **params) if model is None else model
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert all(w.category is DataScaleWarning and w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


def on_second(change):
    """Return X with its second feature changed."""
    changed = X.copy()
    changed[:, :, 1] = change(changed[:, :, 1])
    return changed


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda x: 1e5 * x, "feature 1 has values of about 1e5"),
        (lambda x: 100 * x, "feature 1 has values of about 1e2"),
        (lambda x: 1e300 * x, "feature 1 has values of about 1e300"),
        (lambda x: 1e308 + 0 * x, "feature 1 has values of about 1e308"),
        (lambda x: 20 + x, "feature 1 has a mean of about 1e1 standard deviations"),
        (lambda x: -25 + x / 50, "feature 1 has a mean of about 1e3 standard deviations"),
        (lambda x: x / 100, "feature 1 has values of at most about 1e-2"),
        (lambda x: 1e-300 * x, "feature 1 has values of at most about 1e-300"),
    ],
)
@pytest.mark.parametrize("make", [np.asarray, list, SequenceArray.from_padded])
def test_a_poor_scale_is_named(change, what, make):
    (text,) = complaints(make(on_second(change)))
    assert f"scale: {what}. Give" in text
    assert "TimestepTransformer(StandardScaler())" in text


@pytest.mark.parametrize(
    "good",
    [
        X,
        10 * X,
        X / 10,
        3 + X,
        np.eye(3)[RNG.integers(3, size=(24, 5))],
        np.where(np.arange(360).reshape(24, 5, 3) == 7, 1.0, 0.0),
        RNG.integers(0, 17, size=(24, 5, 3)).astype(float),
        on_second(lambda x: 0 * x),
        on_second(lambda x: 0 * x + 1),
        np.zeros((24, 5, 3)),
    ],
    ids=[
        "standard",
        "ten",
        "tenth",
        "moved",
        "one-hot",
        "rare",
        "digits",
        "zero",
        "one",
        "nothing",
    ],
)
def test_a_good_scale_is_not(good):
    assert complaints(good) == []


def test_features_of_data_frames_have_names():
    pd = pytest.importorskip("pandas")
    names = ["price", "wind", "volume", "a", "b", "c"]
    scales = [1e5, 1, 1e7, 1e3, 1e4, 1e5]
    frames = [pd.DataFrame(np.tile(x, 2) * scales, columns=names) for x in X]
    (text,) = complaints(frames)
    assert "feature 'price' has values of about 1e5; feature 'volume' has" in text
    assert "feature 'a'" in text
    assert "; and 2 more." in text
    assert "wind" not in text


def test_rows_have_one_feature():
    pd = pytest.importorskip("pandas")
    rows = 1e4 * X.reshape(24, 15)
    assert "scale: X has values of about 1e4" in complaints(rows)[0]
    assert "scale: X has" in complaints(pd.DataFrame(rows).rename(columns="t{}".format))[0]
    assert "feature 2 has values" in complaints(rows, n_timesteps=5)[0]


def test_tables_in_disguise():
    """Sequences of two steps, as scikit-learn's checks have them."""
    assert complaints(100 + X[:, :2]) == []


def test_the_remedy_helps():
    pipeline = make_pipeline(
        TimestepTransformer(StandardScaler()), GRURegressor(2, max_iter=1, random_state=0)
    )
    assert complaints(1e5 * X, model=pipeline) == []


def test_tokens_have_no_scale():
    tokens = RNG.integers(10**6, size=(24, 5))
    assert complaints(tokens, embedding_size=2) == []


def test_what_has_no_weight_has_no_scale():
    weight = np.ones(24)
    weight[0] = 0
    large = X.copy()
    large[0] = 1e9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GRURegressor(2, max_iter=1).fit(large, Y, weight)


def test_a_stream_is_warned_of_once():
    model = GRURegressor(2)
    with pytest.warns(DataScaleWarning):
        model.partial_fit(1e5 * X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(1e5 * X, Y)


def test_classifiers_warn_too():
    model, sequences = tiny(GRUClassifier), make_sequences()
    assert len(complaints([1e5 * x for x in sequences], make_targets(model), model)) == 1


@pytest.mark.parametrize("refit", [True, False])
def test_a_search_warns_once(refit):
    search = GridSearchCV(
        GRURegressor(max_iter=1), {"hidden_size": [2, 3]}, cv=3, refit=refit, error_score="raise"
    )
    assert len(complaints(1e5 * X, model=search)) == 1
    assert len(complaints(1e5 * X, model=search)) == 1


def test_every_call_warns():
    model = GRURegressor(2, max_iter=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            model.fit(1e5 * X, Y)
        cross_val_score(model, 1e5 * X, Y, cv=3)
    assert len(caught) == 4


SEARCH = """
import joblib, numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn_rnn import GRURegressor
X = 1e5 * np.random.default_rng(0).normal(size=(24, 5, 3))
search = GridSearchCV(GRURegressor(max_iter=1), {"hidden_size": [2, 3]}, cv=2, n_jobs=2)
with joblib.parallel_config(BACKEND):
    search.fit(X, X[:, 0, 0])
"""


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_with_workers_warns_once(backend):
    code = SEARCH.replace("BACKEND", repr(backend))
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stderr.count("DataScaleWarning:") == 1
