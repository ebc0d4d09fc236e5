"""One request of the worker: reads the files, segments, writes the mask and tells all there is to tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import same_grid, voxels_to_ml
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.ct.whole_image import require_same_voxels
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.files import require_writable
from HTSegmentationLib.inference.worker.exchange import read_exchange, write_exchange
from HTSegmentationLib.inference.worker.protocol import Request
from HTSegmentationLib.progress import Progress, part_of
from HTSegmentationLib.roi import Roi, read_roi
from HTSegmentationLib.segmenter import Label, PreparedScan, SegmentationResult, Segmenter

_READ, _PREPARED, _SEGMENTED = 0.05, 0.2, 0.95
"""Shares of a request that are done after each step; the network's is by far the longest."""


@dataclass(frozen=True)
class Tools:
    """What the worker needs from rooms to the right of its own.

    Args:
        make: Makes the segmenter of a request; loads no weights.
        require_mask_path: Checks that a mask can be written under a name, before any work is done.
        write_mask: Writes a mask with its labels, whole or not at all.
    """

    make: Callable[[Request], Segmenter]
    require_mask_path: Callable[[str], Any]
    write_mask: Callable[[str, sitk.Image, Sequence[Label]], None]


def run_request(request: Request, segmenter: Segmenter, tools: Tools, progress: Progress) -> dict[str, Any]:
    """Segments one scan.

    Returns:
        The record: method, parameters, labels, volumes in mL by label name, remarks, stage seconds, details and their
        sentences, and the names of the files written.

    Raises:
        HTSegError: As the segmenter and the readers do.
    """
    tools.require_mask_path(request.output)
    if request.probability is not None:
        require_writable(request.probability)
    prepared = _prepared(request, segmenter, progress)
    roi = _roi(request, prepared)
    result = segmenter.segment(prepared, roi, part_of(progress, _PREPARED, _SEGMENTED))
    progress("writing", _SEGMENTED)
    tools.write_mask(request.output, result.mask, result.labels)
    require_same_voxels(request.output, result.mask)
    probability = request.probability if result.probability is not None else None
    if probability is not None:
        write_exchange(probability, result.probability)
    return _record(request, result, probability)


def _prepared(request: Request, segmenter: Segmenter, progress: Progress) -> PreparedScan:
    if request.brain is not None:
        return _handed_over(request)
    scan = read_ct(request.ct, progress=part_of(progress, 0.0, _READ))
    return segmenter.prepare(scan, part_of(progress, _READ, _PREPARED))


def _handed_over(request: Request) -> PreparedScan:
    """The preparation that the parent did, as it was; its remarks stay with the parent."""
    image = read_exchange(request.ct)
    brain, tissue = (read_exchange(path) > 0 for path in (request.brain, request.tissue))
    for path, mask in ((request.brain, brain), (request.tissue, tissue)):
        if not same_grid(image, mask):
            raise InputError(path, "it lies on another grid than the scan", "give the mask that was made on this scan")
    inside = int(np.count_nonzero(sitk.GetArrayViewFromImage(brain)))
    return PreparedScan(CTScan(image), brain, tissue, voxels_to_ml(inside, brain))


def _roi(request: Request, prepared: PreparedScan) -> Roi | None:
    if request.roi is None:
        return None
    if request.brain is not None:
        return Roi.from_mask(read_exchange(request.roi))
    return read_roi([request.roi], prepared.scan.image)


def _record(request: Request, result: SegmentationResult, probability: str | None) -> dict[str, Any]:
    return {
        "method": result.method,
        "parameters": dict(result.parameters),
        "labels": [asdict(label) for label in result.labels],
        "volumes_ml": {label.name: result.volume_ml(label) for label in result.labels},
        "brain_volume_ml": result.brain_volume_ml,
        "remarks": [remark.as_dict() for remark in result.remarks],
        "stage_seconds": dict(result.stage_seconds),
        "details": result.details.as_dict() if result.details else {},
        "explained": result.details.explain() if result.details else [],
        "mask": request.output,
        "probability": probability,
    }
