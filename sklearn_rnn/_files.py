"""Files of plain values and arrays: checked when read, written completely or not at all.

A file is an .npz, which `numpy.load` reads, too: an entry for each array, before them
"sklearn_rnn.json", which says what they mean, and as the comment of the archive a checksum of every
byte before it. Nothing in it is ever executed.

A file may come from anybody, so that all which it claims is compared with its own size before
memory is allocated for it: arrays are stored without compression, and the limits below bound the
rest.

Plain are None, bool, int, float, str, bytes, NumPy's scalars and arrays (those of objects if they
hold plain values), and lists, tuples and dicts of plain values.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import secrets
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from sklearn_rnn._version import __version__

Array = npt.NDArray[Any]

_HEADER = "sklearn_rnn.json"
_MARK = b"sha256:"
_DIGEST = 64  # hexadecimal digits
_COMMENT = len(_MARK) + _DIGEST

# No more than this is written or read: values of the header, its bytes, and the bytes of the
# archive's directory. The Python objects that are made of them need less than 100 MB.
MOST_VALUES, MOST_TEXT, MOST_DIRECTORY = 2**19, 2**24, 2**21
_LONGEST_PART = 60  # characters of a dict's key in the name of an array
# The last record of a ZIP archive, and the two before it in an archive of 4 GB or more.
_END, _END_64, _LOCATOR_64 = "<4s4H2LH", "<4sQ2H2L4Q", "<4sLQL"

# ---- one file ----


def write(path: str | os.PathLike[str], content: Any, *, kind: str, format: int) -> None:
    """Write plain values and arrays to a file; on failure, leave the old file as it is.

    Parameters
    ----------
    path : path-like
        Replaced if it exists.
    content : plain value
    kind : str
        What the file is, for example "estimator": `read` compares it.
    format : int
        Number of the arrangement of `content`, for readers of later releases.

    Raises
    ------
    TypeError
        If something in `content` is not plain; it names where. Nothing is written then.
    ValueError
        If `content` has more values than `read` would read, or `path` is no regular file.
    OSError
        If the file cannot be written. What was at `path` is still there.
    """
    arrays: dict[str, Array] = {}
    header = {"kind": kind, "format": format, "version": __version__}
    text = json.dumps({**header, "content": _encode(content, arrays, ())}, indent=1)
    packed = _pack(text, arrays)
    try:
        _check_text(text.encode())
        _check_end(io.BytesIO(packed), len(packed))
    except ValueError as error:
        raise ValueError(
            f"{path} is not written, because it could not be read again: {error}"
        ) from None
    with replacing(path) as file:
        file.write(packed)


def read(path: str | os.PathLike[str], *, kind: str, newest: int) -> tuple[Any, int]:
    """Return the content of a file that `write` wrote, and its format.

    Parameters
    ----------
    path : path-like
    kind : str
        What the file must be.
    newest : int
        The newest format that the caller understands.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, of somebody else, of another kind, or of a newer format.
    """
    with _open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        _check_ends(path, file, size)
        with _as_damage(path, "is damaged"):
            archive = _open_archive(file, size)
        _check_sum(path, file, size)
        with _as_damage(path):
            header = _read_header(archive)
        number = _check_header(path, header, kind, newest)
        with _as_damage(path):
            arrays = _read_arrays(archive)
            content = _decode(header["content"], arrays)
            if arrays:
                raise ValueError(f"nothing refers to {min(arrays)!r}")
    return content, number


def _check_header(path: Any, header: dict[str, Any], kind: str, newest: int) -> int:
    """Return the number of the format; raise ValueError if this reader cannot read such a file."""
    if header.get("kind") != kind:
        raise ValueError(
            f"{path} is a file of sklearn_rnn, but its kind is {header.get('kind')!r}, and "
            f"{kind!r} is expected."
        )
    number = header.get("format")
    if type(number) is not int or number < 1:
        raise ValueError(
            f"{path} has the format {number!r}, which no release of sklearn_rnn has written: "
            "expected an integer of at least 1. Use another copy."
        )
    if number > newest:
        raise ValueError(
            f"{path} was written by sklearn_rnn {header.get('version')} in format {number}, and "
            f"this release, {__version__}, reads formats up to {newest}: load it with that "
            "release or a later one."
        )
    return number


def _open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to read; raise ValueError for a FIFO, which may block, or an endless device."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(os.fspath(path), flags)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        _check_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check_regular(path: Any, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kinds = {
            "is a FIFO": stat.S_ISFIFO,
            "is a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
            "is a socket": stat.S_ISSOCK,
            "is a link to itself": stat.S_ISLNK,
        }
        what = next((k for k, holds in kinds.items() if holds(status.st_mode)), "is something else")
        raise ValueError(f"{path} {what}: expected a regular file. Give another path.")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[io.BufferedWriter]:
    """Open a binary file that takes the place of `path` at once, when all is on the disk.

    It lies in the same directory until then, and is removed if anything goes wrong. Raises
    ValueError if there is something at `path` that is no regular file, for example a device.
    """
    target = Path(os.path.realpath(path))  # what a link points to, not the link
    if os.path.lexists(target) and not target.is_dir():
        _check_regular(path, os.lstat(target))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    if os.name == "nt":  # where a directory cannot be opened
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---- its bytes ----


def _pack(header: str, arrays: dict[str, Array]) -> bytes:
    """Return the archive. Equal contents make equal bytes: entries carry no date."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr(ZipInfo(_HEADER), header, ZIP_DEFLATED)
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.save(entry, array, allow_pickle=False)
        archive.comment = _MARK + b"0" * _DIGEST
    content = buffer.getvalue()[:-_DIGEST]
    return content + sha256(content).hexdigest().encode()


