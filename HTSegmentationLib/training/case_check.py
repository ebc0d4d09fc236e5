"""One case with its reference, looked at before it is trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.batch.fingerprint import fingerprint, is_same
from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.roi import read_labels
from HTSegmentationLib.version import __version__

_SIMULATION_RECORD = "case.json"
"""What a simulated case was made from; lies beside its scan."""


@dataclass(frozen=True)
class CheckedCase:
    """What a look at the files of a case gave.

    Args:
        key: Names the files.
        fault: What must be mended; empty when nothing must.
        volume_ml: Volume of all that the reference holds, in mL.
        labels: The values above 0 in it.
        simulated: Whether a record beside the image says that it was simulated.
        image: Its fingerprint.
        reference: Its fingerprint.
        version: The version of this library that looked.
    """

    key: str
    fault: str = ""
    volume_ml: float = 0.0
    labels: tuple[int, ...] = ()
    simulated: bool = False
    image: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"labels": list(self.labels)}


def case_key(image: Path, reference: Path, reading: Mapping[str, Any]) -> str:
    """Names a case's files and how the scan is read.

    Args:
        image: The CT.
        reference: The mask.
        reading: Keyword arguments of ``read_ct``.
    """
    return json.dumps([str(image), str(reference), reading], sort_keys=True)


def check_case(image: Path, reference: Path, reading: Mapping[str, Any], known: Any = None) -> CheckedCase:
    """Reads a scan and its reference, and checks that they go together.

    Args:
        image: The CT.
        reference: The mask.
        reading: Keyword arguments of ``read_ct``: which series, and what to take for HU.
        known: What :meth:`CheckedCase.as_dict` gave earlier; files that have not changed since are not read.

    Returns:
        What was found. What is wrong with the files is its fault, not an error.
    """
    key = case_key(image, reference, reading)
    try:
        kept = _kept(key, known, image, reference)
        if kept is not None:
            return kept
        marks = fingerprint(image), fingerprint(reference)
        scan = read_ct(image, **reading)
        labels, _ = read_labels(reference)
        require_same_grid(labels, scan.image, "reference", "scan")
    except HTSegError as error:
        return CheckedCase(key, str(error))
    except (MemoryError, RuntimeError, OSError) as error:
        return CheckedCase(key, " ".join(f"unexpected {type(error).__name__}: {error}".split()))
    counts = np.bincount(sitk.GetArrayViewFromImage(labels).ravel())
    values = tuple(int(value) for value in np.flatnonzero(counts) if value)
    volume = voxels_to_ml(int(counts[1:].sum()), labels)
    return CheckedCase(key, "", volume, values, _is_simulated(image), *marks)


def _kept(key: str, known: Any, image: Path, reference: Path) -> CheckedCase | None:
    """What was found earlier, if it is whole and the files are the same."""
    if not isinstance(known, Mapping) or set(known) != set(CheckedCase.__dataclass_fields__):
        return None
    if known["key"] != key or known["version"] != __version__ or known["fault"]:
        return None
    if not (is_same(image, known["image"]) and is_same(reference, known["reference"])):
        return None
    return CheckedCase(**{**known, "labels": tuple(known["labels"])})


def _is_simulated(image: Path) -> bool:
    try:
        record = json.loads((image.parent / _SIMULATION_RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and "htsegmentation" in record and "parameters" in record
