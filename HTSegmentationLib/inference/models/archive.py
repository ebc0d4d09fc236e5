"""Unpacks the archives of others: nothing lands outside the folder, nothing but plain files, nothing without measure."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.progress import Progress, silent

_MOST_FILES = 10_000
"""A model has some ten files."""

_LARGEST_TOTAL_BYTES = 20 * 2**30
"""An ensemble of five large nnU-Net models has 2 GB."""

_FREE_BYTES = 100 * 2**20
"""What any archive may grow to."""

_LARGEST_RATIO = 50
"""Weights hardly shrink; an archive above ``_FREE_BYTES`` that grows by more than this is made to fill the disk."""

_LONGEST_NAME = 200
"""Characters of a path in an archive."""

_CHUNK_BYTES = 1 << 20
"""How much is copied at once."""

_LARGEST_READ_BYTES = 1 << 24
"""No header of an archive is longer; a longer one is made to fill the memory."""

_FORBIDDEN_CHARACTERS = frozenset('<>:"|?*\\')
"""What Windows does not allow in names, the backslash among them, which is a way out there."""

_ADVICE = "do not use it; ask its author for a plain archive"
"""What to do about an archive that is not what it should be."""

_AGAIN = "copy or download it again"
"""What helps a file that was damaged on its way."""

_GZIP_START = b"\x1f\x8b"
"""How a gzip file begins."""

_Value = TypeVar("_Value")

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, NotImplementedError)
"""What the readers raise on a damaged archive."""


_Open = Callable[[Any], IO[bytes]]
"""Opens a member of an archive by the archive's own description of it."""


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    fault: str
    source: zipfile.ZipInfo | tarfile.TarInfo


def unpack(archive: str | Path, folder: str | Path, progress: Progress = silent) -> None:
    """Unpacks a zip, tar or tar.gz archive into an empty folder.

    Args:
        archive: The file; its content tells which of the three it is.
        folder: The folder, which is there and empty; what is in it after an error is for the caller to remove.
        progress: Told of each file.

    Raises:
        InputError: It is no such archive, is damaged, or holds what no model needs: absolute paths, paths that lead out of
            the folder, links, devices, two names that some file systems take for one, or far more bytes than it has.
        OSError: The folder cannot be written to, as when the disk is full.
    """
    file, target = Path(archive), Path(folder)
    limit = min(_LARGEST_TOTAL_BYTES, max(_FREE_BYTES, _LARGEST_RATIO * _size(file)))
    seen: dict[str, tuple[str, str]] = {}
    total = 0
    with contextlib.ExitStack() as stack:
        members, open_member = _opened(file, limit, stack)
        while (member := _next(file, members)) is not None:
            total += member.size
            if total > limit:
                raise InputError(file, f"it would unpack to more than {limit / 2**30:.1f} GB", _ADVICE)
            parts = _checked_parts(file, member, seen)
            if not parts or member.name.endswith("/"):
                continue
            progress("unpacking", min(total / limit, 1.0))
            path = target.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            _copy(file, member, open_member, path)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise InputError(file, (error.strerror or str(error)).lower(), "check the name and the permissions") from error


def _opened(file: Path, limit: int, stack: contextlib.ExitStack) -> tuple[Iterator[_Member], _Open]:
    """The members of an archive one by one, and what opens one of them."""
    try:
        if zipfile.is_zipfile(file):
            archive = stack.enter_context(zipfile.ZipFile(file))
            return map(_zip_member, archive.infolist()), archive.open
        stream: IO[bytes] = stack.enter_context(file.open("rb"))
        packed = stream.read(2) == _GZIP_START
        stream.seek(0)
        if packed:
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
        measured = _Measured(file, stream, limit)
        tar = stack.enter_context(tarfile.TarFile(fileobj=measured))
    except (*_BROKEN, OSError) as error:
        raise InputError(file, "it is no zip, tar or tar.gz archive, or not whole", _AGAIN) from error
    return _tar_members(tar, measured), tar.extractfile


class _Measured:
    """A stream that ends with an error where it grows without measure, even within a header."""

    def __init__(self, file: Path, stream: IO[bytes], limit: int) -> None:
        self._file, self._stream = file, stream
        # Headers and padding come on top of the content.
        self._left = limit + _MOST_FILES * tarfile.RECORDSIZE
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0 or size > _LARGEST_READ_BYTES:
            raise InputError(self._file, "it grows without measure when it is unpacked", _ADVICE)
        return self._stream.read(size)


def _tar_members(tar: tarfile.TarFile, stream: _Measured) -> Iterator[_Member]:
    yield from map(_tar_member, tar)
    # tarfile takes a header that was cut off for the end, and so would leave out what follows.
    stream.seek(tar.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError


def _zip_member(info: zipfile.ZipInfo) -> _Member:
    mode = info.external_attr >> 16
    fault = ""
    if stat.S_ISLNK(mode):
        fault = "is a link"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        fault = "is a device or pipe"
    elif info.flag_bits & 1:
        fault = "is encrypted"
    # zipfile cuts names at a NUL and turns the system's separator into a slash; the name as stored is what counts.
    return _Member(info.orig_filename, info.file_size, fault, info)


def _tar_member(info: tarfile.TarInfo) -> _Member:
    fault = ""
    if info.islnk() or info.issym():
        fault = "is a link"
    elif info.issparse() or not (info.isreg() or info.isdir()):
        fault = "is a device, a pipe or a file with holes"
    return _Member(info.name + "/" * info.isdir(), info.size, fault, info)


def _next(file: Path, members: Iterator[_Member]) -> _Member | None:
    try:
        return next(members, None)
    except (*_BROKEN, OSError, ValueError) as error:
        raise InputError(file, "it is damaged", _AGAIN) from error


def _checked_parts(file: Path, member: _Member, seen: dict[str, str]) -> list[str]:
    """The parts of a member's path, after everything that is wrong with it was looked for."""
    name = member.name
    shown = ascii(name[:_LONGEST_NAME])
    parts = [part for part in name.split("/") if part not in ("", ".")]
    fault = member.fault
    if name.startswith("/") or ".." in parts or _FORBIDDEN_CHARACTERS & set(name):
        fault = "leads out of the folder, or is no name on every system"
    elif len(name) > _LONGEST_NAME or not name.isprintable() or any(part[-1] in ". " for part in parts):
        fault = "is no name on every system"
    if fault:
        raise InputError(file, f"its entry {shown} {fault}", _ADVICE)
    if len(seen) >= _MOST_FILES:
        raise InputError(file, f"it holds more than {_MOST_FILES} files", _ADVICE)
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        kind = "folder" if depth < len(parts) or name.endswith("/") else "file"
        key = unicodedata.normalize("NFC", path).casefold()
        # A folder is named again by everything in it; a file only once.
        if key in seen and (kind == "file" or seen[key] != (kind, path)):
            raise InputError(file, f"its entry {shown} has the same name as another one on some systems", _ADVICE)
        seen[key] = (kind, path)
    return parts


def _copy(file: Path, member: _Member, open_member: _Open, path: Path) -> None:
    """Writes one member; what it holds beyond its stated size is never written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    left = member.size
    with os.fdopen(os.open(path, flags, 0o644), "wb") as target:
        source = _read(file, lambda: open_member(member.source))
        while chunk := _read(file, lambda: source.read(_CHUNK_BYTES)):
            left -= len(chunk)
            if left < 0:
                raise InputError(file, f"its entry {member.name!r} is larger than it says", _ADVICE)
            target.write(chunk)
    if left:
        raise InputError(file, f"its entry {member.name!r} is not whole", _AGAIN)


def _read(file: Path, read: Callable[[], _Value]) -> _Value:
    try:
        return read()
    except (*_BROKEN, OSError, RuntimeError, ValueError) as error:
        raise InputError(file, "it is damaged", _AGAIN) from error
