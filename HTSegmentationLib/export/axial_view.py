"""Axial slices as radiologists look at them: the patient's right on the picture's left, anterior on top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import index_to_point_matrix, slice_axis, slice_number


@dataclass(frozen=True)
class AxialView:
    """How slices of one grid are turned so that they are seen from the patient's feet.

    Args:
        grid: An image with the grid; only its geometry is used.

    Example:
        >>> AxialView(sitk.Image(4, 6, 3, sitk.sitkInt16)).pixel_mm
        (1.0, 1.0)
    """

    grid: sitk.Image

    @property
    def count(self) -> int:
        """How many slices there are."""
        return self.grid.GetSize()[slice_axis(self.grid)]

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Width and height of a pixel of the picture in mm."""
        across, down = self._axes()
        lengths = np.linalg.norm(self._steps(), axis=0)
        return float(lengths[across]), float(lengths[down])

    def index(self, number: int) -> int:
        """Index along the slice axis of the slice of this number, counted from 1 at the inferior end."""
        return number - 1 if slice_number(self.grid, 0) == 1 else self.count - number

    def height_mm(self, number: int) -> float:
        """Position of the slice's middle along the patient's head-foot axis in mm; superior is positive."""
        middle = (np.array(self.grid.GetSize()) - 1) / 2
        middle[slice_axis(self.grid)] = self.index(number)
        return float((index_to_point_matrix(self.grid) @ [*middle, 1.0])[2])

    def picture(self, image: sitk.Image, number: int) -> np.ndarray:
        """A slice of an image on this grid: rows from anterior to posterior, columns from the patient's right to left.

        Args:
            image: The scan or a mask.
            number: The slice's number, counted from 1 at the inferior end.
        """
        across, down = self._axes()
        stack = sitk.GetArrayViewFromImage(image).transpose(2 - slice_axis(self.grid), 2 - down, 2 - across)
        steps = self._steps()
        rows = slice(None, None, -1 if steps[1, down] < 0 else 1)
        columns = slice(None, None, -1 if steps[0, across] < 0 else 1)
        return stack[self.index(number)][rows, columns]

    def areas(self, mask: sitk.Image) -> np.ndarray:
        """Number of voxels above zero in each slice, from slice 1 on; shape (count,)."""
        others = tuple(axis for axis in range(3) if axis != 2 - slice_axis(self.grid))
        areas = np.count_nonzero(sitk.GetArrayViewFromImage(mask), axis=others)
        return areas if slice_number(self.grid, 0) == 1 else areas[::-1]

    def _axes(self) -> tuple[int, int]:
        """The index axes that run across and down the picture."""
        first, second = (axis for axis in range(3) if axis != slice_axis(self.grid))
        unit = np.abs(self._steps() / np.linalg.norm(self._steps(), axis=0))
        straight = unit[0, first] + unit[1, second] >= unit[0, second] + unit[1, first]
        return (first, second) if straight else (second, first)

    def _steps(self) -> np.ndarray:
        return index_to_point_matrix(self.grid)[:3, :3]


def chosen_slices(areas: np.ndarray, most: int) -> list[int]:
    """Numbers of slices, evenly chosen among those that hold something, that of the largest area always among them.

    Args:
        areas: Area of what is to be seen in each slice, from slice 1 on.
        most: How many slices at most; at least 1.

    Returns:
        Slice numbers, counted from 1, in ascending order; evenly from the whole stack if no slice holds anything.

    Example:
        >>> chosen_slices(np.array([0, 0, 5, 9, 3, 0]), most=8)
        [2, 3, 4, 5, 6]
        >>> chosen_slices(np.array([0, 4, 0, 0, 9, 0]), most=8)
        [1, 2, 5, 6]
    """
    held = np.flatnonzero(areas)
    # One slice beyond each end shows that what is seen ends there.
    ends = [held[0] - 1, held[-1] + 1] if held.size else []
    candidates = np.union1d(held, [end for end in ends if 0 <= end < len(areas)]) if held.size else np.arange(len(areas))
    candidates = candidates.astype(int)
    picks = candidates[np.unique(np.linspace(0, len(candidates) - 1, min(most, len(candidates))).round().astype(int))]
    if held.size:
        largest = int(np.argmax(areas))
        picks[np.argmin(np.abs(picks - largest))] = largest
    return sorted(int(pick) + 1 for pick in picks)
