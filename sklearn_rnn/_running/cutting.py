"""How many parts a batch of training is cut into, by its size alone.

Parts can be run at the same time, but each has all the time steps, and the shorter the calls of
these steps, the more each call costs. So only large batches are cut.
"""

from __future__ import annotations

# A batch has two parts from 64 sequences on, and more if each has 64. Besides, hidden_size**2 times
# the sequences of a part is at least SIZE_OF_PART. The smaller a part, the more the calls of its
# time steps weigh: one thread takes 1.04 to 1.17 times as long for the two parts of 64 units and 64
# sequences as for the whole, 1.16 to 1.19 times for those of 32 units and 128 sequences, and 1.05
# to 1.07 times for the four parts of 128 units and 256 sequences.
COLUMNS_OF_PART = 64
SIZE_OF_PART = 2**16
MOST_PARTS = 8
# In parts of half this size, two threads wait for Python's lock more than they compute.
SIZE_FOR_THREADS = 2**17


def count_parts(hidden_size: int, n_columns: int) -> int:
    """Return into how many parts a batch of so many sequences is cut."""
    if n_columns < COLUMNS_OF_PART:
        return 1
    by_columns = max(2, n_columns // COLUMNS_OF_PART)
    by_size = hidden_size**2 * n_columns // SIZE_OF_PART
    return max(1, min(MOST_PARTS, by_columns, by_size))


def suits_threads(hidden_size: int, columns_of_part: int) -> bool:
    """Return whether threads gain on parts of so many sequences."""
    return hidden_size**2 * columns_of_part >= SIZE_FOR_THREADS
