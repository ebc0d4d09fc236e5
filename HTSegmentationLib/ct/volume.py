"""A volume as its file holds it: values and the matrix that places them in the patient, rectangular or not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import nearest_rotation
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.remark import Remark

_CORNER_TOLERANCE_VOXELS = 0.2
"""A grid whose corners are no further than this from a rectangular one's differs from it only by rounding."""

_RIGHT_ANGLE = 1e-3
"""Two axes whose directions have a scalar product below this stand at a right angle, within 0.06 degrees."""


@dataclass(frozen=True)
class Volume:
    """What a volume file holds.

    Args:
        pixels: Values, shape (z, y, x), of any number type.
        matrix: 4x4, from index (x, y, z, 1) to LPS point in mm.
        remarks: What must be said of the file.
    """

    pixels: np.ndarray
    matrix: np.ndarray
    remarks: tuple[Remark, ...] = ()

    @property
    def spacing(self) -> np.ndarray:
        """Lengths in mm of the voxel's edges (x, y, z)."""
        return np.linalg.norm(self.matrix[:3, :3], axis=0)

    def is_rectangular(self) -> bool:
        """Whether the axes stand at right angles, within what rounding explains."""
        axes = self.matrix[:3, :3] / self.spacing
        wrong = (axes - nearest_rotation(axes)) * self.spacing * np.array(self.pixels.shape[::-1])
        return bool(np.abs(wrong).sum(axis=1).max() <= _CORNER_TOLERANCE_VOXELS * self.spacing.min())

    def image(self, pixels: np.ndarray) -> sitk.Image:
        """A rectangular volume's place in the patient, with the values ``pixels`` (z, y, x)."""
        image = sitk.GetImageFromArray(pixels)
        image.SetSpacing(self.spacing.tolist())
        image.SetDirection(nearest_rotation(self.matrix[:3, :3] / self.spacing).ravel().tolist())
        image.SetOrigin(self.matrix[:3, 3].tolist())
        return image

    def stack(self, pixels: np.ndarray) -> SliceStack | None:
        """A sheared volume as a pile of slices, with the values ``pixels`` (z, y, x).

        The slices lie in the two axes that stand at a right angle. None if no two do.
        """
        axes = self.matrix[:3, :3] / self.spacing
        square = [pair for pair in combinations((0, 1, 2), 2) if abs(axes[:, pair[0]] @ axes[:, pair[1]]) <= _RIGHT_ANGLE]
        if not square:
            return None
        x, y = square[0]
        z = 3 - x - y
        normal = np.cross(axes[:, x], axes[:, y])
        normal = normal / np.linalg.norm(normal) * np.sign(normal @ axes[:, z])
        steps = np.arange(pixels.shape[2 - z])
        return SliceStack(
            pixels=pixels.transpose(2 - z, 2 - y, 2 - x),
            positions=self.matrix[:3, 3] + steps[:, None] * self.matrix[:3, z],
            row=axes[:, x],
            column=axes[:, y],
            normal=normal,
            spacing=(float(self.spacing[x]), float(self.spacing[y])),
        )
