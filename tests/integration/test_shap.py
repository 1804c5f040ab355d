"""shap: explainers that ask the model alone, on rows of flattened sequences."""

import numpy as np
import pytest

pytest.importorskip("shap", reason="shap is not installed")

import shap
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor

SMALL = dict(hidden_size=8, max_iter=20, learning_rate_init=0.02, random_state=0)
N_TIMESTEPS, N_FEATURES = 7, 3


@pytest.fixture(autouse=True)
def global_random_state():
    """What KernelExplainer draws from: it takes no seed."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    yield
    np.random.set_state(before)  # noqa: NPY002


@pytest.fixture(scope="module")
def classifier(rows):
    network = GRUClassifier(n_timesteps=N_TIMESTEPS, **SMALL)
    return make_pipeline(StandardScaler(), network).fit(rows.X_train, rows.y_train)


def test_kernel_explainer(classifier, rows):
    """Contributions add up to how far the answer is from the mean answer."""
    background, X = rows.X_train[::27], rows.X_test[:3]
    explainer = shap.KernelExplainer(classifier.predict_proba, background)
    values = explainer.shap_values(X, nsamples=300, silent=True)
    assert values.shape == (3, N_TIMESTEPS * N_FEATURES, 9)
    mean = classifier.predict_proba(background).mean(axis=0)
    np.testing.assert_allclose(explainer.expected_value, mean, atol=1e-8)
    answer = classifier.predict_proba(X)
    np.testing.assert_allclose(values.sum(axis=1) + mean, answer, atol=1e-6)


def test_what_is_never_read_has_no_part(rows):
    """Where the third coefficient does not count, it gets no share; the last step does."""
    X, y = rows.X_train.copy(), rows.X_train[:, -N_FEATURES]
    network = GRURegressor(n_timesteps=N_TIMESTEPS, **SMALL)
    columns = np.arange(N_TIMESTEPS * N_FEATURES).reshape(N_TIMESTEPS, N_FEATURES)
    network.fit(X, y)

    def without_third(rows):
        rows = rows.copy()
        rows[:, columns[:, 2]] = 0
        return network.predict(rows)

    explainer = shap.KernelExplainer(without_third, X[::27])
    values = explainer.shap_values(rows.X_test[:2], nsamples=300, silent=True)
    by_step_and_feature = np.abs(values).mean(axis=0).reshape(N_TIMESTEPS, N_FEATURES)
    # Coalitions are sampled, so nought is not exact.
    assert by_step_and_feature[:, 2].max() < 0.01 * by_step_and_feature.max()
    # What it was taught: the first coefficient of the last step.
    assert by_step_and_feature.argmax() == columns[-1, 0]


@pytest.mark.slow  # numba compiles for a quarter of a minute
def test_permutation_explainer(classifier, rows):
    background, X = rows.X_train[::27], rows.X_test[:3]
    explainer = shap.Explainer(classifier.predict_proba, background, seed=0)
    assert isinstance(explainer, shap.explainers.Permutation)
    found = explainer(X, max_evals=2 * N_TIMESTEPS * N_FEATURES + 1, silent=True)
    answer = classifier.predict_proba(X)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base_values, answer, atol=1e-6)
