"""Skull stripping: everything inside the skull's inner table, by k-means and a level set.

Source: the adaptive-threshold paper strips the skull by an "in-house algorithm based on K-Means clustering and Level Sets"
(section 2.2). Ours works at about 2 mm and decides the border itself on the scan's own voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import array_to_image, bounding_box, crop, empty_like, grown_box, slice_axis, voxels_to_ml
from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.threshold.enclosure import enclosed_share
from HTSegmentationLib.threshold.intensity_classes import IntensityClasses, intensity_classes

_WORKING_IN_PLANE_MM = 2.0
"""In-plane voxel size of the shrunk copy: the brain's shape needs no more, and 16 times fewer voxels make it fast."""

_WORKING_THROUGH_PLANE_MM = 2.5
"""Slice distance of the shrunk copy; thicker slices stay as they are."""

_ENCLOSED_SHARE = 0.9
"""The heart of the seed meets the skull in 15 of 16 directions: orbits and neck muscles, open to one side, stay below it."""

_HALF_ENCLOSED_SHARE = 9 / 16
"""What hangs together with the heart of the seed needs bone in more than half of the directions only, so that brain beside
a craniectomy is kept; scalp and muscle outside the skull's outline see bone in half of them at most."""

_SEED_DEPTH_MM = 5.0
"""The seed lies this deep in soft tissue, so that bridges thinner than 10 mm (optic canal, foramina) are cut."""

_REGROWTH_MM = 7.0
"""The seed grows back by its depth and one voxel more before the level set smooths its border."""

_LEVEL_SET_ROUNDS = 20
"""Enough for the front to move by the few mm that regrowth leaves open; more rounds creep into the foramina."""

_BORDER_MM = 4.0
"""Within this distance of the level set's border the scan's own voxels decide: the width of a bone edge that a thick slice
meets at a slant, near the vertex."""

_BONE_EDGE_HU = 650.0
"""Within the border band, a voxel above this is bone: half-way from brain to a dense inner table, where a blurred edge
stands. Blood that touches the table stays inside."""

_BRIGHT_HU = 100.0
"""No blood is denser than this; what is, and hangs together with the skull, is the blurred rim of bone."""

_RIM_MARGIN_MM = 0.5
"""Within slices, the rim is this much wider than what is bright: half the resolution of a head scan, over which bone still
lifts brain to the density of blood. On a scan without hemorrhage it halves what an ROI against the skull falsely finds."""

_LEAST_BRAIN_ML = 30.0
"""Less than this is no brain; a scan of the vertex alone holds more."""


_Box = tuple[tuple[int, ...], tuple[int, ...]]
"""First index and size (x, y, z)."""


@dataclass(frozen=True)
class BrainMask:
    """What a skull strip found.

    Args:
        image: 1 inside the skull, 0 elsewhere, ``sitkUInt8``, on the scan's grid.
        tissue: The same without the bright rim of bone, where no threshold can tell blood from bone.
        beside_gap_share: Share (0 to 1) of the seed that lies beside a gap in the bone; about 0 in a closed skull.
    """

    image: sitk.Image
    tissue: sitk.Image
    beside_gap_share: float


@dataclass(frozen=True)
class _Copy:
    """The shrunk copy of the scan and what its voxels are."""

    image: sitk.Image
    classes: IntensityClasses


def strip_skull(image: sitk.Image, progress: Progress = silent) -> BrainMask:
    """Finds what lies inside the skull: brain, CSF, vessels, falx and blood.

    Args:
        image: Head CT in HU (x, y, z), any orientation; slices may be thick.
        progress: Told the stages, from 0 to 1.

    Returns:
        The mask, and how open the skull is.

    Raises:
        SegmentationError: No region of soft tissue is enclosed by bone.

    Example:
        >>> strip_skull(read_ct("head.nii.gz").image).image   # doctest: +SKIP
    """
    order = _slices_last(image)
    axial = image if order == (0, 1, 2) else sitk.PermuteAxes(image, order)
    progress("tissue classes", 0.0)
    copy = _shrunk(axial)
    progress("inside the skull", 0.1)
    seed, beside_gap_share = _seed(copy)
    progress("level set", 0.3)
    level, box = _level_set(copy, seed)
    progress("border", 0.7)
    masks = _border_on_own_voxels(axial, level, box, copy.classes)
    progress("border", 1.0)
    if order != (0, 1, 2):
        masks = [sitk.PermuteAxes(mask, [order.index(axis) for axis in range(3)]) for mask in masks]
    return BrainMask(*masks, beside_gap_share)


def _slices_last(image: sitk.Image) -> tuple[int, ...]:
    """The order of axes that puts the axis across the slices last."""
    across = slice_axis(image)
    return (*(axis for axis in range(3) if axis != across), across)


def _shrunk(image: sitk.Image) -> _Copy:
    """Averages blocks of voxels, which smooths and shrinks at once, and finds the tissue classes."""
    sizes_mm = (_WORKING_IN_PLANE_MM, _WORKING_IN_PLANE_MM, _WORKING_THROUGH_PLANE_MM)
    factors = [max(1, round(wanted / spacing)) for wanted, spacing in zip(sizes_mm, image.GetSpacing(), strict=True)]
    small = sitk.Cast(sitk.BinShrink(image, factors), sitk.sitkFloat32)
    return _Copy(small, intensity_classes(sitk.GetArrayViewFromImage(small)))


