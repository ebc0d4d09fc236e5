"""The symmetric modality: each half of the brain beside what its mirror image shows.

Source: Abramova et al. 2021, section 2.1.2: the brain is flipped and registered to itself, and the network gets it as a
second channel, because a hemorrhage lies in one hemisphere (Table 4). The paper registers with FLIRT, in about 4 minutes
with the other preparations; here a shrunk copy is fitted, since a rigid fit of a brain needs no fine voxels.
"""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk
from scipy import optimize

from HTSegmentationLib.ct.geometry import bounding_box, crop, grown_box
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.segmenter import PreparedScan

_WORKING_MM = 3.0
"""Voxel size of the shrunk copy; thicker slices stay as they are."""

_WINDOW_HU = (0.0, 30.0)
"""What the fit looks at: CSF against brain, and the brain's outline. Blood passes for brain, since a fit that saw it would
turn the plane until the bleed lies on itself, where the symmetric modality shows nothing."""

_MARGIN_VOXELS = 3
"""Room about the brain on the shrunk copy, so that its outline weighs in the fit on all sides."""

_BRAIN_RADIUS_MM = 60.0
"""An angle times this is how far the plane moves at the brain's border: all three unknowns are then in mm."""

_STARTS_MM = (-18.0, 0.0, 18.0)
"""Where the fit looks first, in each of both angles: 17 degrees to either side, as heads lie in a scanner."""

_TOLERANCE_MM = 0.05
"""The fit ends when the plane moves by less than this."""

_USUAL_CALLS = 200
"""Comparisons that a fit takes about; for its progress."""


def mirror_transform(prepared: PreparedScan, progress: Progress = silent) -> sitk.Transform:
    """Finds the plane about which the brain mirrors itself best.

    A flipped brain that is registered rigidly to itself is the brain mirrored about another plane. So the plane itself is
    fitted, three numbers (turn, tilt to a side, place) instead of six, by the mean squared difference of the clipped HU of
    brain and mirror image. The result is the same each time.

    Args:
        prepared: The scan with its brain mask.
        progress: Told each comparison; may stop the work.

    Returns:
        From a point in the patient (LPS mm) to its mirror image, for use with ``sitk.Resample``.

    Example:
        >>> mirrored = sitk.Resample(scan.image, mirror_transform(prepare(scan)))   # doctest: +SKIP
    """
    brain = _shrunk_brain(prepared)
    first, size = bounding_box(brain > 0)
    middle = brain.TransformContinuousIndexToPhysicalPoint([i + (n - 1) / 2 for i, n in zip(first, size, strict=True)])
    values = sitk.GetArrayViewFromImage(brain)
    calls = itertools.count()

    def difference(unknowns: np.ndarray) -> float:
        progress("symmetric modality", min(next(calls) / _USUAL_CALLS, 1.0))
        mirrored = sitk.Resample(brain, _reflection(unknowns, middle))
        return float(np.mean((sitk.GetArrayViewFromImage(mirrored) - values) ** 2, dtype=np.float64))

    starts = [np.array([turn, tilt, 0.0]) for turn, tilt in itertools.product(_STARTS_MM, repeat=2)]
    best = min(starts, key=difference)
    options = {"xtol": _TOLERANCE_MM / _BRAIN_RADIUS_MM, "ftol": 1e-5}
    fitted = optimize.minimize(difference, best, method="Powell", options=options)
    progress("symmetric modality", 1.0)
    return _reflection(fitted.x, middle)


def _shrunk_brain(prepared: PreparedScan) -> sitk.Image:
    """The brain's clipped HU at about 3 mm, 0 outside the skull."""
    image, mask = prepared.scan.image, prepared.brain_mask
    factors = [max(1, round(_WORKING_MM / spacing)) for spacing in image.GetSpacing()]
    margin = [_MARGIN_VOXELS * factor for factor in factors]
    box = grown_box(*bounding_box(mask), margin, image.GetSize())
    low, high = _WINDOW_HU
    inside = sitk.Clamp(crop(image, *box), sitk.sitkFloat32, low, high) * sitk.Cast(crop(mask, *box), sitk.sitkFloat32)
    return sitk.BinShrink(inside, factors)


def _reflection(unknowns: np.ndarray, middle: tuple[float, ...]) -> sitk.AffineTransform:
    """The mirror about a plane: its turn, its tilt and its distance from the middle, each in mm at the brain's border."""
    turn, tilt = unknowns[:2] / _BRAIN_RADIUS_MM
    normal = np.array([np.cos(turn) * np.cos(tilt), np.sin(turn) * np.cos(tilt), np.sin(tilt)])
    mirror = sitk.AffineTransform(3)
    mirror.SetMatrix((np.eye(3) - 2 * np.outer(normal, normal)).ravel().tolist())
    mirror.SetCenter((np.array(middle) + unknowns[2] * normal).tolist())
    return mirror
