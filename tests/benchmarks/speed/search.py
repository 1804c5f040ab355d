"""A grid search with one job and with two, beside the same search through skorch."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.model_selection import GridSearchCV

from tests.benchmarks.speed import theirs
from tests.benchmarks.speed.clock import seconds
from tests.benchmarks.speed.models import make_classifier, make_data
from tests.benchmarks.speed.settings import PUBLISHED
from tests.benchmarks.speed.table import Table, lines, with_range
from tests.benchmarks.speed.timing import set_threads

N_FEATURES, BATCH = 4, 32


def make_searches(cell, settings):
    """Return ours and skorch's, each as a function of n_jobs that makes a search."""
    E, sizes = settings.search_epochs, list(settings.search_hidden)
    model = make_classifier(cell, sizes[0], BATCH, E)
    net = theirs.make_skorch(cell, N_FEATURES, sizes[0], BATCH, E)
    options = {"cv": 3, "refit": False, "error_score": "raise"}
    return (
        lambda n_jobs: GridSearchCV(model, {"hidden_size": sizes}, n_jobs=n_jobs, **options),
        lambda n_jobs: GridSearchCV(net, {"module__hidden_size": sizes}, n_jobs=n_jobs, **options),
    )


def measure(settings):
    """Time the searches in turn, one thread a job, workers already started."""
    jobs = (1, settings.jobs)
    X, y = make_data(settings.n_sequences, settings.search_steps, N_FEATURES)
    few = np.argsort(y, kind="stable")[:: max(1, len(y) // 30)]
    for cell in ("LSTM", "GRU"):
        searches = make_searches(cell, settings)
        with set_threads(1, 1):
            for search in searches:  # workers import what they need
                search(settings.jobs).fit(X[few], y[few])
            runs = [partial(search(n_jobs).fit, X, y) for search in searches for n_jobs in jobs]
            times = [[seconds(run, 0) for run in runs] for _ in range(settings.rounds)]
        ours_1, ours_2, theirs_1, theirs_2 = np.median(times, 0)
        times = np.array(times)
        ratios = times[:, 2:] / times[:, :2]
        yield {
            "cell": cell,
            "ours_s": [ours_1, ours_2],
            "theirs_s": [theirs_1, theirs_2],
            "ours_gain": ours_1 / ours_2,
            "theirs_gain": theirs_1 / theirs_2,
            "ratios": list(np.median(ratios, 0)),
            "ratio_ranges": np.transpose([ratios.min(0), ratios.max(0)]).tolist(),
        }


def _body(rows):
    header = [
        "search",
        "1 job",
        "2 jobs",
        "gain",
        "skorch, 1 job",
        "2 jobs",
        "gain",
        "skorch / ours",
    ]
    texts = [
        [
            row["cell"],
            *(f"{time:.1f} s" for time in row["ours_s"]),
            f"{row['ours_gain']:.2f}",
            *(f"{time:.1f} s" for time in row["theirs_s"]),
            f"{row['theirs_gain']:.2f}",
            " / ".join(map(with_range, row["ratios"], row["ratio_ranges"])),
        ]
        for row in rows
    ]
    return lines(header, texts)


SEARCH = Table(
    "A parallel search",
    f"GridSearchCV over {len(PUBLISHED.search_hidden)} hidden sizes {PUBLISHED.search_hidden} and "
    f"three folds, {PUBLISHED.n_sequences:,} sequences of {PUBLISHED.search_steps} steps, "
    f"{PUBLISHED.search_epochs} epochs, one thread a job; the gain of the second job, and skorch's "
    "time over ours with one job / with two (range over the rounds).",
    measure,
    _body,
    rounds=3,
)
