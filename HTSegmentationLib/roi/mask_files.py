"""Masks from image files: regions of interest, segmentations, references."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.errors import InputError

MASK_ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""How the names of mask files end."""

_MOST_LABELS = 64
"""More different values are grey values of a scan, not labels."""

_LARGEST_LABEL = 65535
"""Label maps of brain atlases go beyond 10,000."""

_MOST_VOXELS = 2_000_000_000
"""Ten times a thin-slice CT of the whole body; a header that claims more is broken."""

_SPACE = 3
"""Dimensions of a mask; further ones may have the length 1."""

_EXPECTED = "give a mask: 0 outside, whole numbers above 0 inside"


def is_mask_name(path: str | Path) -> bool:
    """Whether a file's name ends as a mask's does."""
    return str(path).lower().endswith(MASK_ENDINGS)


def read_mask(path: str | Path, label: int | None = None) -> sitk.Image:
    """Reads a mask: one label of a file, or all of them together.

    Args:
        path: A NIfTI, NRRD or MetaImage file; a segmentation of 3D Slicer.
        label: The value that counts; None for all above 0.

    Returns:
        1 inside, 0 outside; ``sitkUInt8``, (x, y, z), LPS.

    Raises:
        InputError: As for :func:`read_labels`, or no voxel has this label.

    Example:
        >>> bleed = read_mask("labels.nii.gz", label=1)   # doctest: +SKIP
    """
    labels = read_labels(path)
    if label is None:
        return sitk.Cast(labels > 0, sitk.sitkUInt8)
    mask = sitk.Cast(labels == label, sitk.sitkUInt8)
    if not sitk.GetArrayViewFromImage(mask).any():
        values = np.flatnonzero(np.bincount(sitk.GetArrayViewFromImage(labels).ravel()))
        held = ", ".join(str(value) for value in values if value) or "none"
        raise InputError(path, f"no voxel has the label {label}; labels in it: {held}", "choose one of these")
    return mask


def read_labels(path: str | Path) -> sitk.Image:
    """Reads a label map.

    Segments of a ``.seg.nrrd`` that overlap lie in several layers; of these the union is given, as 1.

    Args:
        path: A NIfTI, NRRD or MetaImage file; a segmentation of 3D Slicer.

    Returns:
        Label values, 0 is background; ``sitkUInt8`` where they fit, else ``sitkUInt16``; (x, y, z), LPS.

    Raises:
        InputError: The file cannot be read, has not three dimensions, or holds no labels but grey values or probabilities.

    Example:
        >>> labels = read_labels("bleed.seg.nrrd")   # doctest: +SKIP
    """
    image = _read(path)
    if image.GetNumberOfComponentsPerPixel() > 1:
        if not str(path).lower().endswith(".seg.nrrd"):
            count = image.GetNumberOfComponentsPerPixel()
            raise InputError(path, f"it holds {count} values a voxel", _EXPECTED)
        layers = sitk.GetArrayViewFromImage(image)
        flat = sitk.GetImageFromArray((layers != 0).any(axis=-1).astype(np.uint8))
        flat.CopyInformation(image)
        return flat
    return _labels_only(image, path)


def _labels_only(image: sitk.Image, path: str | Path) -> sitk.Image:
    """The image with a type of whole numbers, after a check that it holds labels."""
    array = sitk.GetArrayViewFromImage(image)
    if array.size == 0:
        raise InputError(path, "it holds no voxels", _EXPECTED)
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(path, "it holds values that are no numbers", _EXPECTED)
    if low < 0 or high > _LARGEST_LABEL:
        raise InputError(path, f"it holds values from {low:g} to {high:g}, as a scan does", _EXPECTED)
    if array.dtype.kind == "f" and (array != np.round(array)).any():
        raise InputError(path, f"it holds fractions between {low:g} and {high:g}, as probabilities do", _EXPECTED)
    small = sitk.Cast(image, sitk.sitkUInt8 if high <= np.iinfo(np.uint8).max else sitk.sitkUInt16)
    count = np.count_nonzero(np.bincount(sitk.GetArrayViewFromImage(small).ravel()))
    if count > _MOST_LABELS:
        raise InputError(path, f"it holds {count} different values up to {high:g}, as a scan does", _EXPECTED)
    return small


def _read(path: str | Path) -> sitk.Image:
    name = str(path)
    if not is_mask_name(name):
        raise InputError(path, f"its name does not end in {', '.join(MASK_ENDINGS)}", "give a mask in one of these formats")
    if not Path(name).is_file():
        what = "it is a folder, not a file" if Path(name).is_dir() else "there is no such file"
        raise InputError(path, what, "check the name")
    reader = sitk.ImageFileReader()
    reader.SetFileName(name)
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
        if np.prod(size, dtype=float) * reader.GetNumberOfComponents() > _MOST_VOXELS:
            raise InputError(path, f"its header claims {' x '.join(map(str, size))} voxels", "write it anew")
        if len(size) < _SPACE or any(length > 1 for length in size[_SPACE:]):
            raise InputError(path, f"it has {len(size)} dimensions ({' x '.join(map(str, size))})", "give a mask of three")
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            path, "it cannot be read as an image: it is damaged, cut off or of another format", _EXPECTED
        ) from error
    while image.GetDimension() > _SPACE:
        image = image[..., 0]
    return image
