"""scikit-learn's own tools around the estimators, on real data.

Classification: who speaks, of the first four of the Japanese Vowels' nine speakers. Regression:
the first coefficient of a recording's last step, from the steps before it.
"""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceArray,
)
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import CLASSIFIERS, object_array

SMALL = dict(hidden_size=8, max_iter=30, learning_rate_init=0.01, random_state=0)
STEPS = 7  # the shortest recording's, for what needs rows of one length


def scaled(estimator):
    return make_pipeline(TimestepTransformer(StandardScaler()), estimator)


@pytest.fixture(scope="module")
def speakers(japanese_vowels):
    """X_train, y_train, X_test, y_test of four speakers: 120 and 198 recordings."""
    parts = []
    for part in ("train", "test"):
        y = japanese_vowels[f"y_{part}"]
        chosen = np.flatnonzero(y < 4)
        parts += [japanese_vowels[f"X_{part}"][chosen], japanese_vowels.target_names[y[chosen]]]
    return parts


@pytest.fixture(scope="module")
def rows(speakers):
    """The same, but as rows of the first seven steps of each."""
    X_train, y_train, X_test, y_test = speakers
    flat = [np.array([x[:STEPS].ravel() for x in X]) for X in (X_train, X_test)]
    return flat[0], y_train, flat[1], y_test


@pytest.fixture(scope="module")
def forecasts(speakers):
    """X and y to train and to test on: what comes next?"""
    parts = []
    for X in (speakers[0], speakers[2]):
        parts += [
            SequenceArray.from_sequences(x[:-1] for x in X),
            np.array([float(x[-1, 0]) for x in X]),
        ]
    return parts


CONTAINERS = {"list": list, "object": lambda X: object_array(list(X)), "packed": lambda X: X}


# --- Model selection -----------------------------------------------------------------------------


@pytest.mark.parametrize("Classifier", CLASSIFIERS)
def test_grid_search_over_hidden_size(Classifier, speakers):
    X, y, X_test, y_test = speakers
    name = Classifier.__name__.lower()
    grid = {f"{name}__hidden_size": [1, 8]}
    search = GridSearchCV(scaled(Classifier(**SMALL)), grid, cv=3, n_jobs=2).fit(X, y)
    assert search.best_params_ == {f"{name}__hidden_size": 8}
    one, eight = search.cv_results_["mean_test_score"]
    assert one < eight
    assert eight > 0.9
    assert search.score(X_test, y_test) > 0.9
    assert search.predict_proba(X_test).shape == (len(y_test), 4)
    assert search.n_features_in_ == 12


