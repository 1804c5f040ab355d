"""Schedules of the learning rate during training.

Letters: epoch is the number of whole epochs before, n_epochs the largest number of epochs, t the
number of the update, from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

# One cycle: the part of the epochs in which the rate rises, and the first and the last rate as
# parts of the largest one.
RISE, START, END = 0.3, 1 / 25, 1e-4


@dataclass(frozen=True)
class Schedule:
    """The learning rate of each update.

    Parameters
    ----------
    name : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}
        - constant, adaptive: `initial`. For adaptive, see also stopping.py.
        - invscaling: initial / t^power_t (Robbins and Monro 1951 for powers above 1/2).
        - cosine: half a cosine from `initial` to 0 (Loshchilov and Hutter 2017).
        - one_cycle: up from initial / 25 in the first 30 % of the epochs, down to initial / 10000
          in the others, both by half a cosine (Smith and Topin 2019).
    initial : float
        For one_cycle, the largest rate.
    n_epochs : int
        Epochs until cosine and one_cycle end.
    power_t : float
    """

    name: str
    initial: float
    n_epochs: int
    power_t: float = 0.5

    def rate(self, epoch: int, t: int) -> float:
        """Return the learning rate of update t, in this epoch."""
        if self.name == "invscaling":
            return float(self.initial / t**self.power_t)
        progress = epoch / self.n_epochs
        if self.name == "cosine":
            return self.initial * _half_cosine(progress)
        if self.name == "one_cycle":
            if progress < RISE:
                share = START + (1 - START) * (1 - _half_cosine(progress / RISE))
            else:
                share = END + (1 - END) * _half_cosine((progress - RISE) / (1 - RISE))
            return self.initial * share
        return self.initial


def _half_cosine(progress: float) -> float:
    """Return half a cosine, which falls from 1 to 0 while progress goes from 0 to 1."""
    return (1 + cos(pi * progress)) / 2
