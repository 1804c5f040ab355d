"""Tables about `n_jobs`: fit in two processes, and what more processes should make of it.

With two cores nothing can be said about more by measuring. What an update is made of can be
measured: parts alone, messages and sums. A model of these predicts the rest, and says that it does.
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from sklearn_rnn._running.cutting import MOST_PARTS, count_parts
from sklearn_rnn._training.dropout import Dropout
from sklearn_rnn._training.helpers import Helper, SharedArray, SharedFit
from sklearn_rnn._training.parts import Part, PartGradients
from tests.benchmarks.speed import theirs
from tests.benchmarks.speed.clock import seconds
from tests.benchmarks.speed.models import make_classifier, make_data
from tests.benchmarks.speed.settings import CELLS
from tests.benchmarks.speed.table import Table, lines, table_of_ratios
from tests.benchmarks.speed.timing import set_threads, summarize

CORES = (1, 2, 4, 8, 16)


# ---- fit in two processes ----


def measure_jobs(settings):
    """Epochs of fit in one and in two processes beside a plain PyTorch loop."""
    for cell in CELLS:
        for sizes in settings.large:
            n_features, hidden_size, batch, steps = sizes
            X, y = make_data(settings.n_sequences, steps, n_features)
            loop = theirs.make_loop(cell, X, y, hidden_size, batch, 1)
            fit = partial(
                epochs_of_fit, settings, make_classifier(cell, hidden_size, batch, 1), X, y
            )
            rounds, extra = [], []
            for _ in range(settings.rounds):
                one, _ = fit(1)
                two, seconds_to_start = fit(settings.jobs)
                theirs_1, theirs_2 = (_loop(settings, loop, n) for n in (1, settings.jobs))
                rounds.append((one, theirs_1, two, theirs_2))
                extra.append(seconds_to_start)
            yield {
                "cell": cell,
                "sizes": sizes,
                **summarize(np.array(rounds)),
                "seconds_to_start": max(0.0, float(np.median(extra))),
            }


def epochs_of_fit(settings, model, X, y, n_jobs):
    """Return the median seconds of the last epochs of a fit, and those before the processes work.

    The second is what the first epochs took beyond the median of the last ones.
    """
    model.set_params(n_jobs=n_jobs, max_iter=3, n_iter_no_change=10**6)
    with set_threads(1, 1):
        epoch = float(np.median(model.fit(X, y).history_["seconds"]))
        # Processes need about three seconds to work; the last third of the fit is timed.
        lasts = settings.fit_seconds if n_jobs > 1 else settings.fit_seconds / 3
        model.set_params(max_iter=max(3, int(lasts / epoch)))
        history = model.fit(X, y).history_["seconds"]
    last = float(np.median(history[-max(1, len(history) // 3) :]))
    return last, float(history.sum() - last * len(history))


def _loop(settings, loop, n_threads):
    with set_threads(n_threads, 1):
        loop()
        return seconds(loop, settings.fit_seconds / 4)


JOBS = table_of_ratios(
    "An epoch of fit with n_jobs=2",
    "The PyTorch loop's time over ours, with one thread each / with n_jobs=2 beside PyTorch's "
    "better one of one and two threads, once the processes work; in parentheses the range over the "
    "rounds.",
    measure_jobs,
    rounds=3,
)


# ---- what an update is made of ----


def measure_update(settings):
    """Parts alone, messages and sums, and the time of an update that they predict."""
    for sizes in settings.large:
        n_features, hidden_size, batch, steps = sizes
        X, y = make_data(settings.n_sequences, steps, n_features)
        model = make_classifier("LSTM", hidden_size, batch, 2)
        with set_threads(1, 1):
            epoch = float(np.median(model.fit(X, y).history_["seconds"]))
            update = epoch / -(-len(X) // batch)
            n_parts = count_parts(hidden_size, batch)
            worker = worker_of(model, X, y)
            part = _seconds_of_part(settings, worker, batch // n_parts)
            total = _seconds_of_sum(settings, len(worker.theta))
            messages = {n: _seconds_of_messages(settings, worker, n) for n in settings.processes}
        rest = max(0.0, update - n_parts * part - (n_parts - 1) * total)
        loop = theirs.make_loop("LSTM", X, y, hidden_size, batch, 1)
        one, two = (_loop(settings, loop, n) / -(-len(X) // batch) for n in (1, settings.jobs))
        predicted = {cores: predict(cores, n_parts, part, total, rest, messages) for cores in CORES}
        yield {
            "cell": "LSTM",
            "sizes": sizes,
            "parts": n_parts,
            "part_ms": 1e3 * part,
            "sum_ms": 1e3 * total,
            "rest_ms": 1e3 * rest,
            "messages_ms": {n: 1e3 * s for n, s in messages.items()},
            "predicted_ms": {n: 1e3 * s for n, s in predicted.items()},
            "theirs_ms": {cores: 1e3 * predict_theirs(cores, one, two) for cores in CORES},
        }


def predict(cores, n_parts, part, total, rest, messages):
    """Return the seconds of an update on so many cores, all of them free."""
    n = min(cores, n_parts)
    message = 0.0 if n == 1 else messages[min(messages, key=lambda k: abs(k - n))]
    return -(-n_parts // n) * part + (n_parts - 1) * total + message + rest


def predict_theirs(cores, one, two):
    """Return PyTorch's seconds on so many cores, by Amdahl's law through 1 and 2."""
    shared = 2 * max(0.0, one - two)
    return one - shared + shared / cores


def worker_of(model, X, y):
    """Return what computes the gradients of a fitted classifier's parts."""
    network = model._make_network()
    data = model._targets_as_trained(X, model._read(X), y).astype(np.float32)
    return PartGradients(network, data, model._theta_, Dropout(0, 0, np.float32))


