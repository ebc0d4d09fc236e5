"""Masks from image files: regions of interest, segmentations, references."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import index_to_point_matrix
from HTSegmentationLib.ct.itk_file import read_itk
from HTSegmentationLib.ct.nifti_file import read_nifti
from HTSegmentationLib.ct.quiet import quiet_itk
from HTSegmentationLib.ct.volume import Volume
from HTSegmentationLib.ct.volume_limits import MOST_VOXELS
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark

MASK_ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""How the names of mask files end."""

_MOST_LABELS = 64
"""More different values are grey values of a scan, not labels."""

_LARGEST_LABEL = 65535
"""Label maps of brain atlases go beyond 10,000."""

_SPACE = 3
"""Dimensions of a mask."""

_HEADER_BYTES = 1 << 16
"""Room for the header of a segmentation with hundreds of segments."""

_EXPECTED = "give a mask: 0 outside, whole numbers above 0 inside"


def is_mask_name(path: str | Path) -> bool:
    """Whether a file's name ends as a mask's does."""
    return str(path).lower().endswith(MASK_ENDINGS)


def read_mask(path: str | Path, label: int | None = None) -> tuple[sitk.Image, tuple[Remark, ...]]:
    """Reads a mask: one label of a file, or all of them together.

    Args:
        path: A NIfTI, NRRD or MetaImage file; a segmentation of 3D Slicer.
        label: The value that counts; None for all above 0.

    Returns:
        1 inside, 0 outside; ``sitkUInt8``, (x, y, z), LPS; and what the user must be told of the file.

    Raises:
        InputError: As for :func:`read_labels`, or no voxel has this label.

    Example:
        >>> bleed, remarks = read_mask("labels.nii.gz", label=1)   # doctest: +SKIP
    """
    labels, remarks = read_labels(path)
    if label is None:
        return sitk.Cast(labels > 0, sitk.sitkUInt8), remarks
    mask = sitk.Cast(labels == label, sitk.sitkUInt8)
    if not sitk.GetArrayViewFromImage(mask).any():
        values = np.flatnonzero(np.bincount(sitk.GetArrayViewFromImage(labels).ravel()))
        held = ", ".join(str(value) for value in values if value) or "none"
        raise InputError(path, f"no voxel has the label {label}; labels in it: {held}", "choose one of these")
    return mask, remarks


def read_labels(path: str | Path) -> tuple[sitk.Image, tuple[Remark, ...]]:
    """Reads a label map.

    Segments of a ``.seg.nrrd`` that overlap lie in several layers; of these the union is given, as 1.

    Args:
        path: A NIfTI, NRRD or MetaImage file; a segmentation of 3D Slicer.

    Returns:
        Label values, 0 is background, ``sitkUInt8`` where they fit, else ``sitkUInt16``, (x, y, z), LPS; and what the user
        must be told of the file.

    Raises:
        InputError: The file cannot be read, has not three dimensions, or holds no labels but grey values or probabilities.

    Example:
        >>> labels, remarks = read_labels("bleed.seg.nrrd")   # doctest: +SKIP
    """
    name, file = str(path).lower(), Path(path)
    if not is_mask_name(path):
        raise InputError(path, f"its name does not end in {', '.join(MASK_ENDINGS)}", "give a mask in one of these formats")
    if not file.is_file():
        raise InputError(path, "it is a folder" if file.is_dir() else "there is no such file", "check the name")
    try:
        layered = _layers(file) if name.endswith(".seg.nrrd") else None
        volume = layered or (
            read_nifti(file)
            if name.endswith((".nii", ".nii.gz"))
            else read_itk(file, "NRRD" if name.endswith(("nrrd", "nhdr")) else "MetaImage")
        )
    except OSError as error:
        raise InputError(path, f"it cannot be read ({(error.strerror or str(error)).lower()})", "check it") from error
    except InputError as error:
        # What reads scans advises on scans.
        raise InputError(path, error.problem, _EXPECTED) from error
    return _placed(_labels_only(volume.pixels, path), volume), volume.remarks


def _labels_only(values: np.ndarray, path: str | Path) -> np.ndarray:
    """The values with a type of whole numbers, after a check that they are labels."""
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(path, "it holds values that are no numbers", _EXPECTED)
    if low < 0 or high > _LARGEST_LABEL:
        raise InputError(path, f"it holds values from {low:g} to {high:g}, as a scan does", _EXPECTED)
    if values.dtype.kind == "f" and (values != np.round(values)).any():
        raise InputError(path, f"it holds fractions between {low:g} and {high:g}, as probabilities do", _EXPECTED)
    small = values.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)
    count = np.count_nonzero(np.bincount(small.ravel()))
    if count > _MOST_LABELS:
        raise InputError(path, f"it holds {count} different values up to {high:g}, as a scan does", _EXPECTED)
    return small


def _placed(values: np.ndarray, volume: Volume) -> sitk.Image:
    """The values where the file places them; a skewed grid stays skewed."""
    if volume.is_rectangular():
        return volume.image(values)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(volume.spacing.tolist())
    image.SetDirection((volume.matrix[:3, :3] / volume.spacing).ravel().tolist())
    image.SetOrigin(volume.matrix[:3, 3].tolist())
    return image


def _layers(path: Path) -> Volume | None:
    """The union of the layers of a segmentation whose segments overlap; None for one with a single layer."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES).split(b"\n\n", maxsplit=1)[0]
    reader = sitk.ImageFileReader()
    reader.SetImageIO("NrrdImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size, count = reader.GetSize(), reader.GetNumberOfComponents()
        if count == 1:
            return None
        if len(size) != _SPACE or np.prod(size, dtype=float) * count > MOST_VOXELS:
            raise InputError(path, f"its header claims {' x '.join(map(str, size))} voxels in {count} layers", "")
        if re.search(rb"^data ?file:", header, re.IGNORECASE | re.MULTILINE):
            raise InputError(path, "its values lie in another file", "")
        with quiet_itk():
            image = reader.Execute()
    except RuntimeError as error:
        raise InputError(path, "it cannot be read as NRRD, it is damaged or cut short", "") from error
    union = (sitk.GetArrayViewFromImage(image) != 0).any(axis=-1)
    return Volume(union.astype(np.uint8), index_to_point_matrix(image))
