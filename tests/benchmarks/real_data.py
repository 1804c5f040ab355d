"""The real data sets of ../shared/data as (X_train, y_train, X_test, y_test), standardised.

Inputs are standardised, feature by feature, by the training set. Ragged sets come as
SequenceArray. Forecasting sets are cut into windows, and predict the step (or steps) after them.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import SequenceArray
from sklearn_rnn.preprocessing import TimestepTransformer

DATA = Path(__file__).parents[3] / "shared" / "data"


class Split(NamedTuple):
    """One data set, ready for fit and score."""

    X_train: object
    y_train: np.ndarray
    X_test: object
    y_test: np.ndarray
    groups: np.ndarray | None = None
    X_val: object = None
    y_val: object = None


def _standardised(X_train, y_train, X_test, y_test):
    scaler = TimestepTransformer(StandardScaler()).fit(X_train)
    return Split(scaler.transform(X_train), y_train, scaler.transform(X_test), y_test)


def _arrays(name):
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as z:
        return dict(z)


def japanese_vowels():
    z = _arrays("japanese_vowels")
    parts = []
    for part in ("train", "test"):
        parts += [SequenceArray.from_concatenated(z[f"X_{part}"], z[f"len_{part}"]), z[f"y_{part}"]]
    return _standardised(*parts)


def _fixed_length(name):
    def load():
        z = _arrays(name)
        return _standardised(z["X_train"], z["y_train"], z["X_test"], z["y_test"])

    return load


def names():
    """Characters, one-hot; the language is the class."""
    with gzip.open(DATA / "names.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    alphabet = sorted(set("".join(row[2] for row in rows)))
    one_hot = np.eye(len(alphabet), dtype=np.float32)
    code = {character: k for k, character in enumerate(alphabet)}
    parts = []
    for part in ("train", "test"):
        chosen = [row for row in rows if row[0] == part]
        X = [one_hot[[code[character] for character in row[2]]] for row in chosen]
        parts += [SequenceArray.from_sequences(X), np.array([row[1] for row in chosen])]
    return Split(*parts)


def _engines():
    z = _arrays("cmapss_fd001")
    keep = z["X_train"].std(axis=0) >= 1e-4 * np.abs(z["X_train"].mean(axis=0))
    X_train, X_test = (
        SequenceArray.from_concatenated(z[f"X_{part}"][:, keep], z[f"len_{part}"])
        for part in ("train", "test")
    )
    lives = np.minimum(z["rul_train"], 125).astype(float)
    return X_train, np.split(lives, X_train.offsets[1:-1]), X_test, z["y_test"].astype(float)


def cmapss_engines():
    """Remaining useful life at every step of whole engines; of test engines, after the last."""
    return _standardised(*_engines())


def cmapss(window=30):
    """Remaining useful life of engines after the last window of each; at most 125 in training."""
    engines, lives, tests, y_test = _engines()
    X, y = [], []
    for engine, engine_lives in zip(engines, lives, strict=True):
        X.append(np.lib.stride_tricks.sliding_window_view(engine, window, 0).transpose(0, 2, 1))
        y.append(engine_lives[window - 1 :])
    X_test = SequenceArray.from_sequences([engine[-window:] for engine in tests])
    return _standardised(np.concatenate(X), np.concatenate(y), X_test, y_test)


def ocr_letters():
    """Handwritten words, letter by letter: 128 pixels a step; fold 0 is test."""
    z = _arrays("ocr_letters")
    pixels = np.unpackbits(z["Xbits"], axis=1).astype(np.float32)
    X, ends = SequenceArray.from_concatenated(pixels, z["lengths"]), np.cumsum(z["lengths"])[:-1]
    y, test = np.split(z["y"], ends), z["folds"] == 0
    train_y, test_y = ([y[i] for i in np.flatnonzero(part)] for part in (~test, test))
    return Split(X[~test], train_y, X[test], test_y)


def jsb_chorales():
    """Four-part chorales as 88 piano keys a step: which of them sound at the next one."""
    z = _arrays("jsb_chorales")
    parts = []
    for part in ("train", "test", "valid"):
        keys = np.unpackbits(z[f"X_{part}"], axis=1)[:, :88]
        pieces = np.split(keys, np.cumsum(z[f"len_{part}"])[:-1])
        X = SequenceArray.from_sequences([piece[:-1].astype(np.float32) for piece in pieces])
        parts += [X, [piece[1:] for piece in pieces]]
    return Split(*parts[:4], X_val=parts[4], y_val=parts[5])


def cmapss_groups():
    """The same, with the engine of each training window."""
    window, lengths = 30, _arrays("cmapss_fd001")["len_train"]
    groups = np.repeat(np.arange(len(lengths)), lengths - window + 1)
    return cmapss(window)._replace(groups=groups)


def _windows(series, window, horizon, n_train, n_test=None):
    """Windows of a standardised series; those with a target after n_train are test."""
    mean, std = series[:n_train].mean(), series[:n_train].std()
    views = np.lib.stride_tricks.sliding_window_view((series - mean) / std, window + horizon)
    X, y = views[:, :window].astype(np.float32), views[:, window:]
    y = y * std + mean
    y = y[:, 0] if horizon == 1 else y
    cut = n_train - window - horizon + 1
    first = n_train - window
    end = None if n_test is None else first + n_test - horizon + 1
    return Split(X[:cut], y[:cut], X[first:end], y[first:end])


def _column(rows, name):
    return np.array([float(row[rows[0].index(name)]) for row in rows[1:]])


def traffic_volume():
    with gzip.open(DATA / "traffic_volume.csv.gz", "rt") as file:
        series = _column(list(csv.reader(file)), "traffic_volume")
    return _windows(series, 48, 1, int(0.8 * len(series)))


def sunspots():
    with open(DATA / "monthly-sunspots.csv") as file:
        rows = list(csv.reader(file))
    series = np.array([float(row[-1]) for row in rows[1:] if row])
    return _windows(series, 48, 1, int(0.8 * len(series)))


def etth1():
    """24 hours of OT, standardised, after the last 96."""
    with gzip.open(DATA / "ETTh1.csv.gz", "rt") as file:
        series = _column(list(csv.reader(file)), "OT")
    series = (series - series[:8640].mean()) / series[:8640].std()
    split = _windows(series[:14400], 96, 24, 8640)
    return split._replace(X_test=split.X_test[2880:], y_test=split.y_test[2880:])


def etth1_differences():
    """The same, as differences from the last value of each window."""
    split = etth1()
    differences = (y - X[:, -1:] for X, y in (split[:2], split[2:4]))
    y_train, y_test = differences
    return split._replace(y_train=y_train, y_test=y_test)


CLASSIFICATION = {
    "japanese_vowels": japanese_vowels,
    "basic_motions": _fixed_length("basic_motions"),
    "libras": _fixed_length("libras"),
    "italy_power_demand": _fixed_length("italy_power_demand"),
    "gunpoint": _fixed_length("gunpoint"),
    "names": names,
}
REGRESSION = {
    "cmapss_fd001": cmapss,
    "cmapss_fd001_groups": cmapss_groups,
    "traffic_volume": traffic_volume,
    "sunspots": sunspots,
    "etth1": etth1,
}
