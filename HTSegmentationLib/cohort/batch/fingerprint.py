"""Whether a file or DICOM folder is still the one that a result was made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.files import sha256_of


def fingerprint(path: Path) -> dict[str, Any]:
    """What a record keeps of an input.

    Args:
        path: A file, or a folder: all files in it count, with their names.

    Returns:
        path, sha256, size in bytes and mtime_ns, of a folder the sum and the latest.

    Raises:
        InputError: It cannot be read.

    Example:
        >>> fingerprint(Path("ph-01/ct.nii.gz"))["size"]   # doctest: +SKIP
        8388608
    """
    try:
        return {"path": str(path), "sha256": _sha256(path), **_stamp(path)}
    except OSError as error:
        raise InputError(path, f"it cannot be read ({(error.strerror or str(error)).lower()})", "check it") from error


def is_same(path: Path, known: Any) -> bool:
    """Whether an input is the one of a record: by place, size and time, else by its content.

    Args:
        path: The input now.
        known: What the record has of it; anything else than a fingerprint is not the same.
    """
    if not isinstance(known, Mapping):
        return False
    try:
        stamp = _stamp(path)
        if stamp["size"] != known.get("size"):
            return False
        unmoved = str(path) == known.get("path") and stamp["mtime_ns"] == known.get("mtime_ns")
        return unmoved or _sha256(path) == known.get("sha256")
    except OSError:
        return False


def _stamp(path: Path) -> dict[str, int]:
    states = [file.stat() for file in _files(path)]
    return {
        "size": sum(state.st_size for state in states),
        "mtime_ns": max((state.st_mtime_ns for state in states), default=0),
    }


def _sha256(path: Path) -> str:
    files = _files(path)
    if files == [path]:
        return sha256_of(path)
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(path).as_posix()}\0{sha256_of(file)}\n".encode())
    return whole.hexdigest()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(Path(place) / name for place, _, names in os.walk(path) for name in names)
