"""scikit-learn's youngest tools and its displays, on sequences of unequal length.

What is older: tests/test_composition.py. Who speaks is told of two or four of the nine speakers.
"""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, LSTMClassifier, RNNClassifier
from sklearn_rnn.preprocessing import TimestepTransformer

matplotlib.use("agg")

SMALL = dict(hidden_size=8, max_iter=30, learning_rate_init=0.01, random_state=0)
CONTAINERS = {"list": list, "packed": lambda X: X, "padded": lambda X: X.to_padded()}


@pytest.fixture(scope="module")
def two_speakers(japanese_vowels):
    """X_train, y_train, X_test, y_test: is it the third speaker, or the second?"""
    parts = []
    for part in ("train", "test"):
        y = japanese_vowels[f"y_{part}"]
        chosen = np.flatnonzero((y == 1) | (y == 2))
        parts += [japanese_vowels[f"X_{part}"][chosen], (y[chosen] == 2).astype(int)]
    return parts


@pytest.fixture(scope="module")
def weak(two_speakers):
    """A fitted classifier that is wrong now and then."""
    X, y, _, _ = two_speakers
    return GRUClassifier(1, max_iter=2, random_state=0).fit(X, y)


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("container", CONTAINERS)
def test_frozen_estimator(container, two_speakers):
    """It stays as it is, whatever is fitted around it."""
    X, y, X_test, y_test = two_speakers
    pack = CONTAINERS[container]
    model = make_pipeline(TimestepTransformer(StandardScaler()), LSTMClassifier(**SMALL))
    model.fit(pack(X[::2]), y[::2])
    before = model.predict_proba(pack(X_test))
    frozen = FrozenEstimator(model)
    calibrated = CalibratedClassifierCV(frozen, method="sigmoid").fit(pack(X[1::2]), y[1::2])
    np.testing.assert_array_equal(frozen.predict_proba(pack(X_test)), before)
    np.testing.assert_array_equal(clone(frozen).predict_proba(pack(X_test)), before)
    after = calibrated.predict_proba(pack(X_test))
    assert not np.allclose(after, before)
    assert (np.argsort(after[:, 1]) == np.argsort(before[:, 1])).mean() > 0.9
    assert calibrated.score(pack(X_test), y_test) > 0.9


@pytest.mark.parametrize("container", CONTAINERS)
def test_tuned_threshold(container, two_speakers):
    """To miss none of the first class, the second is answered less often."""
    X, y, X_test, y_test = two_speakers
    pack = CONTAINERS[container]
    weak = RNNClassifier(2, max_iter=3, random_state=0)
    tuned = TunedThresholdClassifierCV(weak, scoring="balanced_accuracy", cv=3)
    tuned.fit(pack(X), y)
    assert 0 < tuned.best_threshold_ < 1
    positive = tuned.estimator_.predict_proba(pack(X_test))[:, 1] >= tuned.best_threshold_
    np.testing.assert_array_equal(tuned.predict(pack(X_test)), positive.astype(int))
    assert (positive == y_test).mean() > 0.6


def test_tuned_and_fixed_thresholds_of_a_fitted_model(weak, two_speakers):
    X, y, X_test, _ = two_speakers
    tuned = TunedThresholdClassifierCV(weak, cv="prefit", refit=False).fit(X, y)
    fixed = FixedThresholdClassifier(FrozenEstimator(weak), threshold=tuned.best_threshold_)
    np.testing.assert_array_equal(fixed.fit(X, y).predict(X_test), tuned.predict(X_test))


@pytest.mark.parametrize("container", CONTAINERS)
def test_calibration_display(container, weak, two_speakers):
    _, _, X_test, y_test = two_speakers
    X_test = CONTAINERS[container](X_test)
    shown = CalibrationDisplay.from_estimator(weak, X_test, y_test, n_bins=4)
    np.testing.assert_array_equal(shown.y_prob, weak.predict_proba(X_test)[:, 1])
    expected = CalibrationDisplay.from_predictions(y_test, shown.y_prob, n_bins=4)
    np.testing.assert_array_equal(shown.prob_true, expected.prob_true)
    assert shown.estimator_name == "GRUClassifier"


@pytest.mark.parametrize("container", CONTAINERS)
def test_confusion_matrix_display(container, weak, two_speakers):
    _, _, X_test, y_test = two_speakers
    X_test = CONTAINERS[container](X_test)
    shown = ConfusionMatrixDisplay.from_estimator(weak, X_test, y_test)
    assert shown.confusion_matrix.sum() == len(y_test)
    right = np.trace(shown.confusion_matrix) / len(y_test)
    assert right == pytest.approx(weak.score(X_test, y_test))


@pytest.mark.parametrize("Display", [RocCurveDisplay, PrecisionRecallDisplay])
def test_curves(Display, weak, two_speakers):
    _, _, X_test, y_test = two_speakers
    shown = Display.from_estimator(weak, X_test, y_test)
    again = Display.from_predictions(y_test, weak.predict_proba(X_test)[:, 1])
    np.testing.assert_array_equal(shown.line_.get_xydata(), again.line_.get_xydata())
