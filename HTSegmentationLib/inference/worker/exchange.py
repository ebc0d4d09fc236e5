"""Images as files between parent and worker."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from HTSegmentationLib.ct.whole_image import require_same_voxels
from HTSegmentationLib.errors import InputError, OutputError
from HTSegmentationLib.files import written_whole

EXCHANGE_FORMAT = ".nrrd"
"""Keeps spacing, origin and directions to the last digit, which NIfTI does not."""


def write_exchange(path: str | Path, image: sitk.Image) -> None:
    """Writes voxels and geometry alone: what else a scan carries, as a name, is nobody's business.

    Args:
        path: Ends in ``.nrrd`` unless the user named the file.
        image: The image.

    Raises:
        OutputError: It could not be written whole.
    """
    plain = sitk.Image(image)
    for key in plain.GetMetaDataKeys():
        plain.EraseMetaData(key)
    with written_whole(path) as temporary:
        try:
            sitk.WriteImage(plain, str(temporary), useCompression=False)
        except RuntimeError as error:
            raise _not_whole(path) from error
        require_same_voxels(temporary, plain, path)


def read_exchange(path: str | Path) -> sitk.Image:
    """Reads an image.

    Raises:
        InputError: It is not there or no image.
    """
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(path, "it cannot be read as an image", "write it again") from error


def _not_whole(path: str | Path) -> OutputError:
    return OutputError(path, "it could not be written whole", "free space or choose another place")
