"""Lays two scans of one head upon each other, and says how well that went."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from HTSegmentationLib.cohort.growth.bone_distance import bone_distance_mm
from HTSegmentationLib.cohort.growth.head_copy import HeadCopy
from HTSegmentationLib.cohort.growth.rigid_fit import Pose, RigidFit
from HTSegmentationLib.ct.geometry import nearest_rotation
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark, Severity

_START_ANGLES_DEG = (-20.0, 0.0, 20.0)
"""Starts are turned by these about each axis: none is further than some 10 degrees from a head that lies within 30."""

_COARSE = 3
"""The starts are tried on cubes three times as long, 7.5 mm."""

_TRIED_STARTS = 16
"""How many of the starts, the best ones, are fitted."""

_COARSE_ROUNDS, _COARSE_UNTIL_MM = 25, 0.2
"""Of the fits of all starts."""

_FINE_ROUNDS, _FINE_UNTIL_MM = 30, 0.01
"""Of the last fit."""

_END_PERCENTILES = (1, 99)
"""The skull's lower and upper end, but for a spike or two."""

_DOUBTFUL_MM = 3.0
"""Two scans of one simulated head stay below it, turned by up to 40 degrees in between and with slices of 2.5 to 5 mm; of
pairs of two simulated heads, which are more alike than people's, 67 of 69 come to more."""

_DOUBTFUL_CORRELATION = 0.9
"""The same: one head gives more, most pairs of two heads give less."""


@dataclass(frozen=True)
class Alignment:
    """Where the points of the baseline scan lie in the follow-up scan.

    Args:
        transform: From a point of the baseline (LPS mm) to the same point of the head in the follow-up: what
            ``sitk.Resample(followup, baseline, transform)`` needs to bring the follow-up onto the baseline's grid.
        residual_mm: 95th percentile of the distance between both scans' bone surfaces after alignment.
        correlation: Of both scans' values in the head, cut to -150 to 900 HU; 1 is perfect.
        remarks: ``alignment-doubtful`` if it should not be trusted.
        seconds: Wall time.
    """

    transform: sitk.Euler3DTransform
    residual_mm: float
    correlation: float
    remarks: tuple[Remark, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def doubtful(self) -> bool:
        """Whether the scans may be of two heads, or the alignment failed."""
        return bool(self.remarks)

    def matrix(self) -> np.ndarray:
        """The transform as 4x4 matrix on (x, y, z, 1), LPS mm, from baseline to follow-up."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(self.transform.GetMatrix(), (3, 3))
        matrix[:3, 3] = self.transform.TransformPoint((0.0, 0.0, 0.0))
        return matrix

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "baseline_to_followup_lps_mm": self.matrix().round(9).tolist(),
            "residual_mm": self.residual_mm if np.isfinite(self.residual_mm) else None,
            "correlation": self.correlation,
            "doubtful": self.doubtful,
            "seconds": self.seconds,
        }


def align_scans(baseline: CTScan, followup: CTScan, progress: Progress = silent) -> Alignment:
    """Aligns two scans of one patient rigidly, by the skull.

    Both are copied to cubes of 2.5 mm along the patient's axes. From starts turned by 20 degrees about each axis, with the
    skulls' middles, tops or bottoms at one height, the pose is fitted at 7.5 and then at 2.5 mm. Nothing is random: the same
    scans give the same pose. Spacing, tilt and field of view may differ, one scan may show a part of the head only.

    Args:
        baseline: The first scan.
        followup: The later scan, turned by up to some 30 degrees against it.
        progress: Told of the work; may raise :class:`HTSegmentationLib.errors.Cancelled`.

    Returns:
        The alignment; a warning is among its remarks if the skulls do not fit.

    Raises:
        SegmentationError: A scan holds no skull.

    Example:
        >>> align_scans(read_ct("day1"), read_ct("day2")).residual_mm   # doctest: +SKIP
        1.4
    """
    start = time.perf_counter()
    progress("copying the baseline", 0.0)
    first = HeadCopy.of(baseline.image)
    progress("copying the follow-up", 0.3)
    second = HeadCopy.of(followup.image)
    # The smaller part of a head is looked up in the larger one: then nearly all of it is found there.
    swapped = np.count_nonzero(second.head) < np.count_nonzero(first.head)
    fixed, moving = (second, first) if swapped else (first, second)
    progress("aligning", 0.5)
    coarse_fixed, coarse_moving = fixed.shrunk(_COARSE), moving.shrunk(_COARSE)
    coarse = RigidFit(coarse_fixed, coarse_moving)
    starts = sorted(_starts(coarse_fixed, coarse_moving), key=coarse.cost)[:_TRIED_STARTS]
    fitted = [coarse.fit(pose, rounds=_COARSE_ROUNDS, until_mm=_COARSE_UNTIL_MM) for pose in starts]
    progress("aligning", 0.8)
    fine = RigidFit(fixed, moving)
    pose = fine.fit(min(fitted, key=coarse.cost), rounds=_FINE_ROUNDS, until_mm=_FINE_UNTIL_MM)
    progress("checking the alignment", 0.95)
    residual, correlation = bone_distance_mm(fixed, moving, pose), _correlation(*fine.compared(pose))
    transform = _transform(pose.inverse() if swapped else pose, first)
    progress("done", 1.0)
    seconds = time.perf_counter() - start
    return Alignment(transform, residual, correlation, _doubts(residual, correlation), seconds)


def _starts(fixed: HeadCopy, moving: HeadCopy) -> Iterator[Pose]:
    """Every turn, with the skulls' middles, lower ends and upper ends at one height."""
    one, other = (copy.points(np.argwhere(copy.skull)) for copy in (fixed, moving))
    middle, target = one.mean(axis=0), other.mean(axis=0)
    ends = np.percentile(other[:, 2], _END_PERCENTILES) - np.percentile(one[:, 2], _END_PERCENTILES)
    for height in (target[2], *(middle[2] + ends)):
        for angles in itertools.product(_START_ANGLES_DEG, repeat=3):
            turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
            yield Pose.turned_about(middle, turn, np.array([target[0], target[1], height]))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.size == 0 or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _transform(pose: Pose, baseline: HeadCopy) -> sitk.Euler3DTransform:
    """The pose as a turn about the middle of the baseline's skull, so that its shift is the head's."""
    center = baseline.points(np.argwhere(baseline.skull)).mean(axis=0)
    transform = sitk.Euler3DTransform()
    transform.SetCenter(center.tolist())
    transform.SetMatrix(nearest_rotation(pose.rotation).ravel().tolist())
    transform.SetTranslation((pose.moved(center[None])[0] - center).tolist())
    return transform


def _doubts(residual_mm: float, correlation: float) -> tuple[Remark, ...]:
    if residual_mm <= _DOUBTFUL_MM and correlation >= _DOUBTFUL_CORRELATION:
        return ()
    apart = f"are {residual_mm:.1f} mm apart (95th percentile)" if np.isfinite(residual_mm) else "have no bone in common"
    text = (
        f"The skulls of the two scans {apart} and correlate by {correlation:.2f} after alignment; one head gives less than "
        f"{_DOUBTFUL_MM:g} mm and more than {_DOUBTFUL_CORRELATION:g}. They may be of two patients, or the skull was "
        "operated on in between: look at the aligned picture. The volumes do not depend on the alignment."
    )
    return (Remark("alignment-doubtful", text, Severity.WARNING),)
