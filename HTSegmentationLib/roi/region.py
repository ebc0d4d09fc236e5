"""The region of interest on a scan's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import bounding_box, crop, empty_like, same_grid, voxels_to_ml
from HTSegmentationLib.errors import ROIError
from HTSegmentationLib.remark import Remark


@dataclass(frozen=True)
class Roi:
    """A region of interest on a scan's grid, kept as its bounding box only.

    Args:
        mask: 0 and 1, ``sitkUInt8``, cut to the ROI's bounding box; its origin lies on the scan's grid.
        index: Index (x, y, z) of the box's first voxel in the scan.
        scan_size: Size (x, y, z) of the scan's grid.
        sources: The files or flags that it came from.
        remarks: What the user must be told of it.
    """

    mask: sitk.Image
    index: tuple[int, int, int]
    scan_size: tuple[int, int, int]
    sources: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def from_mask(cls, mask: sitk.Image, sources: tuple[str, ...] = (), remarks: tuple[Remark, ...] = ()) -> Roi:
        """The ROI of all voxels above zero in a mask that lies on the scan's own grid.

        Raises:
            ROIError: No voxel is above zero.
        """
        box = bounding_box(mask)
        if box is None:
            raise ROIError(f"{', '.join(sources) or 'the ROI'}: it holds no voxel of the scan; draw it larger")
        cut = sitk.Cast(crop(mask, *box) > 0, sitk.sitkUInt8)
        return cls(cut, box[0], mask.GetSize(), sources, remarks)

    @property
    def voxel_count(self) -> int:
        """How many voxels of the scan it holds."""
        return int(np.count_nonzero(sitk.GetArrayViewFromImage(self.mask)))

    @property
    def volume_ml(self) -> float:
        """Its volume in mL."""
        return voxels_to_ml(self.voxel_count, self.mask)

    def on_grid(self, image: sitk.Image) -> sitk.Image:
        """The ROI as a mask of the whole grid of ``image``.

        Raises:
            ROIError: ``image`` has another grid than the scan that the ROI was made for.
        """
        self.require_grid(image)
        return sitk.Paste(empty_like(image), self.mask, self.mask.GetSize(), destinationIndex=self.index)

    def require_grid(self, image: sitk.Image) -> None:
        """Checks that the ROI was made for the grid of ``image``.

        Raises:
            ROIError: It was not.
        """
        if image.GetSize() == self.scan_size and same_grid(crop(image, self.index, self.mask.GetSize()), self.mask):
            return
        raise ROIError(
            f"the ROI was made for a grid of {self.scan_size} voxels, the scan has {image.GetSize()}; make it anew"
        )
