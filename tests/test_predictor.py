"""Exported predictors: modules of NumPy alone that answer what their estimators answer."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceArray,
)
from sklearn_rnn.interop import export_predictor
from tests.helpers import SIX, fit_tiny, make_sequences

X = make_sequences()
X3 = np.random.default_rng(3).normal(size=(12, 5, 2))
ROWS = X3.reshape(12, -1)
COUNTS = np.random.default_rng(4).integers(0, 9, size=(12, 2))
Y2 = np.random.default_rng(5).normal([5, -300], [1, 40], size=(12, 2))
WORDS = ["abc", "ba", "a", "cab", "bb", "acbb"] * 2
EVENTS = [[3, 10**12, 3], [7], [3, 7]] * 4
PUBLIC = ("transform", "predict", "predict_proba", "step", "step_proba")
PER_STEP = dict(return_sequences=True)


def step_targets(X, kind=float):
    rng = np.random.default_rng(6)
    labels = np.array(["ash", "elm", "oak"])
    return [labels[rng.integers(3, size=len(x))] if kind is str else x[:, 0] for x in X]


LAYERS = {
    **{
        f"{kind}-{nonlinearity}": lambda kind=kind, f=nonlinearity: fit_tiny(kind, nonlinearity=f)
        for kind in (RNNClassifier, RNNRegressor)
        for nonlinearity in ("tanh", "relu")
    },
    **{
        f"{E.__name__}-{n}-{both}-{pooling}": lambda E=E, n=n, both=both, pooling=pooling: fit_tiny(
            E, num_layers=n, bidirectional=both, pooling=pooling
        )
        for E, n in ((GRUClassifier, 2), (LSTMRegressor, 1), (LSTMClassifier, 3))
        for both in (False, True)
        for pooling in ("last", "mean", "max")
    },
}
TARGETS = {
    "binary": lambda: fit_tiny(GRUClassifier, y=[True, False] * 6),
    "integers": lambda: fit_tiny(GRUClassifier, y=[7, -1, 3] * 4),
    "objects": lambda: fit_tiny(LSTMClassifier, y=np.array(["a", "longer", "b"] * 4, object)),
    "one class": lambda: fit_tiny(GRUClassifier, y=["only"] * 12),
    "multilabel": lambda: fit_tiny(LSTMClassifier, y=COUNTS > 4),
    "two outputs": lambda: fit_tiny(GRURegressor, y=Y2),
    "huber": lambda: fit_tiny(GRURegressor, y=Y2, loss="huber"),
    "poisson": lambda: fit_tiny(GRURegressor, y=COUNTS[:, 0], loss="poisson"),
    "poisson of two": lambda: fit_tiny(GRURegressor, y=COUNTS, loss="poisson"),
    "quantile": lambda: fit_tiny(GRURegressor, loss="quantile", quantiles=0.9),
    "quantiles": lambda: fit_tiny(GRURegressor, loss="quantile", quantiles=[0.1, 0.5, 0.9]),
    "quantiles of two": lambda: fit_tiny(
        LSTMRegressor, y=Y2, loss="quantile", quantiles=[0.1, 0.9]
    ),
}
INPUTS = {
    "univariate": (lambda: fit_tiny(GRURegressor, X3[:, :, 0]), X3[:, :, 0]),
    "lists of numbers": (
        lambda: fit_tiny(GRURegressor, [x[:, 0] for x in X]),
        [x[:, 0] for x in X],
    ),
    "rows": (lambda: fit_tiny(LSTMClassifier, ROWS, n_timesteps=5), ROWS),
    "array": (lambda: fit_tiny(LSTMClassifier, X3), X3),
    "packed": (lambda: fit_tiny(LSTMClassifier), SequenceArray.from_sequences(X)),
    "strings": (lambda: fit_tiny(GRUClassifier, WORDS, embedding_size=3), [*WORDS, "axb", "?"]),
    "events": (lambda: fit_tiny(LSTMRegressor, EVENTS, embedding_size=2), [*EVENTS, [99, 3]]),
    "table of tokens": (
        lambda: fit_tiny(GRUClassifier, np.array([["ab", "c"], ["c", "c"]] * 6), embedding_size=2),
        np.array([["ab", "new"], ["c", "ab"]]),
    ),
}
STEPS = {
    "options": (
        lambda: fit_tiny(LSTMRegressor, X, step_targets(X), **PER_STEP, **ALL_OPTIONS),
        X,
    ),
    "labels": (lambda: fit_tiny(GRUClassifier, X, step_targets(X, str), **PER_STEP), X),
    "numbers": (
        lambda: fit_tiny(LSTMRegressor, X, step_targets(X), bidirectional=True, **PER_STEP),
        X,
    ),
    "array": (lambda: fit_tiny(GRURegressor, X3, X3, num_layers=2, **PER_STEP), X3),
    "rows": (lambda: fit_tiny(GRURegressor, ROWS, X3[..., 0], n_timesteps=5, **PER_STEP), ROWS),
    "tokens": (
        lambda: fit_tiny(
            GRUClassifier, WORDS, [list(w) for w in WORDS], embedding_size=2, **PER_STEP
        ),
        WORDS,
    ),
}
ALL_OPTIONS = dict(
    layer_norm=True, residual=True, learn_initial_state=True, head_sizes=(5, 3), pooling="attention"
)


def fit_with(E, options, both, **params):
    """Fit with options of the architecture, and move all weights from where they start."""
    fitted = fit_tiny(E, num_layers=3, bidirectional=both, **options, **params)
    moved = np.random.default_rng(7).normal(scale=0.3, size=fitted._theta_.shape)
    return fitted._with_weights(fitted._theta_ + moved)


ARCHITECTURES = {
    **{
        f"{E.__name__}-{name}-{both}": (
            lambda E=E, name=name, both=both: fit_with(E, {name: ALL_OPTIONS[name]}, both)
        )
        for E, name in zip([*SIX, *SIX], [*ALL_OPTIONS, *ALL_OPTIONS], strict=False)
        for both in (False, True)
    },
    **{
        f"{E.__name__}-all-{both}": lambda E=E, both=both: fit_with(E, ALL_OPTIONS, both)
        for E in SIX
        for both in (False, True)
    },
    "one layer": lambda: fit_tiny(GRUClassifier, **ALL_OPTIONS),
    "tokens": lambda: fit_tiny(GRUClassifier, WORDS, embedding_size=3, **ALL_OPTIONS),
}
FITS = {
    **{name: (make, X) for name, make in (LAYERS | TARGETS).items()},
    **{
        f"options: {name}": (make, WORDS if name == "tokens" else X)
        for name, make in ARCHITECTURES.items()
    },
    **INPUTS,
    **{f"each step: {name}": case for name, case in STEPS.items()},
}


def exported(estimator, tmp_path, name="model"):
    """Export an estimator and import the module."""
    path = tmp_path / f"{name}.py"
    export_predictor(estimator, path)
    return load_module(path)


def load_module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_same(found, expected, tolerance=1e-12):
    """Assert that answers are equal, in one array or in one for each sequence."""
    assert len(found) == len(expected)
    if isinstance(found, list):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, tolerance)
        return
    assert isinstance(found, np.ndarray)
    assert found.shape == expected.shape
    if found.dtype.kind == "f":
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    else:
        assert found.dtype.kind == expected.dtype.kind
        np.testing.assert_array_equal(found, expected)


def assert_same_streams(module, estimator, X, tolerance=1e-12):
    """Assert that single steps of one stream, and of several, are those of the estimator."""
    names = ["step", "step_proba"] if hasattr(estimator, "classes_") else ["step"]
    streams = [x for x in X if len(x) >= 2][:3]
    for name in names:
        step, expected = getattr(module, name), getattr(estimator, name)
        state = expected_state = None
        for x in streams[0]:
            y, state = step(x, state)
            expected_y, expected_state = expected(x, expected_state)
            assert np.shape(y) == np.shape(expected_y)
            assert_same(np.atleast_1d(y), np.atleast_1d(expected_y), tolerance)
        state = expected_state = None
        for t in range(2):
            x = [stream[t] for stream in streams]
            y, state = step(x, state)
            expected_y, expected_state = expected(x, expected_state)
            assert_same(y, expected_y, tolerance)


@pytest.mark.parametrize("case", FITS)
def test_it_answers_as_the_estimator_does(case, tmp_path):
    make, X = FITS[case]
    estimator = make()
    module = exported(estimator, tmp_path)
    for name in ("predict", "predict_proba", "transform"):
        assert hasattr(module, name) == hasattr(estimator, name)
        if hasattr(module, name):
            assert_same(getattr(module, name)(X), getattr(estimator, name)(X))
    assert hasattr(module, "step") == (not estimator.bidirectional)
    if hasattr(module, "step"):
        if not estimator._reads_tokens:
            X = [np.reshape(x, (-1, estimator._architecture_["input_size"])) for x in X]
        assert_same_streams(module, estimator, X)


@pytest.mark.parametrize("Estimator", SIX)
def test_float32_stays_float32(Estimator, tmp_path):
    X = make_sequences(dtype=np.float32)
    estimator = fit_tiny(Estimator, X, pooling="mean")
    module = exported(estimator, tmp_path)
    assert module.transform(X).dtype == np.float32
    assert_same(module.transform(X), estimator.transform(X), 1e-6)
    assert_same(module.predict(X), estimator.predict(X), 1e-5)
    assert_same_streams(module, estimator, X, 1e-5)


def test_extreme_scores_do_not_overflow(tmp_path):
    estimator = fit_tiny(GRUClassifier, y=["a", "b", "c"] * 4)
    estimator = estimator._with_weights(1e4 * estimator._theta_)
    assert abs(estimator.decision_function(X)).max() > 1e4
    assert_same(exported(estimator, tmp_path).predict_proba(X), estimator.predict_proba(X))


def test_more_sequences_of_one_length_than_fit_in_a_block(tmp_path):
    estimator = fit_tiny(GRURegressor)
    X = np.random.default_rng(0).normal(size=(1100, 3, 2))
    assert_same(exported(estimator, tmp_path).predict(X), estimator.predict(X))


def test_a_state_can_be_continued_twice(tmp_path):
    module = exported(fit_tiny(LSTMRegressor, pooling="mean"), tmp_path)
    _, state = module.step(X[0][0])
    assert module.step(X[0][1], state)[0] == module.step(X[0][1], state)[0]


# --- The module -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FITS)
def test_the_module_holds_what_the_model_needs_and_no_more(case, tmp_path):
    export_predictor(FITS[case][0](), tmp_path / "model.py")
    source = (tmp_path / "model.py").read_text("utf-8")
    tree = ast.parse(source)
    assert len(source.splitlines()) < 250
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assigned = {node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)}
    assert (defined | assigned) - used <= {*PUBLIC}
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == [
        "from pathlib import Path",
        "import numpy as np",
    ]
    with np.load(tmp_path / "model.npz") as file:
        has_second_bias = any(name.startswith("bias_hh") for name in file.files)
    assert has_second_bias == ("GRU" in source)


def test_it_runs_where_nothing_but_numpy_can_be_imported(tmp_path):
    """All six at once, in one interpreter that refuses everything else."""
    for Estimator in SIX:
        estimator = fit_tiny(Estimator, X3, pooling="mean", num_layers=2)
        export_predictor(estimator, tmp_path / f"{Estimator.__name__}.py")
        np.save(tmp_path / f"{Estimator.__name__}.npy", estimator.predict(X3))
    np.save(tmp_path / "X3.npy", X3)
    code = f"""
        import importlib, sys

        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("sklearn", "scipy", "sklearn_rnn", "joblib"):
                    raise ImportError(name)

        sys.meta_path.insert(0, Refuse())
        import numpy as np
        X = np.load("X3.npy")
        for name in {[Estimator.__name__ for Estimator in SIX]}:
            module = importlib.import_module(name)
            found, expected = module.predict(X), np.load(name + ".npy")
            if found.dtype.kind == "f":
                np.testing.assert_allclose(found, expected, 1e-12, 1e-12)
            else:
                np.testing.assert_array_equal(found, expected)
            module.step(X[0, 0])
        try:
            import scipy
        except ImportError:
            print("alone")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("alone\n", "")


