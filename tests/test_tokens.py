"""Tokens: text and integers in every container, unknown ones, and all that fits do with numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, SequenceArray
from tests.helpers import (
    SIX,
    answers,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    object_array,
    pickled,
    same_model,
    tiny,
    unchanged,
)

WORDS = ["ash", "elm", "oak", "a", "ashen", "elms", "oaken", "hash", "sham", "mole", "lane", "koa"]
CODES = [[ord(character) for character in word] for word in WORDS]
ROWS = np.random.default_rng(0).integers(4, size=(12, 5))


def fit_tokens(Estimator, X=None, y=None, **params):
    return fit_tiny(Estimator, WORDS if X is None else X, y, embedding_size=3, **params)


def assert_close(answer, expected):
    """Assert that numbers are close, and labels the same."""
    if np.asarray(answer).dtype.kind == "f":
        np.testing.assert_allclose(answer, expected, rtol=1e-10, atol=1e-12)
    else:
        np.testing.assert_array_equal(answer, expected)


def marked_strings(n, seed=0, length=12):
    """Strings of noise, with an x before a y or after it: the class."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("abcd"), size=(n, length))
    first, second = rng.integers(0, length // 2, n), rng.integers(length // 2, length, n)
    y = np.arange(n) % 2
    letters[np.arange(n), np.where(y, first, second)] = "x"
    letters[np.arange(n), np.where(y, second, first)] = "y"
    return ["".join(row[: rng.integers(length - 2, length + 1)]) for row in letters], y


# --- Containers ----------------------------------------------------------------------------------

STRINGS = {
    "list": WORDS,
    "tuple": tuple(WORDS),
    "array": np.array(WORDS),
    "object array": np.array(WORDS, dtype=object),
    "Series": pd.Series(WORDS),
    "string Series": pd.Series(WORDS, dtype="string"),
    "polars": pl.Series(WORDS),
    "lists": [list(word) for word in WORDS],
    "tuples": [tuple(word) for word in WORDS],
    "arrays": [np.array(list(word)) for word in WORDS],
    "object array of lists": object_array([list(word) for word in WORDS]),
    "Series of lists": pd.Series([list(word) for word in WORDS]),
    "list of Series": [pd.Series(list(word), dtype="category") for word in WORDS],
    "packed": SequenceArray.from_sequences([list(word) for word in WORDS]),
}
INTEGERS = {
    "lists": CODES,
    "arrays": [np.array(codes) for codes in CODES],
    "bytes": [np.array(codes, dtype=np.uint8) for codes in CODES],
    "columns": [np.array(codes, dtype=np.int32)[:, None] for codes in CODES],
    "object array": object_array([np.array(codes) for codes in CODES]),
    "packed": SequenceArray.from_sequences(CODES),
}
TABLES = {
    "3-D": ROWS[:, :, None],
    "lists": ROWS.tolist(),
    "frame": pd.DataFrame(ROWS, columns=list("abcde")),
    "polars": pl.DataFrame(ROWS),
    "strings": ROWS.astype(str),
    "objects": ROWS.astype(object),
    "frame of strings": pd.DataFrame(ROWS.astype(str), columns=list("abcde")),
}


@pytest.mark.parametrize("X", STRINGS.values(), ids=STRINGS)
def test_strings_in_every_container(X):
    expected = fit_tokens(GRUClassifier)
    fitted = fit_tokens(GRUClassifier, X)
    assert_same_model(fitted, expected)
    np.testing.assert_array_equal(fitted.predict_proba(X), expected.predict_proba(WORDS))
    np.testing.assert_array_equal(fitted.vocabulary_, sorted(set("".join(WORDS))))
    assert (fitted.n_features_in_, fitted.n_timesteps_in_) == (1, None)


@pytest.mark.parametrize("X", INTEGERS.values(), ids=INTEGERS)
def test_integers_in_every_container(X):
    """The order of the characters is that of their numbers, so it is the same model."""
    fitted = fit_tokens(GRUClassifier, X)
    assert_same_model(fitted, fit_tokens(GRUClassifier))
    assert fitted.vocabulary_.dtype == np.int64
    assert [chr(code) for code in fitted.vocabulary_] == sorted(set("".join(WORDS)))
    assert (fitted.n_features_in_, fitted.n_timesteps_in_) == (1, None)


@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_rows_of_tokens(X):
    expected = fit_tokens(LSTMRegressor, ROWS)
    assert (expected.n_features_in_, expected.n_timesteps_in_) == (5, 5)
    fitted = fit_tokens(LSTMRegressor, X)
    assert_same_model(fitted, expected)
    np.testing.assert_array_equal(fitted.predict(X), expected.predict(ROWS))
    two_d = getattr(X, "ndim", 2) == 2 and not isinstance(X, list)
    assert (fitted.n_features_in_, fitted.n_timesteps_in_) == (5 if two_d else 1, 5)
    if hasattr(X, "columns"):
        np.testing.assert_array_equal(fitted.feature_names_in_, list(X.columns))


def test_words_are_tokens_in_lists_and_in_tables():
    sentences = [["the", "cat"], ["a", "cat", "sat"], ["the", "mat"]] * 4
    fitted = fit_tokens(GRUClassifier, sentences)
    assert fitted.vocabulary_.tolist() == ["a", "cat", "mat", "sat", "the"]
    table = np.array([["the", "cat"], ["a", "mat"]] * 6)
    assert fit_tokens(GRUClassifier, table).vocabulary_.tolist() == ["a", "cat", "mat", "the"]
    assert fit_tokens(GRUClassifier, ["the cat", "a mat"] * 6).vocabulary_[0] == " "


def test_n_timesteps_of_rows_is_their_width():
    assert_same_model(
        fit_tokens(GRUClassifier, ROWS, n_timesteps=5), fit_tokens(GRUClassifier, ROWS)
    )
    with pytest.raises(ValueError, match="n_timesteps=2 must be None"):
        fit_tokens(GRUClassifier, ROWS[:, :4], n_timesteps=2)


def test_rows_and_lists_are_not_mixed():
    with pytest.raises(ValueError, match="fitted on a 2-D X, on rows of 5 values"):
        fit_tokens(GRUClassifier, ROWS).predict([[1, 2], [3]])
    with pytest.raises(ValueError, match="fitted on sequences of 1 feature"):
        fit_tokens(GRUClassifier, CODES).predict(ROWS)
    with pytest.raises(ValueError, match="X has 4 features, but GRUClassifier is expecting 5"):
        fit_tokens(GRUClassifier, ROWS).predict(ROWS[:, :4])


# --- What is refused -----------------------------------------------------------------------------

MUST_BE = "tokens must be integers or strings"
REFUSED = {
    "floats": (ROWS * 1.0, f"{MUST_BE}, but X holds .* in sequence 0, at step 0"),
    "float lists": ([[1, 2.5]] * 12, f"{MUST_BE}, but X holds 2.5 .* in sequence 0, at step 1"),
    "packed floats": (SequenceArray.from_sequences(make_sequences(n_features=1)), MUST_BE),
    "bool": ([[True]] * 12, MUST_BE),
    "bytes": (object_array([b"ab"] * 12), "b'ab' .of type bytes"),
    "None": ([*CODES[:11], [1, None]], f"{MUST_BE}, but X holds None .* in sequence 11, at step 1"),
    "missing": (pd.Series(["ab", None] * 6), "Sequence 1 of X is (None|nan)"),
    "mixed": ([[1], ["a"]] * 6, "both integers and strings"),
    "empty string": ([*WORDS[:11], ""], "Sequence 11 of X is an empty string"),
    "empty list": ([*CODES[:11], []], "Sequence 11 of X is empty"),
    "no sequence": ([], "0 sample"),
    "no steps": (np.empty((12, 0), int), "0 time steps"),
    "one string": ("ash", "the string 'ash'.* pass .X."),
    "one sequence": (np.arange(12), "Sequence 0 of X is .*0.* pass .X."),
    "two features": (ROWS[:, :4].reshape(12, 2, 2), r"X is of shape \(12, 2, 2\)"),
    "packed features": (SequenceArray(np.ones((12, 2), int), np.arange(13)), "2 features, int64"),
    "wide items": ([np.ones((3, 2), int)] * 12, r"Sequence 0 of X has shape \(3, 2\)"),
    "nested": ([[[1, 2]]] * 12, f"{MUST_BE}, but X holds .1, 2. .of type list"),
    "masked": (np.ma.masked_equal(ROWS, 1), "masked"),
    "dates": ([np.array(["2020-01-01"], "M8[ns]")] * 12, "Sequence 0 of X: .* datetime64"),
    "huge": ([[2**70]] * 12, "64 bits"),
}


@pytest.mark.parametrize(("X", "message"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_tokens_is_refused(X, message):
    estimator = tiny(GRURegressor, embedding_size=3)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, np.arange(12.0))
    assert_unfitted(estimator)
    fitted = fit_tokens(GRURegressor)
    with unchanged(fitted), pytest.raises(ValueError, match=f"{message}|were fitted"):
        fitted.predict(X)


@pytest.mark.parametrize("X", [sparse.csr_array(ROWS), {"a", "b"}, iter(WORDS)], ids=type)
def test_what_holds_no_sequences_is_refused(X):
    with pytest.raises(TypeError):
        fit_tokens(GRUClassifier, X, np.arange(12) % 2)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "16"])
