"""Data sets: some come with the package, others are generated."""

from sklearn_rnn.datasets._digits import SequentialDigits, load_sequential_digits
from sklearn_rnn.datasets._japanese_vowels import JapaneseVowels, load_japanese_vowels
from sklearn_rnn.datasets._synthetic import (
    make_adding_problem,
    make_copy_memory,
    make_parity,
    make_temporal_order,
)

__all__ = [
    "JapaneseVowels",
    "SequentialDigits",
    "load_japanese_vowels",
    "load_sequential_digits",
    "make_adding_problem",
    "make_copy_memory",
    "make_parity",
    "make_temporal_order",
]
