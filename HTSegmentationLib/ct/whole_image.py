"""Whether an image that was written is whole: ITK leaves half a file on a full disk, of most formats without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.errors import OutputError


def require_same_voxels(written: str | Path, image: sitk.Image, path: str | Path | None = None) -> None:
    """Reads an image that was written, and compares.

    Args:
        written: The file.
        image: What was written.
        path: The file's name in messages, if it will be another.

    Raises:
        OutputError: The file holds something else.
    """
    try:
        found = sitk.ReadImage(str(written))
    except RuntimeError as error:
        raise _not_whole(path or written) from error
    same = found.GetSize() == image.GetSize() and np.array_equal(
        sitk.GetArrayViewFromImage(found), sitk.GetArrayViewFromImage(image), equal_nan=True
    )
    if not same:
        raise _not_whole(path or written)


def _not_whole(path: str | Path) -> OutputError:
    return OutputError(path, "it could not be written whole", "free space or choose another place")
