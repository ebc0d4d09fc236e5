"""A scan as nnU-Net's own readers would give it, and a mask back on the scan's grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.errors import ParameterError

_AS_STORED = ("SimpleITKIO", "NibabelIO")
"""Readers that leave the axes as the file has them."""

_REORIENTED = ("SimpleITKIOWithReorient", "NibabelIOWithReorient")
"""Readers that turn the axes toward right, anterior and superior first."""

_THEIR_ORIENTATION = "RAS"
"""To where the axes of these readers point."""


def require_reader(name: str) -> None:
    """Checks that a model was trained on images whose reader is known here.

    Args:
        name: ``image_reader_writer`` of the model's plans.

    Raises:
        ParameterError: It was trained on pictures or on something else.
    """
    if name not in (*_AS_STORED, *_REORIENTED):
        known = ", ".join((*_AS_STORED, *_REORIENTED))
        raise ParameterError(f"its images were read by {name}; allowed are {known}, which read CT volumes")


def as_read(image: sitk.Image, reader: str) -> tuple[np.ndarray, dict[str, Any]]:
    """What nnU-Net's reader would make of a file with this scan.

    Args:
        image: The scan in HU.
        reader: One of the known readers.

    Returns:
        The channels (1, z, y, x), ``float32``, and nnU-Net's properties: the spacing in mm in the same order.
    """
    turned = sitk.DICOMOrient(image, _THEIR_ORIENTATION) if reader in _REORIENTED else image
    channels = sitk.GetArrayViewFromImage(turned).astype(np.float32)[None]
    return channels, {"spacing": list(turned.GetSpacing())[::-1]}


def on_scan(array: np.ndarray, image: sitk.Image, reader: str) -> sitk.Image:
    """An array that nnU-Net gave for :func:`as_read`, as an image on the scan's grid."""
    array = np.ascontiguousarray(array)
    if reader not in _REORIENTED:
        return array_to_image(array, image)
    turned = array_to_image(array, sitk.DICOMOrient(image, _THEIR_ORIENTATION))
    own = sitk.DICOMOrientImageFilter_GetOrientationFromDirectionCosines(image.GetDirection())
    back = sitk.DICOMOrient(turned, own)
    back.CopyInformation(image)
    return back
