"""Files of plain values and arrays: checked when read, written completely or not at all.

A file is an .npz, which `numpy.load` reads, too: an entry for each array, before them
"sklearn_rnn.json", which says what they mean, and as the comment of the archive a checksum of every
byte before it. Nothing in it is ever executed.

Plain are None, bool, int, float, str, bytes, NumPy's scalars and arrays (those of objects if they
hold plain values), and lists, tuples and dicts of plain values.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from sklearn_rnn._version import __version__

Array = npt.NDArray[Any]

_HEADER = "sklearn_rnn.json"
_MARK = b"sha256:"
_DIGEST = 64  # hexadecimal digits

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
    OSError
        If the file cannot be written. What was at `path` is still there.
    """
    arrays: dict[str, Array] = {}
    header = {"kind": kind, "format": format, "version": __version__}
    text = json.dumps({**header, "content": _encode(content, arrays, ())}, indent=1)
    with replacing(path) as file:
        file.write(_pack(text, arrays))


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
    header, arrays = _unpack(path, Path(path).read_bytes())
    if header.get("kind") != kind:
        raise ValueError(
            f"{path} is a file of sklearn_rnn, but its kind is {header.get('kind')!r}, and "
            f"{kind!r} is expected."
        )
    number = header.get("format")
    if not isinstance(number, int) or number > newest:
        raise ValueError(
            f"{path} was written by sklearn_rnn {header.get('version')} in format {number}, and "
            f"this release, {__version__}, reads formats up to {newest}: load it with that "
            "release or a later one."
        )
    with _as_damage(path):
        return _decode(header["content"], arrays), number


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[io.BufferedWriter]:
    """Open a binary file that takes the place of `path` at once, when all is on the disk.

    It lies in the same directory until then, and is removed if anything goes wrong.
    """
    target = Path(os.path.realpath(path))  # what a link points to, not the link
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


def _unpack(path: Any, content: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays, after the checksum."""
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if not body.endswith(_MARK):
        if _HEADER.encode() in content[:100]:
            raise ValueError(f"{path} is damaged: it was cut off or changed. Use another copy.")
        raise ValueError(f"{path} was not written by sklearn_rnn, or has lost its ends.")
    if sha256(body).hexdigest().encode() != digest:
        raise ValueError(
            f"{path} is damaged: its checksum is not that of its bytes. Use another copy."
        )
    with _as_damage(path), ZipFile(io.BytesIO(content)) as archive:
        header = json.loads(archive.read(_HEADER))
        names = [name for name in archive.namelist() if name != _HEADER]
        arrays = {
            name.removesuffix(".npy"): np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
            for name in names
        }
        return dict(header), arrays


@contextmanager
def _as_damage(path: Any) -> Iterator[None]:
    """Turn errors from reading a wrong content into a clear ValueError."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(f"{path} is no whole file of sklearn_rnn: {error!r}.") from error


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
    name = "/".join(re.sub(r"[^\w.-]", "_", str(part)) for part in where) or "value"
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
    """Undo `_encode`."""
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    tag, content = next(iter(value.items()))
    if tag == "bytes":
        return bytes.fromhex(content)
    if tag == "scalar":
        return arrays[content][()]
    if tag == "array":
        return arrays[content]
    if tag == "objects":
        items = [_decode(item, arrays) for item in content]
        return np.fromiter(items, object, len(items)).reshape(value["shape"])
    if tag == "tuple":
        return tuple(_decode(item, arrays) for item in content)
    if tag == "dict":
        return {_decode(key, arrays): _decode(item, arrays) for key, item in content}
    raise ValueError(f"unknown tag {tag!r}")