def test_bad_embedding_size(Estimator, size):
    with pytest.raises(ValueError, match="embedding_size"):
        fit_tiny(Estimator, WORDS, embedding_size=size)


TEXT = {
    "strings": WORDS,
    "array": np.array(WORDS),
    "Series": pd.Series(WORDS),
    "lists": [list(word) for word in WORDS],
    "arrays": [np.array(list(word)) for word in WORDS],
    "rows": np.array([["ash", "elm"]] * 12),
    "frame": pd.DataFrame({"a": WORDS, "b": WORDS}),
}


@pytest.mark.parametrize("X", TEXT.values(), ids=TEXT)
def test_text_without_an_embedding_is_pointed_to_it(X):
    with pytest.raises(ValueError, match="set embedding_size"):  # in the message, or a note
        fit_tiny(LSTMRegressor, X)


def test_lists_of_unequal_lists_of_numbers_are_not():
    with pytest.raises(ValueError, match="rows that differ in length") as caught:
        fit_tiny(LSTMRegressor, [[1.0], [1.0, 2.0], 3.0] * 4)
    assert "embedding_size" not in str(caught.value)


@pytest.mark.parametrize(("X", "other"), [(WORDS, CODES), (CODES, WORDS)])
def test_strings_after_integers_are_refused(X, other):
    fitted = fit_tokens(GRUClassifier, X)
    with pytest.raises(ValueError, match="were fitted"):
        fitted.predict(other)


