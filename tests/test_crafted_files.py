"""Files that somebody has made up: refused in a moment, before memory is used for their claims."""

import io
import json
import os
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, _files
from sklearn_rnn._estimators.stamps import FORMAT
from sklearn_rnn.interop import export_predictor
from sklearn_rnn.persistence import load, save
from tests.helpers import fit_tiny, make_sequences, make_targets, tiny

X = make_sequences()
HEADER = {"kind": "estimator", "format": FORMAT, "version": "0"}


@pytest.fixture(autouse=True)
def no_disk(monkeypatch):
    """Wait for no disk: hundreds of files are written here."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@contextmanager
def little_memory(limit=100e6):
    """Assert that no more bytes than these are in use at any time within."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def refuse(path, message=""):
    with little_memory(), pytest.raises(ValueError, match=message):
        load(path)


def sealed(archive):
    """Give the bytes of an archive the comment and the checksum that our own files have."""
    content = archive[:-2] + struct.pack("<H", 7 + 64) + b"sha256:"
    return content + sha256(content).hexdigest().encode()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_header(shape, descr="<f8"):
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def craft(path, header, entries=(), compression=zipfile.ZIP_STORED):
    """Write an archive with a right checksum, of a header and entries (name, content)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("sklearn_rnn.json", header, zipfile.ZIP_DEFLATED)
        for name, content in entries:
            archive.writestr(name, content, compression)
    path.write_bytes(sealed(file.getvalue()))


def as_json(content):
    return json.dumps({**HEADER, "content": content})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def content_of(estimator, path):
    save(estimator, path)
    return _files.read(path, kind="estimator", newest=FORMAT)[0]


# --- Bombs ----------------------------------------------------------------------------------------


def test_what_is_crafted_by_the_rules_is_read(path):
    craft(path, as_json({"array": "a"}), [("a.npy", npy(np.arange(3)))])
    assert _files.read(path, kind="estimator", newest=9)[0].tolist() == [0, 1, 2]


def test_a_header_that_unpacks_to_gigabytes(path):
    craft(path, b" " * 100_000_000)
    refuse(path, "its first entry is 'sklearn_rnn.json' of 100000000 bytes")


def test_a_header_that_lies_about_its_size(path):
    """Its size is that of what it unpacks to, says the directory; the stream does not."""
    craft(path, b" " * 100_000_000)
    content = path.read_bytes()[: -_files._COMMENT]
    lie = content.replace(struct.pack("<L", 100_000_000), struct.pack("<L", 1000))
    path.write_bytes(sealed(lie))
    refuse(path, "no whole file")


@pytest.mark.parametrize("junk", ["[],", "{},", "0,", '{"tuple":[]},'])
def test_a_header_of_many_values(path, junk):
    craft(path, as_json(None)[:-5] + "[" + junk * 1_000_000 + "0]}")
    refuse(path, "more than 524288 values")


@pytest.mark.parametrize("depth", [5_000, 200_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"tuple":[', "]}"), ('{"a":', "}")])
def test_a_deep_header(path, depth, brackets):
    begin, end = brackets
    craft(path, as_json(None)[:-5] + begin * depth + "0" + end * depth + "}")
    refuse(path, "no whole file")


def test_an_array_that_is_compressed(path):
    """None of ours is: a million zeros would be a thousand bytes."""
    entries = [("a.npy", npy(np.zeros(10_000_000)))]
    craft(path, as_json({"array": "a"}), entries, zipfile.ZIP_DEFLATED)
    refuse(path, "'a.npy' is no stored array")


@pytest.mark.parametrize(
    ("shape", "descr"),
    [
        ((10**12,), "<f8"),
        ((10**6, 10**6), "|u1"),
        ((2**62, 4), "<f8"),
        ((0, 2**62, 2**62), "<f8"),
        ((10**12,), "|V0"),
        ((10**9,), "<U0"),
        ((-1, -8), "|u1"),
        ((-1,), "|u1"),
        ((1,), "<U268435456"),
        ((1,), [("a", "<f8", (10**8,))]),
    ],
)
def test_an_array_that_claims_another_size(path, shape, descr):
    craft(path, as_json({"array": "a"}), [("a.npy", npy_header(shape, descr) + bytes(8))])
    refuse(path, r"no whole file of sklearn_rnn: .*array")


def test_entries_to_which_nothing_refers(path):
    entries = [("a.npy", npy(np.arange(3))), ("b.npy", npy(np.arange(3)))]
    craft(path, as_json({"array": "a"}), entries)
    refuse(path, "nothing refers to 'b'")


def test_two_values_of_one_array(path):
    craft(path, as_json([{"array": "a"}] * 2), [("a.npy", npy(np.zeros(3)))])
    refuse(path, "KeyError")


def test_a_directory_of_a_million_entries(path):
    craft(path, as_json(None), [(f"{k}.npy", b"") for k in range(45_000)])
    refuse(path, "it has too many arrays, or too long names: a directory of .* bytes")


def test_entries_that_overlap(path):
    """Many entries of one place: the file would be read a thousand times over."""
    craft(path, as_json(None), [(f"{k:04}.npy", bytes(100_000 * (k == 0))) for k in range(999)])
    content = bytearray(path.read_bytes()[: -_files._COMMENT])
    begin = content.index(b"PK\x01\x02")
    first = begin + 46 + len("sklearn_rnn.json")
    place = first
    while content[place : place + 4] == b"PK\x01\x02":  # as the first array is, so are all
        content[place + 16 : place + 28] = content[first + 16 : first + 28]
        content[place + 42 : place + 46] = content[first + 42 : first + 46]
        place += 46 + 8
    path.write_bytes(sealed(bytes(content)))
    refuse(path, "its entries overlap")


def test_a_hole_of_a_terabyte(path):
    craft(path, as_json(None))
    content = path.read_bytes()
    with open(path, "wb") as file:
        file.seek(2**40)
        file.write(content)
    refuse(path, "model.npz is damaged: it has no directory")


def test_more_than_can_be_read_is_not_written(path):
    with pytest.raises(
        ValueError, match=r"not written, because it could not be read again.*values"
    ):
        _files.write(path, [0] * 600_000, kind="a", format=1)
    scalars = [np.float64(0)] * 45_000
    with pytest.raises(ValueError, match=r"not written, because .* too many arrays"):
        _files.write(path, scalars, kind="a", format=1)
    assert not path.exists()


# --- Formats and places ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [-1, 0, True, 1.0, "3", None, [1], 10**30])
def test_formats_that_no_release_has_written(path, number):
    craft(path, json.dumps({**HEADER, "format": number, "content": None}))
    refuse(path, "has the format|in format 10{30}")


def test_format_1_of_what_is_no_content_of_format_1(path):
    content = content_of(fit_tiny(GRUClassifier), path)
    _files.write(path, content, kind="estimator", format=1)
    refuse(path, "contradicts itself")


@pytest.mark.skipif(os.name == "nt", reason="FIFOs and devices are those of POSIX")
@pytest.mark.parametrize("kind", ["fifo", "device", "endless device"])
def test_only_regular_files_are_read_and_replaced(path, kind):
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null" if kind == "device" else "/dev/zero")
    what = "is a FIFO" if kind == "fifo" else "is a device"
    before = os.stat(path).st_mode
    refuse(path, f"model.npz {what}: expected a regular file")
    with pytest.raises(ValueError, match=f"model.npz {what}: expected a regular file"):
        save(GRUClassifier(), path)
    with pytest.raises(ValueError, match=what):
        tiny(GRUClassifier, checkpoint=path).fit(X, make_targets(GRUClassifier()))
    assert os.stat(path).st_mode == before
    assert os.listdir(path.parent) == [path.name]


def test_export_replaces_regular_files_only(tmp_path):
    path = tmp_path / "model.py"
    path.symlink_to("/dev/null")
    with pytest.raises(ValueError, match=r"model.py is a device: expected a regular file"):
        export_predictor(fit_tiny(GRUClassifier), path)


def test_directories_and_links_to_themselves(tmp_path):
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(OSError, match=r"."):
        save(GRUClassifier(), tmp_path)
    loop = tmp_path / "loop.npz"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        load(loop)
    with pytest.raises(ValueError, match=r"loop.npz is a link to itself"):
        save(GRUClassifier(), loop)
    assert loop.is_symlink()


# --- Models that contradict themselves ------------------------------------------------------------

TOKENS = ["abc", "ba", "a", "cab"] * 3


def deep(place, value):
    """Make a change of what is at this place in a content."""

    def change(content):
        for key in place[:-1]:
            content = content[key]
        if value is MISSING:
            del content[place[-1]]
        else:
            content[place[-1]] = value

    return change


MISSING = object()
learned = partial(lambda *place, to: deep(("learned", *place), to))
architecture = partial(lambda name, to: deep(("learned", "_architecture_", name), to))
MODELS = {
    "classifier": lambda: fit_tiny(GRUClassifier, warm_start=True),
    "binary": lambda: fit_tiny(LSTMClassifier, y=["a", "b"] * 6),
    "regressor": lambda: tiny(GRURegressor, loss="quantile", quantiles=[0.1, 0.9]).fit(
        X, make_targets(GRURegressor()), X_val=X, y_val=make_targets(GRURegressor())
    ),
    "tokens": lambda: fit_tiny(GRUClassifier, TOKENS, embedding_size=2),
}
NAMES = {
    "classifier": "classes_ _target_kind_ _resume_",
    "binary": "classes_ _target_kind_",
    "regressor": "_y_mean_ _y_scale_ _calibration_",
    "tokens": "vocabulary_",
}
EVERYWHERE = [
    *("_architecture_", "_theta_", "_input_kind_", "n_features_in_", "n_timesteps_in_"),
    *("n_outputs_", "out_activation_", "history_", "n_iter_", "stop_reason_", "t_"),
    *("loss_", "best_loss_", "best_validation_score_"),
]
OPTIONAL = {"_resume_", "_calibration_"}
STRANGE = [
    *(-1, 0, True, 10**400, 0.5, float("nan"), "text", b"", None, [], [1], {}, (), (1, 2)),
    *(np.array(3), np.zeros(3), np.zeros((2, 2)), np.array([np.nan]), np.array(["a"])),
    np.array([None, "a"], dtype=object),
]
# What a name may be beside what it is, so that only the other strange values are refused.
ALLOWED = {
    "n_timesteps_in_": {"None"},
    "best_loss_": {"0.5", "nan", "None"},
    "best_validation_score_": {"0.5", "nan", "None"},
    "loss_": {"0.5", "nan"},
    "stop_reason_": {"'text'", "None"},
    "t_": {"0"},
}


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.npz"
    return {how: content_of(MODELS[how](), path) for how in MODELS}


def changed(content, change):
    content = {**content}
    for part in ("parameters", "learned"):
        content[part] = dict(content[part])
    for name in ("_architecture_", "history_", "_resume_"):
        if name in content["learned"]:
            content["learned"][name] = dict(content["learned"][name])
    change(content)
    return content


@pytest.mark.parametrize("how", MODELS)
def test_any_attribute_that_is_something_else(contents, how, path):
    names = EVERYWHERE + NAMES[how].split()
    refused = 0
    for name in names:
        for value in [*STRANGE, *([] if name in OPTIONAL else [MISSING])]:
            if repr(value) in ALLOWED.get(name, ()):
                continue
            new = changed(contents[how], learned(name, to=value))
            _files.write(path, new, kind="estimator", format=FORMAT)
            with pytest.raises(ValueError, match=r"contradicts itself"):
                load(path)
            refused += 1
    assert refused > 250


@pytest.mark.parametrize("how", MODELS)
def test_any_part_of_the_architecture_that_is_something_else(contents, how, path):
    for name, before in contents[how]["learned"]["_architecture_"].items():
        harmless = {"init", "huber_delta", "forget_bias"}
        for value in [*STRANGE, MISSING]:
            if value is before or name in harmless or (name, repr(value)) == ("head_sizes", "()"):
                continue
            if isinstance(before, bool) and isinstance(value, int):
                continue
            new = changed(contents[how], architecture(name, value))
            _files.write(path, new, kind="estimator", format=FORMAT)
            if name in ("hidden_size", "num_layers") and value is MISSING:
                continue
            with pytest.raises(ValueError, match=r"contradicts itself"):
                load(path)


@pytest.mark.parametrize(
    ("how", "change"),
    [
        ("classifier", learned("_theta_", to=np.zeros(3))),
        ("classifier", learned("_architecture_", to=["hidden_size"])),
        ("classifier", architecture("num_layers", 10**6)),
        ("classifier", architecture("num_layers", 10**30)),
        ("classifier", architecture("hidden_size", 10**9)),
        ("classifier", architecture("hidden_size", -1)),
        ("classifier", architecture("head_sizes", (10**9,) * 1000)),
        ("classifier", architecture("bidirectional", True)),
        ("classifier", architecture("input_size", 3)),
        ("classifier", architecture("embedding_size", 2)),
        ("classifier", deep(("parameters", "hidden_size"), -1)),
        ("classifier", deep(("parameters", "alpha"), "large")),
        ("classifier", learned("classes_", to=np.array(["ash", "oak", "elm"]))),
        ("classifier", learned("classes_", to=np.array(["ash", "oak", "oak"]))),
        ("classifier", learned("classes_", to=np.array(["ash", "elm"]))),
        ("classifier", learned("classes_", to=np.array(["ash", "elm", "fir", "oak"]))),
        ("classifier", learned("_target_kind_", to="binary")),
        ("classifier", learned("n_outputs_", to=2)),
        ("classifier", learned("n_features_in_", to=3)),
        ("classifier", learned("_input_kind_", to="flat")),
        ("classifier", learned("feature_names_in_", to=np.array(["a"], dtype=object))),
        ("classifier", learned("feature_names_in_", to=np.array(["a", 1], dtype=object))),
        ("classifier", learned("vocabulary_", to=np.array(["a"]))),
        ("classifier", learned("_resume_", "rng", to={"bit_generator": "PCG64"})),
        ("classifier", learned("_resume_", "solver", to="sgd")),
        ("classifier", learned("_resume_", "solver", to="magic")),
        ("classifier", learned("_resume_", "optimizer", to={"t": 1, "moments": []})),
        ("classifier", learned("_resume_", "optimizer", to={"t": 1, "moments": [np.zeros(1)] * 2})),
        ("classifier", learned("_resume_", "recent", to=[np.zeros(1)])),
        ("classifier", learned("_sklearn_output_config", to={"transform": "cloud"})),
        ("classifier", learned("surprise_", to=1)),
        ("classifier", learned(3, to=1)),
        ("classifier", deep(("parameters", 3), 1)),
        ("binary", learned("_target_kind_", to="multiclass")),
        ("binary", learned("classes_", to=np.array(["a"]))),
        ("binary", learned("_y_scale_", to=np.array([1.0]))),
        ("regressor", learned("_y_scale_", to=np.array([0.0]))),
        ("regressor", learned("_y_scale_", to=np.array([-1.0]))),
        ("regressor", learned("_y_mean_", to=np.zeros(2))),
        ("regressor", learned("_calibration_", to=np.zeros((12, 1, 1)))),
        ("regressor", learned("_calibration_", to=np.full((12, 1, 2), np.nan))),
        ("regressor", learned("_calibration_", to=np.zeros((1001, 1, 2)))),
        ("regressor", architecture("quantiles", (0.1,))),
        ("regressor", architecture("loss", "squared_error")),
        ("tokens", learned("vocabulary_", to=np.array(["a", "c", "b"]))),
        ("tokens", learned("vocabulary_", to=np.array(["a", "b", "b"]))),
        ("tokens", learned("vocabulary_", to=np.array(["a", "b"]))),
        ("tokens", learned("vocabulary_", to=np.array([], "U1"))),
    ],
)
def test_a_model_that_contradicts_itself(contents, how, change, path):
    _files.write(path, changed(contents[how], change), kind="estimator", format=FORMAT)
    refuse(path, r"model.npz holds a (GRU|LSTM)\w+ (that contradicts itself|with )")


def test_arrays_of_the_other_byte_order(contents, path):
    theta = contents["binary"]["learned"]["_theta_"]
    new = changed(contents["binary"], learned("_theta_", to=theta.astype(">f8")))
    _files.write(path, new, kind="estimator", format=FORMAT)
    assert load(path)._theta_.dtype == np.float64
    np.testing.assert_array_equal(load(path)._theta_, theta)


# --- Checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("seed",), -1),
        (("seed",), "0"),
        (("reason",), "magic"),
        (("now", "recent"), []),
        (("now", "recent"), [np.zeros(1)]),
        (("now", "recent"), [np.zeros((2, 2))]),
        (("now", "best_theta"), np.zeros(1)),
        (("now", "best_theta"), np.full(103, np.nan)),
        (("now", "optimizer"), {"t": 3, "moments": []}),
        (("now", "optimizer"), {"t": 3, "moments": [np.zeros(1)] * 2}),
        (("now", "optimizer"), {"t": -3, "moments": [np.zeros(103)] * 2}),
        (("now", "rng"), {}),
        (("now", "rng"), [1]),
        (("now", "pace"), [0.0, 1]),
        (("now", "pace"), [float("nan"), 1]),
        (("now", "pace"), [1.0]),
        (("now", "converged"), 1),
        (("now", "history"), np.zeros((0, 7))),
        (("now", "history"), np.zeros((3, 7))),
        (("now", "history"), np.ones((1, 3))),
        (("now", "history"), np.array(1.0)),
        (("identity",), ["a"]),
    ],
)
def test_a_checkpoint_that_contradicts_itself(path, place, value):
    y = make_targets(GRUClassifier())
    model = tiny(GRUClassifier, checkpoint=path).fit(X, y)
    content, _ = _files.read(path, kind="checkpoint", newest=1)
    deep(place, value)(content)
    _files.write(path, content, kind="checkpoint", format=1)
    with little_memory(), pytest.raises(ValueError, match=r"holds no training|optimizer"):
        model.fit(X, y)


def test_a_checkpoint_of_one_weight_alone(path):
    """NumPy would give all weights of the network its value."""
    y = make_targets(GRUClassifier())
    model = tiny(GRUClassifier, checkpoint=path).fit(X, y)
    content, _ = _files.read(path, kind="checkpoint", newest=1)
    one = np.zeros(1)
    optimizer = {"t": 3, "moments": [one, one.copy()]}
    content["now"] |= {"recent": [one.copy()], "best_theta": one.copy(), "optimizer": optimizer}
    content["reason"] = None
    _files.write(path, content, kind="checkpoint", format=1)
    with pytest.raises(ValueError, match="different sizes"):
        model.fit(X, y)


# --- Damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("resealed", [False, True])
def test_files_with_changes_anywhere(contents, path, resealed):
    """With the old checksum all are refused; with a right one they load or are refused."""
    _files.write(path, contents["tokens"], kind="estimator", format=FORMAT)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    with little_memory():
        for _ in range(300):
            new = bytearray(content[: -_files._COMMENT])
            for _ in range(rng.integers(1, 4)):
                new[rng.integers(len(new))] = rng.integers(256)
            if rng.random() < 0.2:
                begin = rng.integers(len(new))
                del new[begin : begin + rng.integers(50)]
            same = bytes(new) == content[: -_files._COMMENT]
            path.write_bytes(
                sealed(bytes(new)) if resealed else bytes(new) + content[-_files._COMMENT :]
            )
            try:
                load(path)
            except ValueError:
                continue
            assert resealed or same
