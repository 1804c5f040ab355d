"""Tokens through an embedding: names by language, and the next character of a book.

Run: python -m tests.benchmarks.tokens
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections import Counter

import numpy as np
from threadpoolctl import threadpool_limits

from sklearn_rnn import GRUClassifier
from tests.benchmarks import real_data
from tests.benchmarks.machine import print_machine, run_unforced
from tests.benchmarks.real_data import DATA, Split

NAMES = dict(hidden_size=64, batch_size=64, max_iter=6, learning_rate_init=5e-3)
BOOK = dict(hidden_size=128, max_iter=15, learning_rate_init=5e-3, early_stopping=False)
STEPS = 100  # of a training sequence of the book


def names():
    """Names as strings; the language is the class."""
    with gzip.open(DATA / "names.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    parts = []
    for part in ("train", "test"):
        chosen = [row for row in rows if row[0] == part]
        parts += [[row[2] for row in chosen], np.array([row[1] for row in chosen])]
    return Split(*parts)


def fit_and_score(split, **params):
    """Median accuracy of seeds 0 to 2, and the median of the seconds of a fit."""
    scores, seconds = [], []
    for seed in range(3):
        model = GRUClassifier(random_state=seed, **params)
        begin = time.perf_counter()
        model.fit(split.X_train, split.y_train)
        seconds.append(time.perf_counter() - begin)
        scores.append(model.score(split.X_test, split.y_test))
    return statistics.median(scores), statistics.median(seconds)


def book():
    """Alice in Wonderland, the first nine tenths and the last, with all white space a space."""
    text = " ".join((DATA / "alice.txt").read_text(encoding="utf-8").split())
    cut = len(text) * 9 // 10
    return text[:cut], text[cut:]


def bits_of_counts(train, test, n):
    """Bits a character by the frequencies of n characters in a row, each counted once more."""
    n_characters = len(set(train))
    grams = Counter(train[i : i + n] for i in range(len(train)))
    contexts = Counter(train[i : i + n - 1] for i in range(len(train)))
    probabilities = [
        (grams[test[i - n + 1 : i + 1]] + 1) / (contexts[test[i - n + 1 : i]] + n_characters)
        for i in range(2, len(test))
    ]
    return -np.mean(np.log2(probabilities))


def fit_book(train, **params):
    """A classifier of the next character at every step."""
    begins = range(0, len(train) - STEPS, STEPS)
    X = [train[i : i + STEPS] for i in begins]
    y = [list(train[i + 1 : i + STEPS + 1]) for i in begins]
    return GRUClassifier(return_sequences=True, random_state=0, **params).fit(X, y)


def bits_of_model(model, test):
    """Bits a character of the test's text, read as one long sequence."""
    log_probability = model.predict_log_proba([test[:-1]])[0]
    truth = np.searchsorted(model.classes_, list(test[1:]))
    return -log_probability[np.arange(len(truth)), truth].mean() / np.log(2)


def most_probable_text(model, start, n_characters):
    """Go on with a text, one most probable character after the other."""
    text = start
    for _ in range(n_characters):
        text += model.predict([text])[0][-1]
    return text


def main():
    print_machine()
    print("names by language: a GRU of 64 units, median of three seeds\n")
    print(f"{'input':<22} {'accuracy':>8} {'s a fit':>8}")
    for size in (8, 16, 32):
        accuracy, seconds = fit_and_score(names(), embedding_size=size, **NAMES)
        print(f"{f'embedding_size={size}':<22} {accuracy:>8.3f} {seconds:>8.1f}")
    one_hot = real_data.names()
    for dtype in (np.float32, np.float64):
        for X in (one_hot.X_train, one_hot.X_test):
            X.values = X.values.astype(dtype)
        accuracy, seconds = fit_and_score(one_hot, **NAMES)
        print(f"{f'one-hot, {dtype.__name__}':<22} {accuracy:>8.3f} {seconds:>8.1f}")

    train, test = book()
    print(f"\nthe next of {len(set(train))} characters of a book\n")
    print(f"{'model':<22} {'bits':>8} {'s a fit':>8}")
    for n, what in enumerate(("unigram", "bigram", "trigram"), start=1):
        print(f"{what:<22} {bits_of_counts(train, test, n):>8.2f}")
    begin = time.perf_counter()
    model = fit_book(train, embedding_size=16, **BOOK)
    seconds = time.perf_counter() - begin
    print(f"{'GRU, 128 units':<22} {bits_of_model(model, test):>8.2f} {seconds:>8.1f}")
    print(f"\n{most_probable_text(model, 'Alice said', 60)!r}")


if __name__ == "__main__":
    with threadpool_limits(1):
        run_unforced(main)