# --- The vocabulary, and what is not in it --------------------------------------------------------


def test_unknown_tokens_read_as_the_mean_of_the_known_ones(Estimator):
    fitted = fit_tokens(Estimator)
    with_unknown = answers(fitted, ["aß", "→", "zzz"])
    E = fitted.weights_["weight_embedding"]
    assert E.shape == (len(fitted.vocabulary_), 3)
    known = fitted._copy()
    known.vocabulary_ = np.append(fitted.vocabulary_, "ß")
    layout = fitted._make_network().layout
    end = layout.size - E.size
    known._theta_ = np.concatenate([fitted._theta_[:end], E.ravel(), E.mean(axis=0)])
    for name, answer in answers(known, ["aß", "ß", "ßßß"]).items():
        assert_close(with_unknown[name], answer)


def test_unknown_integers(Estimator):
    fitted = fit_tokens(Estimator, CODES)
    one, other = [[97, 5, -3]], [[97, 10**18, 0]]
    for name, answer in answers(fitted, one).items():
        np.testing.assert_array_equal(answer, answers(fitted, other)[name])


def test_the_first_partial_fit_fixes_the_vocabulary():
    y = np.arange(12.0)
    model = tiny(GRURegressor, embedding_size=3)
    model.partial_fit(WORDS[:3], y[:3])
    assert model.vocabulary_.tolist() == sorted(set("ashelmoak"))
    before = model.weights_
    with pytest.warns(UserWarning, match="No token of X is known"):
        model.partial_fit(["zz", "qq"], y[:2])
    assert model.vocabulary_.tolist() == sorted(set("ashelmoak"))
    moved = model.weights_["weight_embedding"] - before["weight_embedding"]
    assert moved.all()  # unknown tokens teach all known ones


def test_warm_start_keeps_the_vocabulary_and_a_new_fit_does_not():
    y = np.arange(12.0)
    model = tiny(GRURegressor, embedding_size=3, warm_start=True).fit(WORDS[:3], y[:3])
    assert model.fit(WORDS, y).vocabulary_.tolist() == sorted(set("ashelmoak"))
    model.set_params(warm_start=False).fit(WORDS, y)
    assert model.vocabulary_.tolist() == sorted(set("".join(WORDS)))
    assert_same_model(model, fit_tiny(GRURegressor, WORDS, y, embedding_size=3))


@pytest.mark.parametrize("size", [None, 4])
def test_warm_start_with_another_embedding_size_is_refused(size):
    model = fit_tokens(GRUClassifier, warm_start=True).set_params(embedding_size=size)
    with unchanged(model), pytest.raises(ValueError, match="embedding_size=3"):
        model.fit(WORDS, make_targets(model))


def test_a_fit_without_an_embedding_forgets_the_vocabulary(Estimator):
    model = fit_tokens(Estimator).set_params(embedding_size=None)
    model.fit(make_sequences(), make_targets(model))
    assert not hasattr(model, "vocabulary_")
    assert "weight_embedding" not in model.weights_


