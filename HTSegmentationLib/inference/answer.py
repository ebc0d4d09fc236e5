"""From a network's probabilities to a mask on the scan's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image, bounding_box, crop, empty_like
from HTSegmentationLib.inference.network_grid import NetworkGrid
from HTSegmentationLib.segmenter import Label

_USUAL_THRESHOLD = 0.5
"""Classes that do not exclude each other (sigmoid) have no most probable one; above one half is what is meant."""


@dataclass(frozen=True)
class Answer:
    """What a network found, on the scan's grid.

    Args:
        mask: Label values, ``sitkUInt8``.
        probability: Probability of the first label, ``sitkFloat32``.
    """

    mask: sitk.Image
    probability: sitk.Image


def answer_on_scan(
    probabilities: np.ndarray,
    grid: NetworkGrid,
    allowed: sitk.Image,
    labels: Sequence[Label],
    *,
    activation: str = "softmax",
    threshold: float | None = None,
) -> Answer:
    """Brings probabilities to the scan's grid and decides there.

    Probabilities are interpolated, not labels: a border then lies where two classes are equally probable, between the
    voxels of the network's grid, and volumes keep no steps of its voxels. Each class is brought over alone, so that memory
    does not grow with their number.

    Args:
        probabilities: float32 (classes, z, y, x) on ``grid``; the background is class 0, a label's class is its value.
        grid: The network's grid.
        allowed: 1 where a label may lie, on the scan's grid: in the brain, and in the ROI if there is one.
        labels: The model's labels, the first one first.
        activation: ``"softmax"``: without a threshold the most probable class wins, the background on a tie;
            ``"sigmoid"``: without one it is 0.5.
        threshold: A label wins that is more probable than this and than every other label.

    Returns:
        Mask and probability, both zero outside ``allowed``.
    """
    box = bounding_box(allowed)
    whole, likely = empty_like(allowed), empty_like(allowed, sitk.sitkFloat32)
    if box is None:
        return Answer(whole, likely)
    part = crop(allowed, *box)
    inside = sitk.GetArrayViewFromImage(part) > 0
    if activation == "sigmoid" and threshold is None:
        threshold = _USUAL_THRESHOLD
    best = grid.back(probabilities[0], part, 1.0) if threshold is None else np.full(inside.shape, threshold, np.float32)
    mask = np.zeros(inside.shape, np.uint8)
    first = np.zeros(inside.shape, np.float32)
    for label in sorted(labels, key=lambda label: label.value):
        own = grid.back(probabilities[label.value], part, 0.0)
        mask[(own > best) & inside] = label.value
        np.maximum(best, own, out=best)
        if label is labels[0]:
            first = np.where(inside, own, np.float32(0))
    return Answer(
        sitk.Paste(whole, array_to_image(mask, part), part.GetSize(), destinationIndex=box[0]),
        sitk.Paste(likely, array_to_image(first, part), part.GetSize(), destinationIndex=box[0]),
    )
