"""Cases prepared once for a training and kept: preprocessing as at inference, the reference on the network's grid."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.regular_grid import AIR_HU
from HTSegmentationLib.errors import HTSegError, OutputError, SegmentationError
from HTSegmentationLib.inference.network_grid import NetworkGrid
from HTSegmentationLib.inference.preprocess import SYMMETRIC, Extent, network_input
from HTSegmentationLib.inference.symmetric import mirror_transform
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import read_labels
from HTSegmentationLib.threshold.prepare import prepare
from HTSegmentationLib.training.cached_case import MAKING_PREFIX, CachedCase, read_entry, write_entry
from HTSegmentationLib.training.candidates import candidates
from HTSegmentationLib.training.cases import TrainingCase, label_values, make_cache
from HTSegmentationLib.training.labels import LabelMap, label_map_for
from HTSegmentationLib.training.settings import TrainingSettings
from HTSegmentationLib.version import __version__

_FORMAT = 1
"""Raised when the preparation or its files change within a version."""

_LOST_SHARE = 0.01
"""A lesion that loses less than this of itself by lying outside the skull lost it to the rounding of borders."""

_HALF = 0.5
"""A voxel belongs to the brain when at least half of it does, as at inference."""

_ABANDONED_S = 86400.0
"""A folder that has not been finished for a day never will be."""


@dataclass(frozen=True)
class _Job:
    """What preparing a case takes; goes from process to process."""

    case: TrainingCase
    label_map: LabelMap
    settings: TrainingSettings
    folder: Path


def prepared_cases(
    cases: Sequence[TrainingCase],
    settings: TrainingSettings,
    cache_folder: Path,
    *,
    jobs: int | None = None,
    progress: Progress = silent,
) -> list[CachedCase]:
    """Prepares cases, those that the cache does not have yet.

    A case is kept under the hash of its scan and its reference, of what the settings say of input and labels, of the patch,
    below whose size nothing is cut, and of the version; so any number of trainings share a cache, and one whose settings
    differ finds nothing wrong in it. An entry that is damaged is made again.

    Args:
        cases: The cases.
        settings: What the network reads.
        cache_folder: Is made where it is not there; what it holds may be removed at any time between trainings.
        jobs: How many processes; None: as many as there are cores.
        progress: Told after each case.

    Returns:
        The cases in their order.

    Raises:
        ParameterError: The references' values do not fit the labels.
        SegmentationError: Cases cannot be prepared, as where no brain is found; all are listed.
        OutputError: The cache cannot be written, as on a full disk.

    Example:
        >>> prepared_cases(cases, published_settings("se-unet"), Path("cache"))[0].channels.shape   # doctest: +SKIP
        (2, 27, 340, 301)
    """
    label_map = label_map_for(label_values(cases), settings.labels, settings.label_map)
    make_cache(cache_folder)
    _remove_abandoned(cache_folder)
    work = [
        _Job(case, label_map, settings, cache_folder / f"{case.case_id}-{_key(case, label_map, settings)}") for case in cases
    ]
    found = [read_entry(job.folder) for job in work]
    missing = [job for job, entry in zip(work, found, strict=True) if entry is None]
    made = iter(each_of(_made, missing, jobs=jobs, stage="preparing cases", progress=progress) if missing else [])
    whole = [entry if entry is not None else next(made) for entry in found]
    faults = [f"row {c.row} ({c.case_id}): {w}" for c, w in zip(cases, whole, strict=True) if isinstance(w, str)]
    if faults:
        raise SegmentationError(f"{len(faults)} of {len(cases)} cases cannot be prepared: {'; '.join(faults)}")
    return whole


def target_on_grid(classes: sitk.Image, count: int, grid: NetworkGrid) -> np.ndarray:
    """A reference on a network's grid.

    Each class's mask is put on the grid with linear interpolation, and each voxel gets the class that has the most of it:
    the way in which the network's answer goes back to the scan, and no class grows at another one's cost.

    Args:
        classes: Classes on the scan's grid, 0 is background.
        count: How many classes there are, the background among them.
        grid: The network's grid.

    Returns:
        uint8 (z, y, x).
    """
    if grid.on_scan_voxels:
        return grid.resample(classes, 0).astype(np.uint8)
    shares = np.stack([grid.resample(classes == value, 0) for value in range(1, count)])
    return np.concatenate([1 - shares.sum(axis=0, keepdims=True), shares]).argmax(axis=0).astype(np.uint8)


def _made(job: _Job) -> CachedCase | str:
    """The case, prepared and kept; or in words why it cannot be."""
    try:
        return _prepared(job)
    except OutputError:
        raise
    except HTSegError as error:
        return str(error)


def _prepared(job: _Job) -> CachedCase:
    case, settings = job.case, job.settings
    prepared = prepare(read_ct(case.image, **case.reading))
    image = prepared.scan.image
    mirror = mirror_transform(prepared) if SYMMETRIC in settings.input.channels else None
    given = network_input(prepared, settings.input, Extent(smallest=settings.window), mirror=mirror)
    grid = given.grid
    labels, _ = read_labels(case.reference)
    classes = job.label_map.classes(sitk.GetArrayFromImage(labels))
    target = target_on_grid(array_to_image(classes, image), settings.classes, grid)
    brain, tissue = (grid.resample(mask, 0) >= _HALF for mask in (prepared.brain_mask, prepared.tissue_mask))
    places = candidates(target, brain, tissue, grid.resample(image, AIR_HU), grid)
    remarks = _remarks(case.case_id, classes, sitk.GetArrayFromImage(prepared.brain_mask) > 0, target)
    return write_entry(
        job.folder,
        case.case_id,
        given.channels,
        target,
        places,
        spacing=grid.spacing,
        outside=settings.input.outside_value,
        remarks=remarks,
    )


def _remarks(case_id: str, classes: np.ndarray, brain: np.ndarray, target: np.ndarray) -> tuple[Remark, ...]:
    lesion = classes > 0
    if not lesion.any():
        return ()
    if not target.any():
        text = f"{case_id}: nothing of the lesion is left on the network's grid; the case gives background alone."
        return (Remark("lesion-lost", text, Severity.WARNING),)
    outside = float((lesion & ~brain).sum() / lesion.sum())
    if outside < _LOST_SHARE:
        return ()
    text = f"{case_id}: {outside:.0%} of the reference lies outside the skull as it was found; look at both."
    return (Remark("reference-outside-brain", text, Severity.CAUTION),)


def _key(case: TrainingCase, label_map: LabelMap, settings: TrainingSettings) -> str:
    """Names everything that the prepared case depends on."""
    depends: dict[str, Any] = {
        "version": __version__,
        "format": _FORMAT,
        "image": case.image_sha256,
        "series": case.series,
        "hu_offset": case.hu_offset,
        "reference": case.reference_sha256,
        "input": settings.input.as_dict(),
        "labels": label_map.pairs,
        "classes": settings.classes,
        "window": settings.window,
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:20]


def _remove_abandoned(folder: Path) -> None:
    """What processes that were killed left behind."""
    for path in folder.glob(f"{MAKING_PREFIX}*"):
        try:
            abandoned = time.time() - path.stat().st_mtime > _ABANDONED_S
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(path, ignore_errors=True)