def test_parameter_set_after_fit_waits_for_the_next_fit(Estimator):
    fitted = fit_tokens(Estimator)
    before = answers(fitted, WORDS)
    fitted.set_params(embedding_size=None)
    for name, answer in answers(fitted, WORDS).items():
        np.testing.assert_array_equal(answer, before[name])


# --- As with numbers ------------------------------------------------------------------------------


def test_embedding_size_has_a_say_and_counts_as_parameters(Estimator):
    one, other = (fit_tiny(Estimator, WORDS, embedding_size=size) for size in (3, 5))
    assert not same_model(one, other)
    assert {array.dtype for array in one.weights_.values()} == {np.dtype(np.float64)}
    sizes = [weight.size for name, weight in other.weights_.items() if "bias_hh" not in name]
    biases = 4 if Estimator.__name__.startswith("GRU") else 0  # of the candidate, bias_hh
    assert other.n_parameters_ == sum(sizes) + biases


def test_the_penalty_reaches_the_embedding():
    free, held = (fit_tokens(GRUClassifier, alpha=alpha, max_iter=50) for alpha in (0, 1000))
    norms = [np.linalg.norm(model.weights_["weight_embedding"]) for model in (free, held)]
    assert norms[1] < 0.9 * norms[0]


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_any_batch_gives_the_same_answers(Estimator, pooling, bidirectional):
    fitted = fit_tokens(Estimator, pooling=pooling, bidirectional=bidirectional, num_layers=2)
    together = answers(fitted, WORDS)
    for i, word in enumerate(WORDS):
        for name, answer in answers(fitted, [word]).items():
            assert_close(answer[0], together[name][i])


def test_weights_stand_for_copies():
    y = make_targets(LSTMClassifier())
    weighted = tiny(LSTMClassifier, embedding_size=3).fit(WORDS, y, [2, *[1] * 11])
    assert_same_model(weighted, fit_tokens(LSTMClassifier, [WORDS[0], *WORDS], [y[0], *y]))


@pytest.mark.parametrize("Estimator", SIX)
def test_one_answer_a_step(Estimator):
    y = [list(word.upper()) for word in WORDS]
    if Estimator not in SIX[:3]:
        y = [[ord(letter) for letter in word] for word in y]
    fitted = fit_tokens(Estimator, WORDS, y, return_sequences=True)
    for X in (WORDS, np.array(WORDS), [list(word) for word in WORDS]):
        answer = fitted.predict(X)
        assert answer.dtype == object
        assert [len(steps) for steps in answer] == [len(word) for word in WORDS]
    assert np.isfinite(fitted.score(WORDS, y))
    assert fitted.predict([list("ash"), list("oak")]).dtype == object
    rows = fit_tokens(Estimator, ROWS, ROWS + 1, return_sequences=True)
    assert rows.predict(ROWS).shape == (12, 5)


@pytest.mark.parametrize("Estimator", SIX)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_truncated_bptt(Estimator, pooling):
    whole = fit_tokens(Estimator, pooling=pooling)
    assert_same_model(fit_tokens(Estimator, pooling=pooling, tbptt_steps=5), whole)
    assert not same_model(fit_tokens(Estimator, pooling=pooling, tbptt_steps=2), whole)


def test_truncated_bptt_with_an_answer_a_step():
    y = [np.arange(len(word)) / 5 for word in WORDS]
    options = dict(return_sequences=True, max_iter=2)
    whole = fit_tokens(GRURegressor, WORDS, y, **options)
    assert_same_model(fit_tokens(GRURegressor, WORDS, y, tbptt_steps=5, **options), whole)
    assert fit_tokens(GRURegressor, WORDS, y, tbptt_steps=2, **options).t_ == 2 * 3


def test_large_batches_in_two_halves_give_the_same_bits():
    X, y = marked_strings(64)
    options = dict(hidden_size=64, embedding_size=8, batch_size=64, max_iter=2, random_state=0)
    one, other = (LSTMClassifier(**options).fit(X, y) for _ in range(2))
    assert_same_model(one, other)


def test_pickle_and_clone(Estimator):
    fitted = fit_tokens(Estimator)
    assert_same_answers(fitted, pickled(fitted), [*WORDS, "zz"])
    assert_unfitted(clone(fitted))
    assert clone(fitted).embedding_size == 3


def test_tags(Estimator):
    tags = get_tags(Estimator(embedding_size=8)).input_tags
    assert tags.string
    assert tags.one_d_array
    assert tags.two_d_array
    plain = get_tags(Estimator()).input_tags
    assert not plain.string
    assert not plain.one_d_array


