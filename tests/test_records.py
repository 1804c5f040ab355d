"""Records: what functions return several values in."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass

import numpy as np
import pytest

from sklearn_rnn import SequenceArray, make_windows
from sklearn_rnn._records import Record
from sklearn_rnn.datasets import load_japanese_vowels


@dataclass(frozen=True, eq=False, repr=False)
class Example(Record):
    X: SequenceArray
    y: np.ndarray
    names: list
    DESCR: str
    by_layer: dict


def make_example():
    X = SequenceArray.from_sequences([np.zeros((2, 3)), np.ones((4, 3))])
    names = [f"feature_{i}" for i in range(100)]
    return Example(X, np.arange(2), names, "line\n" * 1000, {"l0": np.zeros((2, 3), np.float32)})


def test_fields_by_attribute_and_by_key():
    record = make_example()
    assert record["y"] is record.y
    assert list(record) == list(record.keys()) == ["X", "y", "names", "DESCR", "by_layer"]
    assert len(record) == 5
    assert record.get("missing", 3) == 3
    assert dict(record)["X"] is record.X
    assert {**record}["names"] is record.names
    assert "y" in record
    assert "keys" not in record  # an attribute, but no field


def test_a_wrong_key_is_named_with_the_right_ones():
    with pytest.raises(KeyError, match=r"'Y' is not a field of Example: X, y, names"):
        make_example()["Y"]


def test_a_field_cannot_be_replaced():
    with pytest.raises(FrozenInstanceError):
        make_example().y = np.zeros(2)


def test_representation_is_one_line_with_shapes():
    text = repr(make_example())
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith(
        "Example(X=SequenceArray(2 sequences of 2 to 4 steps, 3 features, float64), y=int64[2], "
        "names=['feature_0', "
    )
    assert "by_layer={'l0': float32[2, 3]}" in text


def test_representation_of_what_functions_return():
    assert repr(make_windows(np.arange(9.0), window=3, horizon=2)) == (
        "Windows(X=float64[5, 3, 1], y=float64[5, 2], groups=int64[5], starts=int64[5], gap=1)"
    )
    assert len(repr(load_japanese_vowels()).splitlines()) == 1


def test_equal_only_to_itself():
    record = make_example()
    assert record == record
    assert record != make_example()
    assert len({record, record}) == 1


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(again):
    data = make_windows(np.arange(9.0), window=3)
    copied = again(data)
    assert type(copied) is type(data)
    for name in data:
        np.testing.assert_array_equal(copied[name], data[name])
