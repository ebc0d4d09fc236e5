"""What every segmentation method, threshold or network, takes and gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.roi import Roi


@dataclass(frozen=True)
class Label:
    """One class of a mask.

    Args:
        value: The voxel value in the mask, 1 or more.
        name: The name that users read.
        code: SNOMED CT code of the finding.
        meaning: SNOMED CT meaning that goes with the code.
        color: Red, green, blue, each 0 to 255.
    """

    value: int
    name: str
    code: str
    meaning: str
    color: tuple[int, int, int]


HEMORRHAGE = Label(value=1, name="Hemorrhage", code="50960005", meaning="Hemorrhage", color=(188, 65, 28))
"""Hemorrhage as 3D Slicer's own terminology has it: SNOMED CT 50960005, and the colour that goes with it."""


_LOW_BELOW, _HIGH_FROM = 0.4, 0.7
"""Where confidence is low, and from where on it is high: masks called low are more often wrong than right."""


class Details(Protocol):
    """What one method alone has to tell of a run."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        ...

    def explain(self) -> list[str]:
        """A few sentences that a clinician reads."""
        ...


@dataclass(frozen=True)
class Confidence:
    """How sure a method is of its mask.

    Args:
        value: From 0 to 1: about the share of such masks that agree substantially (Dice 0.6 or more) with the truth.
        reason: What speaks most against the mask, in words a clinician reads; what speaks for it when nothing does.
    """

    value: float
    reason: str

    @property
    def word(self) -> str:
        """Low below 0.4, moderate below 0.7, or high."""
        return "low" if self.value < _LOW_BELOW else "moderate" if self.value < _HIGH_FROM else "high"

    def __str__(self) -> str:
        return f"{self.word} ({self.value:.2f}): {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"value": round(self.value, 3), "word": self.word, "reason": self.reason}


@dataclass(frozen=True)
class PreparedScan:
    """A scan with what does not depend on the ROI, made once and used for any number of segmentations.

    Args:
        scan: The scan itself.
        brain_mask: 1 inside the skull, 0 elsewhere; ``sitkUInt8`` on the scan's grid.
        tissue_mask: The same without the rim that bone's blur makes denser than any blood; what thresholds work on.
        brain_volume_ml: Volume inside the skull in mL.
        remarks: The scan's remarks and those of the preparation.
        stage_seconds: Wall time of each stage in s.
    """

    scan: CTScan
    brain_mask: sitk.Image
    tissue_mask: sitk.Image
    brain_volume_ml: float
    remarks: tuple[Remark, ...] = ()
    stage_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SegmentationResult:
    """What a method found.

    Args:
        method: The method's name in the registry, as ``"adaptive"``.
        mask: Label values on the scan's own grid, ``sitkUInt8``, 0 is background.
        labels: What the values mean.
        parameters: The parameters as plain values.
        brain_volume_ml: Volume inside the skull in mL.
        remarks: Everything that must reach the user, those of scan, preparation and ROI included.
        stage_seconds: Wall time of each stage in s, the preparation included.
        details: What this method alone has to tell.
        probability: Probability of the first label on the scan's grid, ``sitkFloat32``, if the method has one.
        confidence: How sure the method is of the first label, if it can tell.
        uncertainty_ml: One standard deviation of the first label's volume in mL, from partial volume and from how steeply
            the volume changes with the threshold, if the method can tell.
    """

    method: str
    mask: sitk.Image
    labels: tuple[Label, ...]
    parameters: Mapping[str, Any]
    brain_volume_ml: float
    remarks: tuple[Remark, ...]
    stage_seconds: Mapping[str, float]
    details: Details | None = None
    probability: sitk.Image | None = None
    confidence: Confidence | None = None
    uncertainty_ml: float | None = None

    def volume_ml(self, label: Label = HEMORRHAGE) -> float:
        """Volume of one label in mL, from the grid's true geometry."""
        voxels = int((sitk.GetArrayViewFromImage(self.mask) == label.value).sum())
        return voxels_to_ml(voxels, self.mask)


class Segmenter(ABC):
    """A segmentation method with its parameters.

    Example:
        >>> from HTSegmentationLib import AdaptiveThreshold, read_ct, roi_from_box   # doctest: +SKIP
        >>> scan = read_ct("head.nii.gz")                                            # doctest: +SKIP
        >>> roi = roi_from_box(scan.image, (10, 60, -20, 40, 50, 90))                # doctest: +SKIP
        >>> AdaptiveThreshold().run(scan, roi).volume_ml()                           # doctest: +SKIP
    """

    name: ClassVar[str]
    """The method's name on the command line and in records."""

    title: ClassVar[str]
    """The method's name as users read it."""

    @abstractmethod
    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Does what does not depend on the ROI.

        Raises:
            SegmentationError: No brain is found in the scan.
        """

    @abstractmethod
    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments a prepared scan inside the ROI; methods that can do without one take None.

        Raises:
            ROIError: The ROI is not on the scan's grid, or is missing where the method needs one.
        """

    def preview(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments for a mask that follows an ROI while it is drawn.

        The mask is that of :meth:`segment`. Confidence and uncertainty are None where they take longer than the mask.

        Raises:
            ROIError: As :meth:`segment`.
        """
        return self.segment(prepared, roi, progress)

    def run(self, scan: CTScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Prepares the scan and segments it."""
        return self.segment(self.prepare(scan, progress), roi, progress)
