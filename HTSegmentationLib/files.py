"""Files that are either written whole or not at all, and checks that come before long work."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import OutputError

_BLOCK_BYTES = 1 << 20
"""Read at once; files of any size need no more memory."""


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Gives a temporary name beside ``path``, which becomes ``path`` when the block ends without an error.

    The temporary name ends in the same way as ``path`` (``.nii.gz``, ``.seg.nrrd``), since writers choose the format by it.

    Raises:
        OutputError: The folder is missing or cannot be written to.

    Example:
        >>> with written_whole("/tmp/volume.txt") as temporary:
        ...     _ = temporary.write_text("12 mL")
    """
    target = Path(path)
    require_writable(target)
    try:
        handle, name = tempfile.mkstemp(prefix=".htseg-", suffix=f"-{target.name}", dir=target.parent)
    except OSError as error:
        raise OutputError(target, _reason(error), "choose another place or a shorter name") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _give_usual_permissions(temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(target, _reason(error), "free space or choose another place") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def require_writable(path: str | Path) -> None:
    """Checks that a file of this name can be made, before hours of work are spent on it.

    Raises:
        OutputError: It is a folder, its folder is missing, or its folder cannot be written to.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(target, "this is a folder", "give the name of a file in it")
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(target, f"there is no folder {folder}", "make the folder first or choose another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(target, f"the folder {folder} cannot be written to", "choose another place")


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Writes JSON as people read it, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(path, to_json(content))


def to_json(content: Any) -> str:
    """JSON text with two spaces of indent; NaN and infinity, which JSON has no word for, are refused."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _give_usual_permissions(path: Path) -> None:
    """Temporary files are made for their owner alone; results get what any new file of this user gets."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
