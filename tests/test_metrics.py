"""make_sequence_scorer: a metric of scikit-learn, flat over all scored steps."""

import numpy as np
import pytest
import sklearn
from sklearn import metrics
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor, make_sequence_scorer
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import LENGTHS, make_sequences, packed, pickled, tiny

X = make_sequences()
RNG = np.random.default_rng(5)
LABELS = [np.array(["ash", "elm", "oak"])[RNG.integers(3, size=length)] for length in LENGTHS]
BINARY = [np.where(x[:, 0] + RNG.normal(size=len(x)) > 0, "yes", "no") for x in X]
NUMBERS = [x[:, 0] + RNG.normal(size=len(x)) for x in X]
FLAGS = [(x + RNG.normal(size=x.shape) > 0).astype(int) for x in X]
WEIGHT = [RNG.integers(0, 3, length) for length in LENGTHS]


def flat(items):
    return np.concatenate(list(items))


def classifier(y, **params):
    return tiny(GRUClassifier, return_sequences=True, max_iter=10, **params).fit(X, y)


def regressor():
    return tiny(GRURegressor, return_sequences=True, max_iter=10).fit(X, NUMBERS)


def hide(y, missing):
    """Hide the first target of each sequence that has others."""
    return [[missing, *item[1:]] if len(item) > 1 else list(item) for item in y]


def kept():
    return flat([np.arange(length) > 0 if length > 1 else [True] for length in LENGTHS])


