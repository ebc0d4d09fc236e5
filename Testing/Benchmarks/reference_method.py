"""The adaptive-threshold paper done step by step at full resolution, as a careful reader would write it.

Plain SimpleITK calls on the whole volume. It is the yardstick of the benchmark and of the tests: the product must give the
same mask, faster.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

RULES = ((0.0, 35, 65), (2.3, 40, 70), (6.0, 45, 75), (11.0, 50, 80), (float("inf"), 55, 85))


@dataclass
class ReferenceRun:
    """Mask and wall time of each stage in s."""

    mask: sitk.Image | None = None
    brain: sitk.Image | None = None
    sd: float = 0.0
    window: tuple[int, int] = (0, 0)
    seconds: dict[str, float] = field(default_factory=dict)


def skull_strip(image: sitk.Image, run: ReferenceRun) -> sitk.Image:
    start = time.perf_counter()
    smooth = sitk.SmoothingRecursiveGaussian(sitk.Cast(image, sitk.sitkFloat32), 1.0)
    clamped = sitk.Clamp(smooth, sitk.sitkFloat32, -200, 300)
    classes = sitk.ScalarImageKmeans(clamped, [-200.0, -80.0, 35.0, 300.0])
    run.seconds["k-means"] = time.perf_counter() - start
    start = time.perf_counter()
    spacing = image.GetSpacing()
    radius = [max(1, round(5 / s)) for s in spacing]
    brain = sitk.BinaryErode(classes == 2, radius)
    brain = sitk.RelabelComponent(sitk.ConnectedComponent(brain), sortByObjectSize=True) == 1
    brain = sitk.BinaryDilate(brain, radius)
    level = sitk.SignedMaurerDistanceMap(brain, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
    level_set = sitk.ThresholdSegmentationLevelSetImageFilter()
    level_set.SetLowerThreshold(-10)
    level_set.SetUpperThreshold(165)
    level_set.SetNumberOfIterations(20)
    mask = sitk.BinaryFillhole(level_set.Execute(level, sitk.Cast(image, sitk.sitkFloat32)) < 0)
    run.seconds["level set"] = time.perf_counter() - start
    return mask


def segment(image: sitk.Image, roi: sitk.Image, brain: sitk.Image | None = None) -> ReferenceRun:
    """The whole method; with ``brain`` given, that skull strip is taken instead of the reference's own."""
    run = ReferenceRun()
    run.brain = skull_strip(image, run) if brain is None else brain
    start = time.perf_counter()
    stripped = sitk.Mask(sitk.Cast(image, sitk.sitkFloat32), run.brain)
    denoised = sitk.SmoothingRecursiveGaussian(stripped, 1.0)
    enhanced = sitk.UnsharpMask(denoised, sigmas=[1.0, 1.0, 1.0], amount=0.5, threshold=0.0)
    run.seconds["filters"] = time.perf_counter() - start
    start = time.perf_counter()
    allowed = roi & run.brain
    first = sitk.BinaryThreshold(enhanced, 50, 80, 1, 0) & allowed
    values = sitk.GetArrayFromImage(image)[sitk.GetArrayFromImage(first) > 0].astype(float)
    run.sd = float(np.std(values, ddof=1)) if values.size > 1 else 0.0
    run.window = next((lower, upper) for border, lower, upper in RULES if run.sd <= border)
    second = sitk.BinaryThreshold(enhanced, *run.window, 1, 0) & allowed
    run.mask = sitk.BinaryMorphologicalClosing(second, [2, 2, 0], sitk.sitkBall) & allowed
    run.seconds["thresholds and closing"] = time.perf_counter() - start
    return run