def test_divergence_does_not_speak_of_scaling():
    with pytest.raises(ValueError, match="diverged") as caught:
        fit_tokens(
            GRURegressor, solver="sgd", learning_rate_init=1e200, max_grad_norm=None, momentum=0.0
        )
    assert "Scale X" not in str(caught.value)


# --- Streams and validation data ------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("Estimator", SIX)
def test_a_token_at_a_time(Estimator, pooling):
    fitted = fit_tokens(Estimator, pooling=pooling, num_layers=2)
    for word, prefixes in zip(["ashen", "o?k"], fitted.predict_prefixes(["ashen", "o?k"])):
        state = None
        for t, token in enumerate(word):
            answer, state = fitted.step(token, state)
            assert_close(answer, prefixes[t])
            assert_close(answer, fitted.predict([word[: t + 1]])[0])


def test_a_token_each_of_many_streams():
    fitted = fit_tokens(GRURegressor, CODES)
    first, state = fitted.step([97, 108, 5])
    assert first.shape == (3,)
    answer, state = fitted.predict([[115], [109, 97], [1]], state, return_state=True)
    assert_close(answer, fitted.predict([[97, 115], [108, 109, 97], [5, 1]]))
    assert_close(fitted.step(np.int64(97))[0], first[0])


@pytest.mark.parametrize("x_t", [1.5, None, 7, ["a", None], np.array([1.0])])
def test_what_is_no_token_of_a_step(x_t):
    with pytest.raises(ValueError, match="tokens"):
        fit_tokens(GRUClassifier).step(x_t)


def test_prefixes_of_lists_are_lists():
    fitted = fit_tokens(GRURegressor)
    assert fitted.predict_prefixes([list("ash"), list("oak")]).dtype == object
    assert fit_tokens(GRURegressor, ROWS).predict_prefixes(ROWS).shape == (12, 5)


@pytest.mark.parametrize("scoring", [None, "loss", "r2", "neg_mean_absolute_error"])
@pytest.mark.parametrize(
    "X", [WORDS, CODES, ROWS, ROWS.astype(str)], ids=["str", "int", "rows", "str rows"]
)
def test_validation_on_tokens_some_of_which_are_unknown(X, scoring):
    y = np.arange(12.0)
    model = tiny(GRURegressor, embedding_size=3, early_stopping=True, validation_scoring=scoring)
    model.fit(X[:3], y[:3], X_val=X[3:], y_val=y[3:])
    assert len(model.validation_scores_) == 3
    if scoring == "r2":
        assert_close(model.best_validation_score_, model.score(X[3:], y[3:]))


# --- Learning -------------------------------------------------------------------------------------


@pytest.mark.parametrize("Classifier", SIX[:3])
def test_which_of_two_marks_came_first(Classifier):
    (X, y), (X_test, y_test) = marked_strings(200), marked_strings(100, seed=1)
    model = Classifier(embedding_size=8, random_state=0).fit(X, y)
    assert model.score(X_test, y_test) >= 0.9


def test_tokens_go_through_scikit_learn():
    X, y = marked_strings(90)
    model = GRUClassifier(8, max_iter=3, random_state=0, embedding_size=4)
    lower = make_pipeline(FunctionTransformer(lambda X: [x.lower() for x in X]), model)
    assert cross_val_score(lower, X, y, cv=3).shape == (3,)
    assert cross_val_predict(model, np.array(X), y, cv=3).shape == (90,)
    search = GridSearchCV(lower, {"gruclassifier__embedding_size": [2, 4]}, cv=3)
    assert search.fit(pd.Series(X), y).predict(["ABXY"]).shape == (1,)


@pytest.mark.slow
def test_languages_of_names(shared_path):
    """18 languages from 14,397 names: a GRU that reads one-hot characters in PyTorch has .800."""
    shared_path("names.tsv.gz")
    from tests.benchmarks import tokens

    accuracy, _ = tokens.fit_and_score(tokens.names(), embedding_size=16, **tokens.NAMES)
    assert accuracy >= 0.77


@pytest.mark.slow
def test_the_next_character_of_a_book(shared_path):
    """More than the character before it: what two characters say alone takes 2.9 bits."""
    shared_path("alice.txt")
    from tests.benchmarks import tokens

    train, test = tokens.book()
    model = tokens.fit_book(train, embedding_size=16, **{**tokens.BOOK, "max_iter": 5})
    assert tokens.bits_of_model(model, test) < 2.6 < tokens.bits_of_counts(train, test, 3)