@pytest.mark.parametrize("container", CONTAINERS)
def test_cross_val_score(container, speakers):
    X, y, _, _ = speakers
    scores = cross_val_score(scaled(GRUClassifier(**SMALL)), CONTAINERS[container](X), y, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.85


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_cross_val_predict(container, method, speakers):
    X, y, _, _ = speakers
    model = scaled(GRUClassifier(**SMALL))
    answer = cross_val_predict(model, CONTAINERS[container](X), y, cv=3, method=method)
    if method != "predict":
        assert answer.shape == (len(y), 4)
        answer = np.unique(y)[answer.argmax(axis=1)]
    assert (answer == y).mean() > 0.85


def test_randomized_search(speakers):
    X, y, _, _ = speakers
    choices = {"rnnclassifier__pooling": ["last", "mean", "max"]}
    model = scaled(RNNClassifier(**SMALL))
    search = RandomizedSearchCV(model, choices, n_iter=2, cv=3, random_state=0).fit(X, y)
    assert search.best_score_ > 0.85


def test_halving_search(speakers):
    X, y, _, _ = speakers
    grid = {"gruclassifier__hidden_size": [1, 2, 8]}
    halving = HalvingGridSearchCV(
        scaled(GRUClassifier(**SMALL)), grid, cv=3, factor=3, random_state=0
    )
    assert halving.fit(X, y).best_params_ == {"gruclassifier__hidden_size": 8}


def test_splitters_and_curves(speakers, forecasts):
    X, y, _, _ = speakers
    model = scaled(RNNClassifier(**SMALL))
    groups = np.arange(len(y)) % 6
    scores = cross_validate(
        model, X, y, groups=groups, cv=GroupKFold(3), scoring=["accuracy", "neg_log_loss"]
    )
    assert scores["test_accuracy"].min() > 0.8
    assert scores["test_neg_log_loss"].min() > -0.8
    _, _, test_scores = learning_curve(
        model, X, y, train_sizes=[0.2, 1.0], cv=3, shuffle=True, random_state=0
    )
    assert test_scores[1].mean() > test_scores[0].mean()
    X, y, _, _ = forecasts
    scores = cross_val_score(
        scaled(RNNRegressor(**SMALL)), X, y, cv=TimeSeriesSplit(3), scoring="r2"
    )
    assert np.isfinite(scores).all()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    assert isinstance(X_test, SequenceArray)
    assert len(X_train) == len(y_train)
    assert len(X_test) == len(y_test)


def test_scorers(speakers):
    X, y, X_test, y_test = speakers
    model = scaled(LSTMClassifier(**SMALL)).fit(X, y)
    for name in ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr", "neg_log_loss"):
        assert np.isfinite(get_scorer(name)(model, X_test, y_test))


# --- Rows of several features: n_timesteps -------------------------------------------------------


def test_scaler_of_columns_before_rows(rows):
    """Each column is one feature at one step, and is scaled for itself."""
    X, y, X_test, y_test = rows
    model = make_pipeline(StandardScaler(), GRUClassifier(n_timesteps=STEPS, **SMALL))
    assert model.fit(1000 * X + 7, y).score(1000 * X_test + 7, y_test) > 0.85
    by_hand = GRUClassifier(n_timesteps=STEPS, **SMALL)
    by_hand.fit(StandardScaler().fit_transform(X).reshape(-1, STEPS, 12), y)
    expected = by_hand.predict_proba(
        StandardScaler().fit(X).transform(X_test).reshape(-1, STEPS, 12)
    )
    np.testing.assert_allclose(model.fit(X, y).predict_proba(X_test), expected)


def test_column_transformer_before_rows(rows):
    """It takes columns in the order of its list: step by step, then they are sequences again."""
    X, y, X_test, y_test = rows
    steps = np.arange(STEPS * 12).reshape(STEPS, 12)
    by_step = [
        (f"step{t}", StandardScaler() if t % 2 else RobustScaler(), row[:6].tolist())
        for t, row in enumerate(steps)
    ]
    model = make_pipeline(
        ColumnTransformer(by_step), RNNClassifier(n_timesteps=STEPS, **SMALL)
    ).fit(X, y)
    assert model[-1].weights_["weight_ih_l0"].shape == (8, 6)
    assert model.score(X_test, y_test) > 0.8


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_column_transformer_of_frames(container, rows):
    frames = pytest.importorskip(container)
    X, y, X_test, y_test = rows
    names = [f"c{k}_t{t}" for t in range(STEPS) for k in range(12)]
    table, table_test = (frames.DataFrame(dict(zip(names, A.T, strict=True))) for A in (X, X_test))
    scaler = ColumnTransformer([("scale", StandardScaler(), names)]).set_output(transform=container)
    model = make_pipeline(scaler, GRUClassifier(n_timesteps=STEPS, **SMALL)).fit(table, y)
    assert list(model[-1].feature_names_in_) == [f"scale__{name}" for name in names]
    assert model.score(table_test, y_test) > 0.85


def test_columns_that_are_no_whole_steps(Estimator, rows):
    """What a transformer before took away may leave too few; the message does the sum."""
    X, _, _, _ = rows
    y = np.arange(len(X)) % 2
    keep = ColumnTransformer([("keep", "passthrough", list(range(80)))])
    model = make_pipeline(keep, Estimator(n_timesteps=STEPS, **SMALL))
    with pytest.raises(ValueError, match=r"80 columns.*n_timesteps=7"):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"84 columns.*n_timesteps=5"):
        BaggingRegressor(Estimator(n_timesteps=5, **SMALL)).fit(X, y)