# --- What the metric sees -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "kwargs"),
    [
        (metrics.accuracy_score, {}),
        (metrics.f1_score, dict(average="macro")),
        (metrics.balanced_accuracy_score, {}),
        (metrics.cohen_kappa_score, dict(labels=["ash", "elm", "oak"])),
        (metrics.matthews_corrcoef, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_metrics_of_labels(metric, kwargs):
    fitted = classifier(LABELS)
    scorer = make_sequence_scorer(metric, **kwargs)
    truth, said = flat(LABELS), flat(fitted.predict(X))
    assert scorer(fitted, X, LABELS) == metric(truth, said, **kwargs)
    some = kept()
    assert scorer(fitted, X, hide(LABELS, None)) == metric(truth[some], said[some], **kwargs)
    expected = metric(truth, said, sample_weight=flat(WEIGHT), **kwargs)
    np.testing.assert_allclose(scorer(fitted, X, LABELS, WEIGHT), expected)


def test_errors_are_turned_around():
    fitted = regressor()
    scorer = make_sequence_scorer(metrics.mean_absolute_error, greater_is_better=False)
    expected = metrics.mean_absolute_error(flat(NUMBERS), flat(fitted.predict(X)))
    assert scorer(fitted, X, NUMBERS) == -expected
    assert -scorer(fitted, X, hide(NUMBERS, np.nan)) == metrics.mean_absolute_error(
        flat(NUMBERS)[kept()], flat(fitted.predict(X))[kept()]
    )


def test_probabilities_of_many_classes_and_a_fold_without_one_of_them():
    fitted = classifier(LABELS)
    names = ["ash", "elm", "oak"]
    scorer = make_sequence_scorer(
        metrics.log_loss, response_method="predict_proba", greater_is_better=False, labels=names
    )
    probabilities = flat(fitted.predict_proba(X))
    assert scorer(fitted, X, LABELS) == -metrics.log_loss(flat(LABELS), probabilities)
    lacking = [[None if label == "oak" else label for label in item] for item in LABELS]
    some = flat(LABELS) != "oak"
    expected = -metrics.log_loss(flat(LABELS)[some], probabilities[some], labels=names)
    assert scorer(fitted, X, lacking) == expected


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function"])
def test_two_classes_have_one_score(method):
    """Of the probabilities the second column, or that of pos_label."""
    fitted = classifier(BINARY)
    area = metrics.roc_auc_score(flat(BINARY) == "yes", flat(fitted.decision_function(X)))
    scorer = make_sequence_scorer(metrics.roc_auc_score, response_method=method)
    np.testing.assert_allclose(scorer(fitted, X, BINARY), area)
    for label, sign in (("yes", 1), ("no", -1)):
        scorer = make_sequence_scorer(
            metrics.average_precision_score, response_method=method, pos_label=label
        )
        expected = metrics.average_precision_score(
            flat(BINARY) == label, sign * flat(fitted.decision_function(X))
        )
        np.testing.assert_allclose(scorer(fitted, X, BINARY), expected)


def test_several_labels_and_several_outputs_keep_their_columns():
    """Two columns of flags are not the probabilities of two classes."""
    fitted = classifier(FLAGS)
    scorer = make_sequence_scorer(metrics.roc_auc_score, response_method="predict_proba")
    expected = metrics.roc_auc_score(flat(FLAGS), flat(fitted.predict_proba(X)))
    assert scorer(fitted, X, FLAGS) == expected
    outputs = [np.column_stack([item, -3 * item]) for item in NUMBERS]
    both = tiny(GRURegressor, return_sequences=True).fit(X, outputs)
    scorer = make_sequence_scorer(metrics.r2_score, multioutput="variance_weighted")
    expected = metrics.r2_score(
        flat(outputs), flat(both.predict(X)), multioutput="variance_weighted"
    )
    assert scorer(both, X, outputs) == expected


def test_weights_of_sequences():
    weight, fitted = np.arange(12), regressor()
    scorer = make_sequence_scorer(metrics.r2_score)
    expected = fitted.score(X, NUMBERS, [np.full(n, w) for n, w in zip(LENGTHS, weight)])
    assert scorer(fitted, X, NUMBERS, sample_weight=weight) == expected


def test_a_metric_of_ones_own():
    fitted = regressor()
    scorer = make_sequence_scorer(lambda y, said, power: (abs(y - said) ** power).max(), power=3)
    expected = (abs(flat(NUMBERS) - flat(fitted.predict(X))) ** 3).max()
    assert scorer(fitted, X, NUMBERS) == expected


@pytest.mark.parametrize("container", ["list", "SequenceArray", "padded"])
def test_containers(container):
    fitted, scorer = regressor(), make_sequence_scorer(metrics.r2_score)
    given = {
        "list": (X, NUMBERS),
        "SequenceArray": (packed(X), packed(NUMBERS)),
        "padded": (packed(X).to_padded(), packed(NUMBERS).to_padded()[:, :, 0]),
    }[container]
    assert scorer(fitted, *given) == fitted.score(X, NUMBERS)


# --- In scikit-learn's tools ----------------------------------------------------------------------


def pipeline(Estimator):
    model = tiny(Estimator, return_sequences=True)
    return make_pipeline(TimestepTransformer(StandardScaler()), model)


def test_cross_val_score():
    scorer = make_sequence_scorer(metrics.r2_score)
    model = pipeline(GRURegressor)
    scores = cross_val_score(model, X, NUMBERS, cv=3, scoring=scorer, error_score="raise")
    expected = cross_val_score(model, X, NUMBERS, cv=3, error_score="raise")
    np.testing.assert_array_equal(scores, expected)


def test_a_search_by_a_dict_of_scorers():
    scoring = {
        "accuracy": make_sequence_scorer(metrics.accuracy_score),
        "f1": make_sequence_scorer(metrics.f1_score, pos_label="yes"),
        "loss": make_sequence_scorer(
            metrics.log_loss,
            response_method="predict_proba",
            greater_is_better=False,
            labels=["no", "yes"],
        ),
    }
    search = GridSearchCV(
        pipeline(GRUClassifier),
        {"gruclassifier__hidden_size": [2, 4]},
        cv=KFold(3),
        scoring=scoring,
        refit="loss",
        error_score="raise",
    ).fit(X, BINARY)
    assert search.best_index_ == np.argmax(search.cv_results_["mean_test_loss"])
    plain = GridSearchCV(search.estimator, search.param_grid, cv=KFold(3)).fit(X, BINARY)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_accuracy"], plain.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("several", [False, True], ids=["one", "dict"])
def test_a_search_with_weights_scores_by_them(several):
    scorer = make_sequence_scorer(metrics.r2_score)
    search = GridSearchCV(
        tiny(GRURegressor, return_sequences=True),
        {"hidden_size": [2]},
        cv=KFold(2),
        scoring={"r2": scorer} if several else scorer,
        refit="r2" if several else True,
        error_score="raise",
    )
    search.fit(X, NUMBERS, sample_weight=np.linspace(1, 2, 12))
    assert np.isfinite(search.best_score_)


def test_metadata_routing_passes_the_weights_on():
    """Those of a fold's test sequences: with a weight on one alone, its score is the fold's."""
    alone = [5, 9]
    weight = np.ones(12)
    weight[[i for i in range(12) if i not in alone]] = 0
    fit_without = tiny(GRURegressor, return_sequences=True)
    with sklearn.config_context(enable_metadata_routing=True):
        model = fit_without.set_fit_request(sample_weight=False)
        scorer = make_sequence_scorer(metrics.r2_score).set_score_request(sample_weight=True)
        result = cross_validate(
            model,
            X,
            NUMBERS,
            cv=KFold(2),
            scoring=scorer,
            params={"sample_weight": weight},
            return_estimator=True,
            error_score="raise",
        )
    for score, fitted, i in zip(result["test_score"], result["estimator"], alone, strict=True):
        assert score == pytest.approx(fitted.score(X[i : i + 1], NUMBERS[i : i + 1]))


def test_permutation_importance():
    """On rows that are flattened sequences: the last step's feature decides nothing before it."""
    X3 = np.random.default_rng(0).normal(size=(40, 3, 1))
    rows, y = X3.reshape(40, 3), X3[:, :, 0] > 0
    model = tiny(GRUClassifier, return_sequences=True, n_timesteps=3, max_iter=80)
    model.set_params(learning_rate_init=0.05).fit(rows, y)
    scorer = make_sequence_scorer(metrics.balanced_accuracy_score)
    found = permutation_importance(
        model, rows, y, scoring=scorer, sample_weight=np.ones(40), n_repeats=3, random_state=0
    )
    assert (found.importances_mean > 0.05).all()


# --- What it is -----------------------------------------------------------------------------------


def test_repr_says_how_it_was_made():
    scorer = make_sequence_scorer(metrics.f1_score, average="macro")
    assert repr(scorer) == "make_sequence_scorer(f1_score, average='macro')"
    scorer = make_sequence_scorer(
        metrics.log_loss, response_method="predict_proba", greater_is_better=False
    )
    expected = "log_loss, response_method='predict_proba', greater_is_better=False"
    assert repr(scorer) == f"make_sequence_scorer({expected})"


def test_pickle():
    scorer = make_sequence_scorer(metrics.f1_score, average="macro")
    fitted = classifier(LABELS)
    assert pickled(scorer)(fitted, X, LABELS) == scorer(fitted, X, LABELS)
    assert repr(pickled(scorer)) == repr(scorer)


def test_what_is_refused():
    with pytest.raises(TypeError, match=r"metric must be a function.*'accuracy'"):
        make_sequence_scorer("accuracy")
    with pytest.raises(ValueError, match=r"response_method must be one of predict, .*'proba'"):
        make_sequence_scorer(metrics.log_loss, response_method="proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        make_sequence_scorer(metrics.log_loss, response_method="predict_proba")(
            regressor(), X, NUMBERS
        )


def test_an_estimator_without_an_answer_a_step_is_refused():
    for labels in (np.arange(12) % 2, np.array(["a", "b"] * 6, dtype=object)):
        fitted = tiny(GRUClassifier).fit(X, labels)
        with pytest.raises(ValueError, match="GRUClassifier gives one for each sequence"):
            make_sequence_scorer(metrics.accuracy_score)(fitted, X, labels)


def test_a_label_that_is_not_there_is_named():
    scorer = make_sequence_scorer(
        metrics.average_precision_score, response_method="predict_proba", pos_label="maybe"
    )
    with pytest.raises(ValueError, match=r"pos_label='maybe'.*\['no', 'yes'\]"):
        scorer(classifier(BINARY), X, BINARY)
