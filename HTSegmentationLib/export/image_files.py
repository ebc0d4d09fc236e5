"""Images as files, each written whole or not at all, with nothing in them but voxels and geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import index_to_point_matrix
from HTSegmentationLib.ct.whole_image import require_same_voxels
from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.files import require_writable, written_whole

IMAGE_FORMATS = (".nii.gz", ".nii", ".nrrd", ".mha")
"""The endings that an image's file name may have: NIfTI, NRRD and MetaImage; all but ``.nii`` are compressed."""

_RIGHT_ANGLE_TOLERANCE = 1e-4
"""Largest dot product of two axes that count as being at right angles: 0.006 degrees, 0.03 mm over a head."""


def require_image_path(path: str | Path, formats: tuple[str, ...] = IMAGE_FORMATS) -> str:
    """Checks that an image can be written under this name, before any work is done.

    Args:
        path: The file's name.
        formats: The endings that it may have; the first that fits is taken.

    Returns:
        The ending that decides the format.

    Raises:
        UsageError: The name ends in none of these ways.
        OutputError: The file's folder is missing or cannot be written to.

    Example:
        >>> require_image_path("/tmp/head.NII.gz")
        '.nii.gz'
    """
    ending = next((known for known in formats if str(path).lower().endswith(known)), None)
    if ending is None:
        raise UsageError(f"{path}: it cannot be written in this format; give a name that ends in {', '.join(formats)}")
    require_writable(path)
    return ending


def write_image(path: str | Path, image: sitk.Image) -> None:
    """Writes an image; the name's ending decides the format.

    Args:
        path: Ends in ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``.
        image: Any image of three dimensions; metadata that it carries is left out.

    Raises:
        UsageError: The name ends in another way, or NIfTI cannot hold the grid.
        OutputError: The file cannot be written.

    Example:
        >>> write_image("head.nii.gz", scan.image)   # doctest: +SKIP
    """
    write_with_fields(path, image, {}, require_image_path(path))


def write_with_fields(path: str | Path, image: sitk.Image, fields: dict[str, str], ending: str) -> None:
    """Writes an image with header fields of its own in the format of ``ending``.

    Args:
        path: The file's name, checked already.
        image: The image; the metadata that it carries is left out.
        fields: Header fields, for NRRD.
        ending: The format, in lower case.

    Raises:
        UsageError: NIfTI cannot hold the grid.
        OutputError: The file cannot be written.
    """
    bare = sitk.Cast(image, image.GetPixelID())
    for key in bare.GetMetaDataKeys():
        bare.EraseMetaData(key)
    for key, value in fields.items():
        bare.SetMetaData(key, value)
    if ending.startswith(".nii"):
        _require_right_angles(path, bare)
    with written_whole(path) as temporary:
        # ITK chooses the format by the ending, in lower case only.
        draft = temporary.with_name(f"{temporary.name[: -len(ending)]}-draft{ending}")
        try:
            sitk.WriteImage(bare, str(draft), useCompression=True)
            require_same_voxels(draft, bare, path)
            draft.replace(temporary)
        except RuntimeError as error:
            raise OutputError(path, "ITK could not write it", "free space or choose another place") from error
        finally:
            draft.unlink(missing_ok=True)


def _require_right_angles(path: str | Path, image: sitk.Image) -> None:
    """ITK would write a skewed grid as a straight one, with every voxel in a wrong place."""
    steps = index_to_point_matrix(image)[:3, :3]
    unit = steps / np.linalg.norm(steps, axis=0)
    if np.abs(unit.T @ unit - np.eye(3)).max() > _RIGHT_ANGLE_TOLERANCE:
        raise UsageError(f"{path}: NIfTI cannot hold the image's skewed grid; write .nrrd or .mha")