def _check_ends(path: Any, file: BinaryIO, size: int) -> None:
    """Raise ValueError unless the file ends in a checksum."""
    file.seek(max(0, size - _COMMENT))
    if not file.read(_COMMENT).startswith(_MARK):
        file.seek(0)
        if _HEADER.encode() in file.read(100):
            raise ValueError(f"{path} is damaged: it was cut off or changed. Use another copy.")
        raise ValueError(f"{path} was not written by sklearn_rnn, or has lost its ends.")


def _check_sum(path: Any, file: BinaryIO, size: int) -> None:
    """Raise ValueError unless the checksum is that of all bytes before it."""
    file.seek(0)
    digest, left = sha256(), size - _DIGEST
    while part := file.read(min(left, 2**20)):
        digest.update(part)
        left -= len(part)
    if file.read(_DIGEST) != digest.hexdigest().encode():
        raise ValueError(
            f"{path} is damaged: its checksum is not that of its bytes. Use another copy."
        )


def _open_archive(file: BinaryIO, size: int) -> ZipFile:
    """Open the archive; raise ValueError if it claims more bytes than the file has."""
    _check_end(file, size)
    archive = ZipFile(file)
    first, *arrays = archive.infolist()
    if first.filename != _HEADER or first.file_size > MOST_TEXT:
        raise ValueError(f"its first entry is {first.filename!r} of {first.file_size} bytes")
    claimed = first.compress_size
    for entry in arrays:
        claimed += entry.compress_size
        stored = entry.compress_type == ZIP_STORED and entry.compress_size == entry.file_size
        if not (stored and entry.filename.endswith(".npy")):
            raise ValueError(f"its entry {entry.filename!r} is no stored array")
    inside = all(0 <= entry.header_offset < size for entry in (first, *arrays))
    if not inside or claimed > size or len(archive.namelist()) != len(archive.NameToInfo):
        raise ValueError("its entries overlap")
    return archive


def _check_end(file: BinaryIO, size: int) -> None:
    """Raise ValueError unless the directory lies before the end of the archive, and is small.

    ZipFile would read a directory of any size, and one that is somewhere else, too.
    """
    end = size - _COMMENT - struct.calcsize(_END)
    mark, _, _, _, _, length, begin, comment = _record(file, end, _END)
    if 0xFFFFFFFF in (length, begin):
        locator, _, end, _ = _record(file, end - struct.calcsize(_LOCATOR_64), _LOCATOR_64)
        *_, length, begin = _record(file, end, _END_64)
        if locator != b"PK\x06\x07":
            raise ValueError("it has no directory")
    if mark != b"PK\x05\x06" or comment != _COMMENT or begin + length != end:
        raise ValueError("it has no directory")
    if length > MOST_DIRECTORY:
        raise ValueError(
            f"it has too many arrays, or too long names: a directory of {length} bytes"
        )