def _seed(copy: _Copy) -> tuple[sitk.Image, float]:
    """Deep soft tissue inside the skull, and the share of it that lies beside a gap in the bone."""
    values = sitk.GetArrayViewFromImage(copy.image)
    bone = values > copy.classes.brain_upper_hu
    soft = (values > copy.classes.brain_lower_hu) & ~bone
    share = enclosed_share(bone)
    heart = _largest(_deep(soft & (share >= _ENCLOSED_SHARE), copy.image))
    pieces, _ = ndimage.label(_deep(soft & (share >= _HALF_ENCLOSED_SHARE), copy.image))
    seed = np.isin(pieces, np.unique(pieces[heart]))
    beside_gap = np.count_nonzero(seed & (share < _ENCLOSED_SHARE)) / np.count_nonzero(seed)
    return array_to_image(seed, copy.image), float(beside_gap)


def _deep(tissue: np.ndarray, grid: sitk.Image) -> np.ndarray:
    """The tissue without its outer 5 mm."""
    distance = sitk.SignedMaurerDistanceMap(
        array_to_image(tissue, grid), insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    return sitk.GetArrayFromImage(distance) > _SEED_DEPTH_MM


def _largest(mask: np.ndarray) -> np.ndarray:
    pieces, count = ndimage.label(mask)
    if count == 0:
        raise SegmentationError(
            "no brain was found: nothing in this scan is soft tissue enclosed by bone; check that it is a head CT in HU "
            "that holds the skull"
        )
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return pieces == sizes.argmax()


def _level_set(copy: _Copy, seed: sitk.Image) -> tuple[sitk.Image, _Box]:
    """Grows the seed back and smooths its border; gives the level (mm, negative inside) and its box in the copy."""
    small = copy.image
    margin = [int(np.ceil(2 * _REGROWTH_MM / spacing)) for spacing in small.GetSpacing()]
    box = grown_box(*bounding_box(seed), margin, small.GetSize())
    small, seed = crop(small, *box), crop(seed, *box)
    lower, upper = copy.classes.brain_lower_hu, copy.classes.brain_upper_hu
    regrown = (_distance_outside(seed) < _REGROWTH_MM) & (small > lower) & (small < upper)
    level_set = sitk.ThresholdSegmentationLevelSetImageFilter()
    level_set.SetLowerThreshold(lower)
    level_set.SetUpperThreshold(upper)
    level_set.SetNumberOfIterations(_LEVEL_SET_ROUNDS)
    smooth = level_set.Execute(_distance_outside(regrown), small) < 0
    whole = _with_holes_filled(smooth)
    return _distance_outside(whole), box


def _with_holes_filled(mask: sitk.Image) -> sitk.Image:
    """Calcified plexus, pineal and metal are holes in the slices; they lie inside the skull all the same."""
    array = sitk.GetArrayFromImage(mask)
    for section in array:
        section[:] = ndimage.binary_fill_holes(section)
    return array_to_image(array, mask)


def _border_on_own_voxels(image: sitk.Image, level: sitk.Image, box: _Box, classes: IntensityClasses) -> list[sitk.Image]:
    """Decides the border on the scan's own voxels; works in the box alone, the rest of the head is outside anyway.

    Returns:
        What lies inside the skull, and the same without the bright rim of bone.
    """
    factors = [round(small / own) for small, own in zip(level.GetSpacing(), image.GetSpacing(), strict=True)]
    index = [start * factor for start, factor in zip(box[0], factors, strict=True)]
    size = [count * factor for count, factor in zip(box[1], factors, strict=True)]
    own = crop(image, index, size)
    distance = sitk.Resample(level, own, sitk.Transform(), sitk.sitkLinear, _BORDER_MM)
    soft = own < _BONE_EDGE_HU
    core = (distance < 0) & soft | (distance < -_BORDER_MM)
    reachable = (distance < _BORDER_MM) & soft & (own > classes.brain_lower_hu)
    inside = sitk.BinaryReconstructionByDilation(core, core | reachable)
    if voxels_to_ml(int(np.count_nonzero(sitk.GetArrayViewFromImage(inside))), inside) < _LEAST_BRAIN_ML:
        raise SegmentationError(
            f"no brain was found: less than {_LEAST_BRAIN_ML:g} mL of this scan is soft tissue enclosed by bone; check "
            "that it is a head CT in HU that holds the skull"
        )
    outside = inside == 0
    skull_and_rim = sitk.BinaryReconstructionByDilation(outside, outside | (own > _BRIGHT_HU))
    margin = [round(_RIM_MARGIN_MM / spacing) for spacing in own.GetSpacing()[:2]]
    skull_and_rim = sitk.BinaryDilate(skull_and_rim, [*margin, 0], sitk.sitkBall)
    whole = empty_like(image)
    return [sitk.Paste(whole, part, size, destinationIndex=index) for part in (inside, skull_and_rim == 0)]


def _distance_outside(mask: sitk.Image) -> sitk.Image:
    return sitk.SignedMaurerDistanceMap(mask, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