# --- Ensembles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize("container", ["list", "packed"])
def test_voting_classifier(voting, container, speakers):
    X, y, X_test, y_test = speakers
    members = [(C.__name__, scaled(C(**SMALL))) for C in CLASSIFIERS]
    vote = VotingClassifier(members, voting=voting).fit(CONTAINERS[container](X), y)
    assert vote.score(CONTAINERS[container](X_test), y_test) > 0.9


def test_stacking_classifier(speakers):
    X, y, X_test, y_test = speakers
    members = [(C.__name__, scaled(C(**SMALL))) for C in (GRUClassifier, RNNClassifier)]
    stack = StackingClassifier(members, LogisticRegression(), cv=3).fit(X, y)
    assert stack.score(X_test, y_test) > 0.85


def test_stacking_regressor(forecasts):
    X, y, X_test, y_test = forecasts
    members = [(R.__name__, scaled(R(**SMALL))) for R in (RNNRegressor, LSTMRegressor)]
    stack = StackingRegressor(members, Ridge(), cv=3).fit(X, y)
    assert stack.predict(X_test).shape == y_test.shape
    assert stack.score(X_test, y_test) > 0.4


def test_voting_regressor(forecasts):
    X, y, X_test, y_test = forecasts
    members = [(R.__name__, scaled(R(**SMALL))) for R in (RNNRegressor, GRURegressor)]
    assert VotingRegressor(members).fit(X, y).score(X_test, y_test) > 0.4


@pytest.mark.parametrize("ensemble", [True, False])
def test_calibrated_classifier(ensemble, speakers):
    X, y, X_test, y_test = speakers
    calibrated = CalibratedClassifierCV(
        scaled(LSTMClassifier(**SMALL)), cv=3, ensemble=ensemble, method="sigmoid"
    ).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X_test).sum(axis=1), 1, rtol=1e-5)
    assert calibrated.score(X_test, y_test) > 0.85


def test_bagging_classifier(rows):
    """Bagging takes rows, and n_timesteps makes sequences of them again."""
    X, y, X_test, y_test = rows
    member = GRUClassifier(n_timesteps=STEPS, **SMALL)
    bagging = BaggingClassifier(member, n_estimators=3, random_state=0, n_jobs=2).fit(X, y)
    assert bagging.score(X_test, y_test) > 0.85
    assert bagging.estimators_[0].weights_["weight_ih_l0"].shape == (24, 12)


def test_boosted_classifier(rows):
    """It weighs the samples that the members before got wrong."""
    X, y, X_test, y_test = rows
    member = RNNClassifier(n_timesteps=STEPS, **{**SMALL, "max_iter": 10})
    boosted = AdaBoostClassifier(member, n_estimators=4, random_state=0).fit(X, y)
    assert len(boosted.estimators_) > 1
    assert boosted.score(X_test, y_test) > max(0.8, member.fit(X, y).score(X_test, y_test) - 0.02)
    assert boosted.estimators_[0].weights_["weight_ih_l0"].shape == (8, 12)


def test_bagging_and_boosting_regressors(rows, forecasts):
    X, _, X_test, _ = rows
    y, y_test = X[:, -12], X_test[:, -12]
    X, X_test = X[:, :-12], X_test[:, :-12]
    member = RNNRegressor(n_timesteps=STEPS - 1, **SMALL)
    for Ensemble in (BaggingRegressor, AdaBoostRegressor):
        ensemble = Ensemble(member, n_estimators=3, random_state=0).fit(X, y)
        assert ensemble.score(X_test, y_test) > 0.4


# --- Inspection ----------------------------------------------------------------------------------


