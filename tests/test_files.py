"""Files of plain values: they come back as they were, or not at all, and never half-written."""

import errno
import json
import os
import pickle
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sklearn_rnn import _files

ROOT = Path(__file__).parents[1]
PLAIN = {
    "none": None,
    "numbers": [True, 1, -(2**200), 0.1, float("nan"), float("inf")],
    "text": "a\0\udcffé\n",
    "bytes": b"\x00\xff\x00",
    "tuple": (1, (2, [3, ()]), {}),
    "dict": {0: "zero", "0": np.arange(2), (1, "a"): {"tuple": [1]}},
    "scalars": [np.float32(0.1), np.int8(3), np.bool_(True), np.str_("x"), np.datetime64("2020")],
    "arrays": [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.eye(3, 2, dtype=np.float32)),
        np.empty((0, 3), np.int16),
        np.array(5),
        np.array(["ash", "öl"]),
        np.array([b"ab", b"c"]),
        np.array([True, False]),
        np.array(["2020-01-01"], "M8[ns]"),
        np.arange(10)[::-3],
    ],
    "objects": [
        np.array(["ash", None, 1, (2, 3)], dtype=object),
        np.array([["a", "b"]], dtype=object),
    ],
}


def write(path, content, kind="thing", number=1):
    _files.write(path, content, kind=kind, format=number)


def read(path, kind="thing", newest=1):
    return _files.read(path, kind=kind, newest=newest)[0]


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.flags.c_contiguous or one.flags.f_contiguous == other.flags.f_contiguous
        assert_same(one.tolist(), other.tolist())
    else:
        assert one == other or (one != one and other != other)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.npz"


def test_plain_values_come_back(path):
    write(path, PLAIN)
    assert_same(read(path), PLAIN)


def test_a_memory_mapped_array_comes_back_as_an_array(path, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    write(path, np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert_same(read(path), np.arange(3))


def test_equal_contents_make_equal_files(path):
    write(path, PLAIN)
    before = path.read_bytes()
    write(path, PLAIN)
    assert path.read_bytes() == before


def test_numpy_and_json_read_it(path):
    write(path, {"a": {"b": np.arange(3), "c": [np.eye(2)]}})
    with np.load(path) as file:
        assert file.files == ["sklearn_rnn.json", "a/b", "a/c/0"]
        np.testing.assert_array_equal(file["a/c/0"], np.eye(2))
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("sklearn_rnn.json"))
    assert header["kind"] == "thing"
    assert header["version"] == _files.__version__


def test_the_format_is_told(path):
    write(path, 1, number=3)
    assert _files.read(path, kind="thing", newest=4) == (1, 3)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.random.RandomState(0), "a.1 is a RandomState"),
        (len, "a.1 is a builtin_function_or_method"),
        (np.ma.array([1]), "a.1 is a MaskedArray"),
        ({1, 2}, "a.1 is a set"),
        (np.array([1, object()], dtype=object), "a.1.1 is a object"),
        (np.zeros(1, [("x", object)]), r"a.1 is an array of dtype \[\('x', 'O'\)\]"),
    ],
)
def test_what_is_not_plain_is_refused_by_its_place(path, value, message):
    write(path, "before")
    with pytest.raises(TypeError, match=message):
        write(path, {"a": [0, value]})
    assert read(path) == "before"


# --- Damage ---------------------------------------------------------------------------------------


def test_every_truncation_is_seen(path):
    write(path, {"a": np.arange(3), "b": "text"})
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"thing.npz (is damaged|was not written)"):
            read(path)


def test_every_flipped_bit_is_seen(path):
    write(path, {"a": np.arange(3), "b": "text"})
    content = path.read_bytes()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"thing.npz (is damaged|was not written)"):
            read(path)


def test_a_damaged_file_is_told_from_a_foreign_one(path):
    write(path, 1)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match="it was cut off or changed"):
        read(path)


def make_foreign(path, kind):
    if kind == "npz":
        np.savez(path, a=np.arange(3))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "text")
    elif kind == "text":
        path.write_text("text")
    elif kind == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(pickle.dumps([Bomb()]))