def _seconds_of_part(settings, worker, n_columns):
    gradient = worker.network.layout.bind(np.empty_like(worker.theta))
    part = Part(0, np.arange(n_columns), 1.0, None, False)
    return seconds(lambda: worker.compute(part, gradient), 10 * settings.at_least)


def _seconds_of_sum(settings, size):
    one, other = np.zeros(size, np.float32), np.zeros(size, np.float32)
    return seconds(lambda: np.add(one, other, out=one), settings.at_least)


def _seconds_of_messages(settings, worker, n):
    """Return the seconds of a message to each of n - 1 helpers, with no parts, and back."""
    rows = SharedArray(np.zeros((1, len(worker.theta)), worker.theta.dtype))
    theta = SharedArray(worker.theta)
    fit = SharedFit(worker, theta, rows)
    helpers = [Helper(fit) for _ in range(n - 1)]

    def ask():
        np.copyto(theta.array, worker.theta)
        for helper in helpers:
            helper.send([])
        for helper in helpers:
            helper.receive()

    try:
        while not all(helper.is_ready() for helper in helpers):
            time.sleep(0.01)
        return seconds(ask, 10 * settings.at_least)
    finally:
        for helper in helpers:
            helper.stop()


def _update_rows(rows):
    counts, cores = list(rows[0]["messages_ms"]), list(rows[0]["predicted_ms"])
    corner = "features, hidden, batch, steps"
    pieces = [corner, "parts", "a part", "a sum", "the rest"]
    pieces += [f"messages, {n} processes" for n in counts]
    times = [corner, *(f"{n} core" + "s" * (int(n) > 1) + ": ours / PyTorch" for n in cores)]
    body, predictions = [], []
    for row in rows:
        sizes = ", ".join(map(str, row["sizes"]))
        figures = [row["part_ms"], row["sum_ms"], row["rest_ms"], *row["messages_ms"].values()]
        body.append([sizes, row["parts"], *(f"{figure:.2f}" for figure in figures)])
        pairs = zip(row["predicted_ms"].values(), row["theirs_ms"].values(), strict=True)
        predictions.append([sizes, *(f"{ours:.1f} / {theirs:.1f}" for ours, theirs in pairs)])
    return f"{lines(pieces, body)}\n{lines(times, predictions)}"


UPDATE = Table(
    "What an update of the LSTM is made of, and its time on more cores",
    "Milliseconds. Measured: a part alone, the sum of two gradients, the rest of an update "
    "(optimizer, batch), and a message to each process and back. Predicted, not measured: an "
    "update on so many free cores, as the parts of the busiest process, all sums, messages and "
    f"the rest (there are at most {MOST_PARTS} parts); PyTorch's by Amdahl's law through its times "
    "with one thread and two.",
    measure_update,
    _update_rows,
    rounds=1,
)