def test_permutation_importance(rows):
    """Noise among the features is found to be noise."""
    X, y, X_test, y_test = rows
    rng = np.random.default_rng(0)

    def with_noise(X):
        steps = X.reshape(len(X), STEPS, 12)[:, :, :3]
        return np.concatenate([steps, 0.1 * rng.normal(size=steps.shape)], axis=2).reshape(
            len(X), -1
        )

    X, X_test = with_noise(X), with_noise(X_test)
    model = GRUClassifier(n_timesteps=STEPS, **{**SMALL, "max_iter": 60}).fit(X, y)
    found = permutation_importance(model, X_test, y_test, n_repeats=3, random_state=0)
    by_feature = found.importances_mean.reshape(STEPS, 6).sum(axis=0)
    assert by_feature[:3].min() > np.abs(by_feature[3:]).max()


# --- As a part of others -------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
def test_as_a_step_before_another(container, speakers):
    """The embedding of a fitted network, for a linear model."""
    X, y, X_test, y_test = speakers
    pack = CONTAINERS[container]
    model = make_pipeline(
        TimestepTransformer(StandardScaler()), LSTMClassifier(**SMALL), LogisticRegression()
    ).fit(pack(X), y)
    assert model.score(pack(X_test), y_test) > 0.9
    assert model[-1].n_features_in_ == 8
    assert list(model[:-1].get_feature_names_out()) == [f"lstmclassifier{k}" for k in range(8)]


def test_frames_go_on_from_a_step(speakers):
    pd = pytest.importorskip("pandas")
    X, y, _, _ = speakers
    model = make_pipeline(GRUClassifier(**SMALL), StandardScaler()).set_output(transform="pandas")
    table = model.fit(X, y).transform(X)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == [f"gruclassifier{k}" for k in range(8)]


def test_feature_union(speakers):
    """Two embeddings side by side."""
    X, y, X_test, y_test = speakers
    union = FeatureUnion([("rnn", RNNClassifier(**SMALL)), ("gru", GRUClassifier(**SMALL))])
    model = make_pipeline(TimestepTransformer(StandardScaler()), union, LogisticRegression())
    assert model.fit(X, y).score(X_test, y_test) > 0.9
    assert model[-1].n_features_in_ == 16


def test_one_vs_rest_and_one_vs_one(speakers):
    X, y, X_test, y_test = speakers
    X, X_test = (TimestepTransformer(StandardScaler()).fit(X).transform(A) for A in (X, X_test))
    member = GRUClassifier(**SMALL)
    assert OneVsRestClassifier(member).fit(X, y).score(X_test, y_test) > 0.85
    rest = OneVsOneClassifier(member)
    X7, X7_test = (np.array([x[:STEPS] for x in A]).reshape(len(A), -1) for A in (X, X_test))
    rest.set_params(estimator__n_timesteps=STEPS)
    assert rest.fit(X7, y).score(X7_test, y_test) > 0.85


def test_transformed_target_regressor(forecasts):
    X, y, X_test, y_test = forecasts
    member = scaled(GRURegressor(**SMALL))
    for model in (
        TransformedTargetRegressor(member, transformer=MinMaxScaler()),
        TransformedTargetRegressor(member, func=np.sinh, inverse_func=np.arcsinh),
    ):
        assert model.fit(X, y).score(X_test, y_test) > 0.4


def test_several_outputs_one_by_one(forecasts, speakers):
    X, y, X_test, y_test = forecasts
    Y = np.c_[y, [x[-1, 1] for x in speakers[0]]]
    Y_test = np.c_[y_test, [x[-1, 1] for x in speakers[2]]]
    member = scaled(RNNRegressor(**SMALL))
    for model in (MultiOutputRegressor(member), member):
        assert model.fit(X, Y).predict(X_test).shape == Y_test.shape
        assert model.score(X_test, Y_test) > 0.3


def test_regressor_chain(rows):
    """A chain adds columns to X, so it takes rows of single steps."""
    X, _, _, _ = rows
    chain = RegressorChain(RNNRegressor(**SMALL)).fit(X[:, :10], X[:, 10:12])
    assert chain.predict(X[:, :10]).shape == (len(X), 2)


def test_several_labels_one_by_one(speakers):
    X, y, _, _ = speakers
    Y = np.c_[y == "1", y < "3"].astype(int)
    X3 = np.array([x[:STEPS] for x in X])
    model = MultiOutputClassifier(GRUClassifier(**SMALL)).fit(X3.reshape(len(X), -1), Y)
    assert model.predict(X3.reshape(len(X), -1)).shape == Y.shape