class Bomb:
    """What must never be unpickled."""

    def __reduce__(self):
        return os.abort, ()


@pytest.mark.parametrize("kind", ["npz", "zip", "text", "empty", "pickle"])
def test_foreign_files_are_refused(path, kind):
    make_foreign(path, kind)
    with pytest.raises(ValueError, match=r"thing.npz was not written by sklearn_rnn"):
        read(path)


def test_pickled_objects_are_never_loaded(path, monkeypatch):
    """Even behind a right checksum."""
    bomb = np.array([Bomb()], dtype=object)
    real = np.save
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", lambda file, _, allow_pickle: real(file, bomb, allow_pickle=True))
        write(path, np.arange(3))
    with pytest.raises(ValueError, match=r"no whole file of sklearn_rnn.*allow_pickle"):
        read(path)


@pytest.mark.parametrize(
    "content", [{}, {"array": "missing"}, {"call": "os.abort"}, {"dict": [1]}, {"bytes": 3}]
)
def test_a_wrong_content_behind_a_right_checksum(path, content):
    header = {"kind": "thing", "format": 1, "version": "0", "content": content}
    path.write_bytes(_files._pack(json.dumps(header), {}))
    with pytest.raises(ValueError, match="no whole file of sklearn_rnn"):
        read(path)


def test_other_kinds_and_newer_formats_are_refused(path):
    write(path, 1, kind="other", number=2)
    with pytest.raises(ValueError, match="its kind is 'other', and 'thing' is expected"):
        read(path)
    with pytest.raises(ValueError, match=r"in format 2, and this release, .*, reads formats up to"):
        read(path, kind="other")


def test_a_missing_file(path):
    with pytest.raises(FileNotFoundError):
        read(path)


# --- Writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(path, monkeypatch, at):
    write(path, "before")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*({"write": (_files, "_pack")}.get(at, (os, at))), full)
        with pytest.raises(OSError, match="No space"):
            write(path, "after")
    assert read(path) == "before"
    assert os.listdir(path.parent) == [path.name]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(path):
    write(path, "before")

    def write_half():
        with _files.replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert read(path) == "before"
    assert os.listdir(path.parent) == [path.name]


def test_the_disk_has_it_before_the_name_does(path, monkeypatch):
    """The file is synchronised, then renamed, then its directory is synchronised."""
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *a: (calls.append("replace"), replace(*a)))
    write(path, 1)
    assert calls == (["fsync", "replace"] if os.name == "nt" else ["fsync", "replace", "fsync"])


def test_writers_at_the_same_time_never_tear_a_file(path):
    write(path, [0, np.zeros(50)])

    def write_often(k):
        for _ in range(30):
            write(path, [k, np.full(50, float(k))])
            number, array = read(path)
            assert array.tolist() == [number] * 50

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(write_often, range(4)))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.slow
def test_a_writer_that_is_killed_never_tears_a_file(path):
    """Killed at any moment, between or in the middle of writes of some 4 MB."""
    code = (
        "import sys, numpy as np\n"
        "from sklearn_rnn import _files\n"
        "for k in range(10**6):\n"
        "    content = [k, np.full(500_000, float(k))]\n"
        "    _files.write(sys.argv[1], content, kind='thing', format=1)\n"
        "    print(k, flush=True)\n"
    )
    for pause in (0.0, 0.003, 0.011, 0.037):
        command = [sys.executable, "-c", code, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            written = int(process.stdout.readline())
            time.sleep(pause)
            process.kill()
            written = max([written, *map(int, process.stdout.read().split())])
        number, array = read(path)
        assert number in (written, written + 1)
        assert (array == number).all()


@pytest.mark.skipif(os.name == "nt", reason="links and modes are those of POSIX")
def test_links_are_followed_and_modes_are_those_of_open(path, tmp_path):
    target = tmp_path / "target.npz"
    write(target, 1)
    path.symlink_to(target)
    write(path, 2)
    assert path.is_symlink()
    assert read(target) == 2
    (tmp_path / "plain").write_bytes(b"")
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode
