"""A case as a network reads it, kept in a folder of the cache."""

from __future__ import annotations

import functools
import json
import mmap
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.files import write_json
from HTSegmentationLib.remark import Remark, Severity

MAKING_PREFIX = ".htseg-making-"
"""How the name of a folder begins that is not whole yet."""

_ENTRY_FILE = "entry.json"
_CHANNELS, _TARGET = "channels", "target"

_HALF_ERROR = 1e-3
"""Half precision is enough where it changes nothing by more than this share of the values' range: a tenth of a HU in a
window of 100 HU, and a fortieth of the noise. It changes HU of blood by 0.03 at most."""

_OPEN_FILES = 256
"""Arrays that stay mapped; more cases than that would use up the system's open files."""


@dataclass(frozen=True)
class CachedCase:
    """A case as a network reads it.

    Args:
        case_id: Its name.
        folder: Where its arrays lie.
        shape: Sides (z, y, x) of all of them.
        spacing: Voxel distances (x, y, z) in mm.
        outside: What lies beyond the arrays, in units after normalisation.
        counts: How many candidates there are of each place.
        remarks: What must be said of the case.
    """

    case_id: str
    folder: Path
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    outside: float
    counts: Mapping[str, int]
    remarks: tuple[Remark, ...] = ()

    @property
    def channels(self) -> np.ndarray:
        """What the network reads, float16 or float32 (channels, z, y, x), mapped from the disk."""
        return _mapped(self.folder, _CHANNELS)

    @property
    def target(self) -> np.ndarray:
        """Classes, uint8 (z, y, x), mapped from the disk."""
        return _mapped(self.folder, _TARGET)

    def candidates(self, place: str) -> np.ndarray:
        """Flat indices of a place's voxels; see :func:`HTSegmentationLib.training.candidates.candidates`."""
        return _mapped(self.folder, place) if self.counts.get(place) else np.zeros(0, np.int32)

    @property
    def lesion_places(self) -> tuple[str, ...]:
        """The places of those classes that the case has."""
        return tuple(name for name, count in self.counts.items() if name.startswith("lesion-") and count)

    @property
    def has_lesion(self) -> bool:
        """Whether any voxel is of a class above the background."""
        return bool(self.lesion_places)


def write_entry(
    folder: Path,
    case_id: str,
    channels: np.ndarray,
    target: np.ndarray,
    places: Mapping[str, np.ndarray],
    *,
    spacing: tuple[float, ...],
    outside: float,
    remarks: tuple[Remark, ...] = (),
) -> CachedCase:
    """Writes an entry, whole or not at all; one that is there already is replaced.

    Args:
        folder: Its name; the folder above it is there.
        case_id: The case.
        channels: float32 (channels, z, y, x).
        target: Classes, uint8 (z, y, x).
        places: Flat indices by place.
        spacing: Voxel distances (x, y, z) in mm.
        outside: What lies beyond the arrays.
        remarks: What must be said of the case.

    Raises:
        OutputError: It cannot be written, as on a full disk.
    """
    making = None
    try:
        making = Path(tempfile.mkdtemp(prefix=MAKING_PREFIX, dir=folder.parent))
        arrays = {_CHANNELS: _small(channels), _TARGET: target, **{name: held for name, held in places.items() if held.size}}
        for name, array in arrays.items():
            np.save(making / f"{name}.npy", array)
        entry = {
            "case_id": case_id,
            "shape": list(target.shape),
            "spacing": list(spacing),
            "outside": outside,
            "counts": {name: int(held.size) for name, held in places.items()},
            "remarks": [remark.as_dict() for remark in remarks],
            "checksums": {name: _checksum(making / f"{name}.npy") for name in arrays},
        }
        write_json(making / _ENTRY_FILE, entry)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(making, folder)
        _mapped.cache_clear()
    except OSError as error:
        # Another process that trains on the same cases may have made it meanwhile.
        made = read_entry(folder)
        if made is not None:
            return made
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            folder, f"the prepared case cannot be kept ({reason})", "free space or name another --cache"
        ) from error
    finally:
        if making is not None:
            shutil.rmtree(making, ignore_errors=True)
    return _case(folder, entry)


def read_entry(folder: Path) -> CachedCase | None:
    """An entry that is there and whole; None where it must be made."""
    try:
        entry = json.loads((folder / _ENTRY_FILE).read_text(encoding="utf-8"))
        if any(_checksum(folder / f"{name}.npy") != known for name, known in entry["checksums"].items()):
            return None
        return _case(folder, entry)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _case(folder: Path, entry: Mapping[str, Any]) -> CachedCase:
    return CachedCase(
        case_id=entry["case_id"],
        folder=folder,
        shape=tuple(entry["shape"]),
        spacing=tuple(entry["spacing"]),
        outside=entry["outside"],
        counts=dict(entry["counts"]),
        remarks=tuple(Remark(r["code"], r["text"], Severity(r["severity"])) for r in entry["remarks"]),
    )


def _small(channels: np.ndarray) -> np.ndarray:
    """In half precision where that is enough."""
    with np.errstate(over="ignore"):
        half = channels.astype(np.float16)
    error = float(np.abs(half.astype(np.float32) - channels).max(initial=0.0))
    return half if error <= _HALF_ERROR * float(np.ptp(channels)) else channels


def _checksum(path: Path) -> int:
    """CRC-32 of a file: a damaged disk is meant, nobody's ill will."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return zlib.crc32(content)


@functools.lru_cache(maxsize=_OPEN_FILES)
def _mapped(folder: Path, name: str) -> np.ndarray:
    # As a plain array: cutting patches out of a memmap takes several times as long.
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))
