"""Pixel values on their way to Hounsfield units: offsets, values that no CT measures, and the smallest exact type."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from HTSegmentationLib.ct.regular_grid import AIR_HU
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark, Severity

_MOST_NOT_NUMBERS = 0.8
"""Above this share of voxels that are no numbers the file is refused: not even the background explains it."""

_INT16 = np.iinfo(np.int16)


def tidy_values(pixels: np.ndarray, path: str | Path, hu_offset: float, padded: int = 0) -> tuple[np.ndarray, list[Remark]]:
    """Adds the user's offset, sets what no CT measures to air, and gives int16 where that is exact, else float32.

    Args:
        pixels: Values of the slices, shape (slices, rows, columns), of any number type; changed in place if it can be.
        path: What the user gave, for messages.
        hu_offset: HU to add to every voxel.
        padded: How many voxels were already set to air since the file marks them as padding.

    Returns:
        HU as int16 if all are whole numbers within its range, else float32, and remarks.

    Raises:
        InputError: Most of the values are no numbers.
    """
    remarks = []
    pixels, not_numbers = _finite(pixels, path)
    remarks += not_numbers
    if hu_offset:
        pixels = _shifted(pixels, hu_offset)
        remarks.append(offset_remark(hu_offset))
    lowest = float(pixels.min())
    below = int(np.count_nonzero(pixels < AIR_HU))
    if below:
        pixels = pixels if pixels.flags.writeable else pixels.copy()
        np.maximum(pixels, AIR_HU, out=pixels)
    if below or padded:
        remarks.append(_padding_remark(below, padded, lowest, pixels.size))
    return _smallest_exact(pixels), remarks


def offset_remark(hu_offset: float) -> Remark:
    """What is said of an offset that the user asked for."""
    return Remark("hu-offset-added", f"{hu_offset:+g} HU were added to every voxel, as asked for.")


def _finite(pixels: np.ndarray, path: str | Path) -> tuple[np.ndarray, list[Remark]]:
    if pixels.dtype.kind != "f":
        return pixels, []
    bad = sum(int(np.count_nonzero(~np.isfinite(plane))) for plane in pixels)
    if not bad:
        return pixels, []
    share = bad / pixels.size
    if share > _MOST_NOT_NUMBERS:
        problem = (
            f"{100 * share:.0f}% of its voxels are no numbers (NaN or infinite), {100 * _MOST_NOT_NUMBERS:.0f}% are allowed"
        )
        raise InputError(path, problem, "export the scan again")
    pixels = pixels if pixels.flags.writeable else pixels.copy()
    for plane in pixels:
        plane[~np.isfinite(plane)] = AIR_HU
    text = f"{100 * share:.2f}% of the voxels ({bad}) are no numbers (NaN or infinite) and were set to air, {AIR_HU} HU."
    return pixels, [Remark("not-a-number-set-to-air", text, Severity.CAUTION)]


def _shifted(pixels: np.ndarray, offset: float) -> np.ndarray:
    """The values with the offset added, in a type that holds the sums."""
    if pixels.dtype.kind == "f" or not float(offset).is_integer():
        return np.asarray(pixels, dtype=np.float32) + np.float32(offset)
    low, high = int(pixels.min()) + int(offset), int(pixels.max()) + int(offset)
    if low >= _INT16.min and high <= _INT16.max:
        # Sums of 16 bits wrap around and come out right, since all of them are known to fit; no wider copy is needed.
        return pixels.astype(np.int16) + np.int16(int(offset))
    return pixels.astype(np.float32) + np.float32(offset)


def _padding_remark(below: int, padded: int, lowest: float, count: int) -> Remark:
    parts = []
    if padded:
        parts.append(f"{100 * padded / count:.1f}% of the voxels are marked in the files as outside the reconstruction")
    if below:
        parts.append(
            f"{100 * below / count:.1f}% of the voxels were below {AIR_HU} HU (the lowest {lowest:g}), which is no tissue"
        )
    return Remark("padding-set-to-air", f"{' and '.join(parts)}; they were set to air, {AIR_HU} HU.")


def _smallest_exact(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.int16:
        return pixels
    if pixels.min() >= _INT16.min and pixels.max() <= _INT16.max:
        if pixels.dtype.kind in "iub":
            return pixels.astype(np.int16)
        if all(np.array_equal(plane, np.rint(plane)) for plane in pixels):
            return pixels.astype(np.int16)
    return pixels.astype(np.float32, copy=False)