# --- Metadata routing ----------------------------------------------------------------------------


@pytest.fixture
def weights(speakers):
    """Nothing of the first speaker."""
    return np.where(speakers[1] == "1", 0.0, 1.0)


def test_weights_are_routed_through_a_pipeline(speakers, weights):
    X, y, X_test, _ = speakers
    with config_context(enable_metadata_routing=True):
        scaler = TimestepTransformer(StandardScaler())
        model = make_pipeline(scaler, GRUClassifier(**SMALL).set_fit_request(sample_weight=True))
        model.fit(X, y, sample_weight=weights)
        assert "1" in model.classes_
        assert "1" not in model.predict(X_test)
        assert "1" in make_pipeline(
            scaler, GRUClassifier(**SMALL).set_fit_request(sample_weight=False)
        ).fit(X, y).predict(X_test)


def test_weights_are_routed_through_a_search(speakers, weights):
    X, y, X_test, _ = speakers
    with config_context(enable_metadata_routing=True):
        member = LSTMClassifier(**SMALL)
        member.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        model = make_pipeline(TimestepTransformer(StandardScaler()), member)
        search = GridSearchCV(model, {"lstmclassifier__hidden_size": [2, 8]}, cv=3, n_jobs=2)
        search.fit(X, y, sample_weight=weights)
        assert "1" not in search.predict(X_test)
        assert search.best_score_ > 0.9  # the first speaker's errors do not count


def test_weights_that_nobody_asked_for_are_refused(speakers, weights):
    X, y, _, _ = speakers
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(TimestepTransformer(StandardScaler()), GRUClassifier(**SMALL))
        with pytest.raises(ValueError, match=r"sample_weight.* are passed but are not explicitly"):
            model.fit(X, y, sample_weight=weights)


def test_without_routing_weights_go_by_the_step_s_name(speakers, weights):
    X, y, X_test, _ = speakers
    model = scaled(RNNClassifier(**SMALL)).fit(X, y, rnnclassifier__sample_weight=weights)
    assert "1" not in model.predict(X_test)


def test_partial_fit_request():
    with config_context(enable_metadata_routing=True):
        member = GRUClassifier().set_partial_fit_request(classes=True, sample_weight=True)
        requests = member.get_metadata_routing().partial_fit.requests
        assert requests == {"classes": True, "sample_weight": True}
        assert GRURegressor().get_metadata_routing().partial_fit.requests == {"sample_weight": None}


# --- Larger real data ----------------------------------------------------------------------------


def test_basic_motions(shared_data):
    """Walking, running, badminton or standing, from six sensors of a watch."""
    data = shared_data("basic_motions.npz")
    model = scaled(GRUClassifier(pooling="mean", **{**SMALL, "max_iter": 100}))
    scores = cross_val_score(model, data["X_train"], data["y_train"], cv=4)
    assert scores.mean() > 0.8
    assert model.fit(data["X_train"], data["y_train"]).score(data["X_test"], data["y_test"]) > 0.8


def test_remaining_life_of_jet_engines(shared_data):
    """C-MAPSS FD001: each training engine up to a random cycle, and how many it still had."""
    data = shared_data("cmapss_fd001.npz")
    rng = np.random.default_rng(0)
    engines = np.split(data["X_train"], np.cumsum(data["len_train"])[:-1])
    used = np.flatnonzero(data["X_train"].std(axis=0) > 1e-4 * np.abs(data["X_train"].mean(axis=0)))
    X, y = [], []
    for engine in engines:
        for end in rng.integers(30, len(engine), size=3):
            X.append(engine[max(0, end - 50) : end, used])
            y.append(min(125, len(engine) - end))
    model = scaled(LSTMRegressor(hidden_size=16, max_iter=20, random_state=0))
    predicted = cross_val_predict(model, X, np.array(y, float), cv=3)
    assert np.sqrt(np.mean((predicted - y) ** 2)) < 30