def test_equal_fits_make_equal_modules(tmp_path):
    export_predictor(fit_tiny(GRUClassifier), tmp_path / "model.py")
    before = (tmp_path / "model.py").read_bytes()
    export_predictor(fit_tiny(GRUClassifier), tmp_path / "model.py")
    assert (tmp_path / "model.py").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "model.py"]


@pytest.mark.parametrize("kept", ["model.py", "model.npz"])
def test_two_files_of_two_exports_are_refused(kept, tmp_path):
    """As an export leaves them that is cut off between its two files, or a copy of one file."""
    path = tmp_path / "model.py"
    export_predictor(fit_tiny(GRUClassifier), path)
    load_module(path)
    old = (tmp_path / kept).read_bytes()
    export_predictor(fit_tiny(GRUClassifier, random_state=1), path)
    load_module(path)
    (tmp_path / kept).write_bytes(old)
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    with pytest.raises(
        ValueError, match=r"the weights beside .*model.py are those of another export"
    ):
        load_module(path)


@pytest.mark.skipif(os.name == "nt", reason="counts the calls of POSIX")
@pytest.mark.parametrize("k", range(1, 7))
def test_an_export_that_fails_leaves_a_pair_or_is_refused(k, tmp_path, monkeypatch):
    """Whatever write to the disk fails: never the weights of one model in the module of another."""
    path = tmp_path / "model.py"
    first, second = (fit_tiny(GRUClassifier, random_state=seed) for seed in (0, 1))
    export_predictor(first, path)
    calls, fsync, replace = [], os.fsync, os.replace

    def failing(original):
        def call(*arguments):
            calls.append(1)
            if len(calls) == k:
                raise OSError("the disk is full")
            return original(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(fsync))
        patch.setattr(os, "replace", failing(replace))
        with pytest.raises(OSError, match="the disk is full"):
            export_predictor(second, path)
    assert set(os.listdir(tmp_path)) <= {"model.npz", "model.py", "__pycache__"}
    if k <= 4:
        np.testing.assert_allclose(load_module(path).predict_proba(X), first.predict_proba(X))
    else:  # between the two files
        with pytest.raises(ValueError, match="those of another export"):
            load_module(path)


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model", "model.npz", "my-model.py", "3.py", "class.py"])
def test_names_that_cannot_be_imported(name, tmp_path):
    with pytest.raises(ValueError, match="expected a name that Python can import"):
        export_predictor(fit_tiny(GRUClassifier), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_only_fitted_estimators_of_ours(tmp_path):
    with pytest.raises(NotFittedError):
        export_predictor(GRUClassifier(), tmp_path / "model.py")
    with pytest.raises(TypeError, match="got a Pipeline: of a pipeline export the last step"):
        export_predictor(make_pipeline(fit_tiny(GRUClassifier)), tmp_path / "model.py")


@pytest.mark.parametrize(
    ("case", "X", "message"),
    [
        ("array", [np.ones((3, 2)), np.ones((3, 4))], r"sequence 1 has shape \(3, 4\): expected"),
        ("array", [np.ones((0, 2))], r"sequence 0 has shape \(0, 2\)"),
        ("array", np.ones((3, 2)), r"sequence 0 has shape \(2, 1\): expected \(n_steps, 2\)"),
        ("array", np.full((1, 3, 2), np.nan), "sequence 0 has values that are not finite"),
        ("rows", np.ones((3, 4)), r"X has shape \(3, 4\): expected \(n_rows, 10\)"),
        ("rows", np.full((3, 10), np.inf), "X has values that are not finite"),
        ("strings", ["ab", ""], "sequence 1 is empty"),
    ],
)
def test_sequences_that_the_module_refuses(case, X, message, tmp_path):
    module = exported(INPUTS[case][0](), tmp_path)
    with pytest.raises(ValueError, match=message):
        module.predict(X)


@pytest.mark.parametrize("x", [[1.0], [1.0, np.nan], np.ones((2, 3)), np.ones((1, 1, 2)), 1.0])
def test_steps_that_the_module_refuses(x, tmp_path):
    module = exported(fit_tiny(GRURegressor), tmp_path)
    with pytest.raises(ValueError, match=r"expected \(2,\) or \(n_streams, 2\), all finite"):
        module.step(x)
