"""Masks as files that other programs open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.export.image_files import IMAGE_FORMATS, require_image_path, write_with_fields
from HTSegmentationLib.export.slicer_segmentation import segment_metadata
from HTSegmentationLib.segmenter import HEMORRHAGE, Label

SLICER_FORMAT = ".seg.nrrd"
"""A segmentation of 3D Slicer, with names, colours and codes."""

MASK_FORMATS = (SLICER_FORMAT, *IMAGE_FORMATS)
"""The endings that a mask's file name may have."""


def require_mask_path(path: str | Path) -> str:
    """Checks that a mask can be written under this name, before any work is done.

    Args:
        path: The file's name.

    Returns:
        The ending that decides the format, one of :data:`MASK_FORMATS`.

    Raises:
        UsageError: The name ends in none of the supported ways.
        OutputError: The file's folder is missing or cannot be written to.

    Example:
        >>> require_mask_path("/tmp/bleed.SEG.nrrd")
        '.seg.nrrd'
    """
    return require_image_path(path, MASK_FORMATS)


def write_mask(path: str | Path, mask: sitk.Image, labels: Sequence[Label] = (HEMORRHAGE,)) -> None:
    """Writes a mask, whole or not at all; the name's ending decides the format.

    Nothing but voxels, geometry and (in ``.seg.nrrd``) the labels' names goes into the file: metadata that the mask
    carries from its scan is left out.

    Args:
        path: Ends in ``.seg.nrrd``, ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``.
        mask: Label values, whole numbers from 0; (x, y, z), LPS.
        labels: What the values mean; used by ``.seg.nrrd``.

    Raises:
        UsageError: The name ends in another way, a value of the mask has no label, or NIfTI cannot hold the grid.
        OutputError: The file cannot be written.

    Example:
        >>> write_mask("bleed.seg.nrrd", result.mask, result.labels)   # doctest: +SKIP
    """
    ending = require_mask_path(path)
    fields = {}
    if ending == SLICER_FORMAT:
        _require_labels(path, mask, labels)
        fields = segment_metadata(mask, labels)
    write_with_fields(path, mask, fields, ending)


def _require_labels(path: str | Path, mask: sitk.Image, labels: Sequence[Label]) -> None:
    known = {label.value for label in labels}
    found = set(np.flatnonzero(np.bincount(sitk.GetArrayViewFromImage(mask).ravel())).tolist()) - {0}
    if found - known:
        missing = ", ".join(map(str, sorted(found - known)))
        raise UsageError(f"{path}: the mask holds the values {missing}, which have no label; name them or write .nii.gz")