def _record(file: BinaryIO, begin: int, layout: str) -> tuple[Any, ...]:
    file.seek(max(0, begin))
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _read_header(archive: ZipFile) -> dict[str, Any]:
    with archive.open(_HEADER) as entry:
        text = entry.read(MOST_TEXT + 1)  # of a `read` without a number, all would be unpacked
    _check_text(text)
    return dict(json.loads(text))


def _check_text(text: bytes) -> None:
    """Raise ValueError if more would come out of the JSON than anybody needs."""
    if sum(map(text.count, (b",", b"[", b"{"))) > MOST_VALUES or len(text) > MOST_TEXT:
        raise ValueError(
            f"beside its arrays it has more than {MOST_VALUES} values, or {MOST_TEXT} characters"
        )


def _read_arrays(archive: ZipFile) -> dict[str, Array]:
    return {
        entry.filename.removesuffix(".npy"): _read_array(archive.read(entry))
        for entry in archive.infolist()
        if entry.filename != _HEADER
    }


def _read_array(content: bytes) -> Array:
    """Return an array in the byte order of this machine, if it is as large as it claims to be."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if dtype.hasobject:
        raise ValueError("an array holds objects, which cannot be loaded with allow_pickle=False")
    if dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise ValueError(f"an array has the shape {shape} and the dtype {dtype}")
    if file.tell() + prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} has {len(content)} bytes")
    array: Array = np.load(io.BytesIO(content), allow_pickle=False)
    return array.astype(dtype.newbyteorder("="), copy=False)


@contextmanager
def _as_damage(path: Any, what: str = "is no whole file of sklearn_rnn") -> Iterator[None]:
    """Turn errors from reading a wrong content into a clear ValueError."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        reason = error if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"{path} {what}: {reason}. Use another copy.") from error


# ---- values as JSON, arrays beside it ----


def _encode(value: Any, arrays: dict[str, Array], where: tuple[Any, ...]) -> Any:
    """Return a value as JSON; put its arrays into `arrays`, named after where they are."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is bytes:
        return {"bytes": value.hex()}
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        return {"scalar": _put(np.asarray(value), arrays, where)}
    if type(value) in (np.ndarray, np.memmap):
        if value.dtype != object:
            return {"array": _put(np.asarray(value), arrays, where)}
        items = [_encode(item, arrays, (*where, i)) for i, item in enumerate(value.flat)]
        return {"objects": items, "shape": value.shape}
    if type(value) in (list, tuple):
        items = [_encode(item, arrays, (*where, i)) for i, item in enumerate(value)]
        return items if type(value) is list else {"tuple": items}
    if type(value) is dict:
        return {
            "dict": [
                [_encode(key, arrays, (*where, "key")), _encode(item, arrays, (*where, key))]
                for key, item in value.items()
            ]
        }
    raise _not_plain(where, f"a {type(value).__name__}")


def _put(array: Array, arrays: dict[str, Array], where: tuple[Any, ...]) -> str:
    if array.dtype.hasobject or array.dtype.kind not in "biufcSUmMV":
        raise _not_plain(where, f"an array of dtype {array.dtype}")
    parts = (re.sub(r"[^\w.-]", "_", str(part))[:_LONGEST_PART] for part in where)
    name = "/".join(parts) or "value"
    while name in arrays:
        name += "_"
    arrays[name] = array
    return name


def _not_plain(where: tuple[Any, ...], what: str) -> TypeError:
    place = ".".join(map(str, where)) or "the content"
    return TypeError(
        f"{place} is {what}: a file without pickle holds None, numbers, text, arrays, and lists, "
        "tuples and dicts of them."
    )


def _decode(value: Any, arrays: dict[str, Array]) -> Any:
    """Undo `_encode`, and take each array out of `arrays`."""
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    tag, content = next(iter(value.items()))
    if tag == "bytes":
        return bytes.fromhex(content)
    if tag == "scalar":
        return arrays.pop(content).reshape(())[()]
    if tag == "array":
        return arrays.pop(content)
    if tag == "objects":
        items = [_decode(item, arrays) for item in content]
        return np.fromiter(items, object, len(items)).reshape(value["shape"])
    if tag == "tuple":
        return tuple(_decode(item, arrays) for item in content)
    if tag == "dict":
        return {_decode(key, arrays): _decode(item, arrays) for key, item in content}
    raise ValueError(f"unknown tag {tag!r}")
