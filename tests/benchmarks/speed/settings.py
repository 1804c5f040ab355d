"""How large the tables are: as published, or just enough to see that they work."""

from __future__ import annotations

from dataclasses import dataclass

CELLS = ("LSTM", "GRU", "RNN")


@dataclass(frozen=True)
class Growth:
    """One size grows over `values`, geometrically; the others stay."""

    along: str
    values: tuple[int, ...]
    n_sequences: int
    n_steps: int
    hidden_size: int

    def sizes(self, value):
        """Return (n_sequences, n_steps, hidden_size) with the growing one at `value`."""
        sizes = dict(sequences=self.n_sequences, steps=self.n_steps, hidden=self.hidden_size)
        return tuple({**sizes, self.along: value}.values())


@dataclass(frozen=True)
class Settings:
    """Sizes of all tables.

    Parameters
    ----------
    grid : tuple of (features, hidden, batch, steps)
    n_sequences, epochs : int
        Of each fit.
    step_hidden : tuple of int
        Hidden sizes of the table `step`.
    search_hidden : tuple of int
        The grid to search, the largest first: what takes longest should not start last.
    search_epochs, search_steps : int
    growth : tuple of Growth
    at_least : float
        Seconds that a timing should last; what is shorter is repeated.
    threads, jobs : int
        What "all threads" and "2 jobs" stand for; 0 threads are as many as there are cores. A test
        has one: processes take seconds to start, and on a busy machine so do PyTorch's threads,
        which wait by spinning.
    rounds : int or None
        Of every table; None leaves it to each.
    large : tuple of (features, hidden, batch, steps)
        The sizes of the tables about `n_jobs`.
    fit_seconds : float
        What a fit with `n_jobs` lasts.
    processes : tuple of int
        Between which messages are timed.
    """

    grid: tuple[tuple[int, int, int, int], ...]
    n_sequences: int
    epochs: int
    step_hidden: tuple[int, ...]
    search_hidden: tuple[int, ...]
    search_epochs: int
    search_steps: int
    growth: tuple[Growth, ...]
    at_least: float
    threads: int = 0
    jobs: int = 2
    rounds: int | None = None
    large: tuple[tuple[int, int, int, int], ...] = ()
    fit_seconds: float = 0.0
    processes: tuple[int, ...] = ()


PUBLISHED = Settings(
    grid=(
        (1, 8, 32, 24),
        (1, 16, 32, 50),
        (4, 32, 32, 50),
        (8, 64, 32, 20),
        (9, 64, 64, 128),
        (8, 32, 128, 100),
        (8, 128, 64, 50),
        (8, 256, 64, 50),
        (32, 128, 256, 50),
    ),
    n_sequences=1000,
    epochs=2,
    step_hidden=(8, 32, 128, 256),
    search_hidden=(64, 32, 16, 8),
    search_epochs=25,
    search_steps=50,
    growth=(
        Growth("sequences", (256, 512, 1024, 2048, 4096, 8192, 16384), 0, 20, 32),
        Growth("steps", (8, 16, 32, 64, 128, 256, 512, 1024), 64, 0, 32),
        Growth("hidden", (16, 32, 64, 128, 256, 512, 1024), 64, 20, 0),
    ),
    at_least=0.02,
    large=(
        (9, 64, 64, 128),
        (8, 32, 128, 100),
        (8, 128, 64, 50),
        (8, 256, 64, 50),
        (32, 128, 256, 50),
    ),
    fit_seconds=8.0,
    processes=(2, 4, 8),
)

SMALLEST = Settings(
    grid=((1, 4, 8, 3),),
    n_sequences=20,
    epochs=1,
    step_hidden=(4,),
    search_hidden=(4, 2),
    search_epochs=1,
    search_steps=3,
    growth=(
        Growth("sequences", (10, 20, 40, 80), 0, 3, 4),
        Growth("steps", (2, 4, 8, 16), 10, 0, 4),
        Growth("hidden", (2, 4, 8, 16), 10, 3, 0),
    ),
    at_least=0.0,
    threads=1,
    jobs=1,
    rounds=1,
    large=((1, 4, 8, 3),),
    processes=(2,),
)
