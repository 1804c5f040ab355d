"""Checkpoints: the progress of a fit in a file, when it is written, and which fit it belongs to."""

from __future__ import annotations

import errno
import glob
import os
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from numbers import Integral, Real
from pathlib import Path
from time import monotonic, time
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn import _files
from sklearn_rnn._training.history import Epoch
from sklearn_rnn._training.snapshot import Snapshot, check_rng, check_vectors, check_weights
from sklearn_rnn._training.stopping import Pace

KIND, FORMAT = "checkpoint", 1
# A temporary file older than this many seconds was left by a killed process, and is removed. A
# younger one may still be in use.
STALE = 600.0

_ADVICE = (
    "Give every fit a path of its own, or delete the file to train anew. In a search or a "
    "cross-validation all fits share the path but not the data: set checkpoint=None there."
)


@dataclass(frozen=True, init=False)
class Checkpoint:
    """Say where and how often `fit` saves its progress.

    This is a value for the parameter `checkpoint` of the six estimators. A path in its place means
    ``Checkpoint(path)``: progress is saved after each epoch.

    Parameters
    ----------
    path : str or path-like
        The file. `fit` replaces it as a whole each time.
    epochs : int, default=1
        Number of epochs from one save to the next, at least 1.
    seconds : float, default=0.0
        Least number of seconds from one save to the next, at least 0. A save waits until the file
        is on the disk, which takes some milliseconds: with ``seconds=60`` that time does not
        matter, however short the epochs are.

    Attributes
    ----------
    path : str
        The file.
    epochs : int
        Number of epochs from one save to the next.
    seconds : float
        Least number of seconds from one save to the next.

    Raises
    ------
    TypeError
        If `path` is not a path, or `epochs` or `seconds` is not a number.
    ValueError
        If `epochs` or `seconds` is too small, or `seconds` is infinite or NaN.

    See Also
    --------
    sklearn_rnn.persistence.save : Save a fitted estimator.

    Notes
    -----
    A checkpoint never changes, and two with the same attributes are equal. Both limits hold at
    once: progress is saved at the end of every `epochs`-th epoch, if `seconds` have passed since
    the last save. The end of training is always saved.

    Examples
    --------
    >>> from sklearn_rnn import Checkpoint, GRUClassifier
    >>> clf = GRUClassifier(checkpoint=Checkpoint("fit.npz", seconds=60))
    >>> clf.checkpoint
    Checkpoint(path='fit.npz', epochs=1, seconds=60.0)
    """

    path: str
    epochs: int
    seconds: float

    def __init__(
        self, path: str | os.PathLike[str], *, epochs: int = 1, seconds: float = 0.0
    ) -> None:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(text, str):
            raise TypeError(
                f"The path of a Checkpoint must be a string or a path-like object, got {path!r}. "
                "Without checkpoints, set checkpoint=None."
            )
        _check_number("epochs", epochs, Integral, "an integer of at least 1", least=1)
        _check_number("seconds", seconds, Real, "a finite number of at least 0", least=0)
        # The way around `frozen`, which forbids assignments in a constructor, too.
        self.__dict__.update(path=text, epochs=int(epochs), seconds=float(seconds))


def _check_number(name: str, value: Any, kind: type, expected: str, least: int) -> None:
    message = f"{name} of a Checkpoint must be {expected}, got {value!r}."
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number:
        raise TypeError(message)
    if not least <= value < inf:
        raise ValueError(message)


class Progress(NamedTuple):
    """The content of a checkpoint.

    Attributes
    ----------
    snapshot : Snapshot
    before : Snapshot or None
        The snapshot of the epoch before. It is kept until the weights of `snapshot` have given a
        finite loss.
    reason : str or None
        Why training ended; None if it has not ended.
    seed : int or None
        The seed of the random numbers.
    """

    snapshot: Snapshot
    before: Snapshot | None
    reason: str | None
    seed: int | None


@dataclass
class CheckpointWriter:
    """Writes and reads the checkpoint of one fit.

    Parameters
    ----------
    checkpoint : Checkpoint
        The path, and how often to save.
    identity : mapping of str to str
        All that distinguishes this fit from others: names for error messages, and values as text.
    seed : int or None
        The seed of the random numbers of this fit.
    """

    checkpoint: Checkpoint
    identity: Mapping[str, str]
    seed: int | None
    _mark: Any = field(default=None, init=False)  # of the file when this fit last wrote it
    _written: float = field(default=-np.inf, init=False)
    _has_warned: bool = field(default=False, init=False)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.checkpoint.path)

    def open(self) -> Progress | None:
        """Return the progress of an earlier call of the same fit, if any, and take over its seed.

        Raises OSError where no checkpoint can be written, ValueError if there is a file that is
        damaged, or another fit's.
        """
        _check_place(self.path)
        if not self.path.exists():
            return None
        self._mark = self._look()
        content, _ = _files.read(self.path, kind=KIND, newest=FORMAT)
        try:
            identity = dict(content["identity"])
            snapshot, before = _snapshot(content["now"]), content["before"]
            before = None if before is None else _snapshot(before)
            progress = Progress(snapshot, before, content["reason"], content["seed"])
            _check_progress(progress)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.path} holds no training ({error!r}). Delete it to train anew."
            ) from None
        self._check_identity(identity)
        self.seed = progress.seed  # drawn by chance, if random_state is None
        return progress

    def keep(self, snapshot: Snapshot, before: Snapshot | None, *, at_once: bool = False) -> None:
        """Save the progress, if it is time to."""
        is_due = len(snapshot.history) % self.checkpoint.epochs == 0
        if at_once or (is_due and monotonic() - self._written >= self.checkpoint.seconds):
            self._write(snapshot, before, None)

    def complete(self, snapshot: Snapshot, reason: str) -> None:
        """Save the end of training."""
        self._write(snapshot, None, reason)

    def _write(self, snapshot: Snapshot, before: Snapshot | None, reason: str | None) -> None:
        if self._look() not in (self._mark, None):
            raise ValueError(
                f"Another fit writes to the checkpoint {self.path} at the same time. {_ADVICE}"
            )
        content = {
            "identity": dict(self.identity),
            "now": _plain(snapshot),
            "before": None if before is None else _plain(before),
            "reason": reason,
            "seed": self.seed,
        }
        try:
            _files.write(self.path, content, kind=KIND, format=FORMAT)
        except OSError as error:
            self._warn(error)
        self._mark, self._written = self._look(), monotonic()

    def _warn(self, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"The checkpoint {self.path} could not be written ({error}): training goes on, and "
                "the file, if there is one, holds an earlier epoch.",
                RuntimeWarning,
                stacklevel=2,
            )

    def _look(self) -> tuple[int, ...] | None:
        """Return properties of the file that every write changes; None if there is no file."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _check_identity(self, theirs: Mapping[str, str]) -> None:
        names = [*self.identity, *(name for name in theirs if name not in self.identity)]
        differences = [
            f"{name} was {theirs.get(name, 'unknown')} and is {self.identity.get(name, 'unknown')}"
            for name in names
            if theirs.get(name) != self.identity.get(name)
        ]
        if differences:
            raise ValueError(
                f"The checkpoint {self.path} belongs to another fit: {'; '.join(differences)}. "
                f"{_ADVICE}"
            )


def _check_progress(progress: Progress) -> None:
    """Raise ValueError unless training can go on from there."""
    if progress.reason not in (None, "max_iter", "converged", "diverged"):
        raise ValueError(f"reason is {progress.reason!r}")
    if not (progress.seed is None or (type(progress.seed) is int and 0 <= progress.seed < 2**32)):
        raise ValueError(f"seed is {progress.seed!r}")
    whole = progress.snapshot
    for snapshot in (whole,) if progress.before is None else (whole, progress.before):
        check_weights([whole.theta, snapshot.best_theta, *snapshot.recent])
        check_vectors([whole.theta, *snapshot.optimizer["moments"]])
        check_rng(snapshot.rng)
        types = [type(value) for value in (*vars(snapshot.pace).values(), snapshot.converged)]
        if types != [float, int, bool] or not 0 < snapshot.pace.scale <= 1:
            raise ValueError("pace or converged is something else")
        epochs = [row.epoch for row in snapshot.history]
        if not epochs or epochs != list(range(1, len(epochs) + 1)):
            raise ValueError("history has not one row for each epoch")


def _check_place(path: Path) -> None:
    """Raise OSError unless the file can be written; remove temporary files of killed fits."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "checkpoint must be a file, not a directory", path)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        message = "checkpoint cannot be written: there is no such directory"
        raise FileNotFoundError(errno.ENOENT, message, target.parent)
    try:
        for stray in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
            with suppress(FileNotFoundError):  # gone by now
                if time() - stray.stat().st_mtime > STALE:
                    stray.unlink()
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        message = f"checkpoint cannot be written to this directory: {error.strerror}"
        raise type(error)(error.errno, message, target.parent) from None


def _plain(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as plain values and arrays."""
    return {
        "recent": list(snapshot.recent),
        "optimizer": snapshot.optimizer,
        "rng": dict(snapshot.rng),
        "best_theta": snapshot.best_theta,
        "best": snapshot.best,
        "pace": [snapshot.pace.scale, snapshot.pace.since],
        "converged": snapshot.converged,
        "history": np.array(snapshot.history, np.float64),
    }


def _snapshot(content: dict[str, Any]) -> Snapshot:
    """Return the snapshot that `_plain` made plain values of."""
    rows, (scale, since) = content["history"].tolist(), content["pace"]
    if any(len(row) != len(Epoch._fields) for row in rows):
        raise ValueError("history has other columns")
    return Snapshot(
        recent=tuple(content["recent"]),
        optimizer=content["optimizer"],
        rng=content["rng"],
        best_theta=content["best_theta"],
        best=content["best"],
        pace=Pace(scale, since),
        converged=content["converged"],
        history=tuple(Epoch(int(epoch), *rest) for epoch, *rest in rows),
    )
