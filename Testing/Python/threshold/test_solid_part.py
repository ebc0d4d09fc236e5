"""What is kept of a mask that holds a solid core and ribbons around it."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.threshold.robust.contrast import LocalContrast
from HTSegmentationLib.threshold.robust.solid import solid_part

SHAPE, SPACING = (20, 90, 150), (1.0, 1.0, 3.0)
FAINT, SHARP = 5.0, 8.0
LEFT, RIGHT = (30.0, 45.0, 40.0), (30.0, 45.0, 115.0)


def away(center):
    """Distance in mm of each voxel from a place (z, y, x)."""
    axes = np.meshgrid(*(np.arange(n) * s for n, s in zip(SHAPE, SPACING[::-1], strict=True)), indexing="ij")
    return np.sqrt(sum((axis - place) ** 2 for axis, place in zip(axes, center, strict=True)))


def ribbons(center):
    """Sheets of 2 mm, 6 mm apart, within 28 mm: about a third of the tissue."""
    return (away(center) < 28.0) & (np.arange(SHAPE[2]) % 6 < 2)


def field(roi=None):
    image = sitk.Image(SHAPE[::-1], sitk.sitkFloat32)
    image.SetSpacing(SPACING)
    none = np.zeros(SHAPE, np.float32)
    whole = np.ones(SHAPE, bool) if roi is None else roi
    return LocalContrast(image, none, none, none, whole, none, whole, whole, (0, 0, 0))


def test_ribbons_around_a_solid_core_are_left_out():
    ball = away(LEFT) < 14.0
    kept = solid_part(field(), ball | ribbons(LEFT), FAINT)
    assert (kept & ball).sum() > 0.95 * ball.sum()
    assert not kept[away(LEFT) > 18.0].any()
    assert kept.sum() < 0.6 * (ball | ribbons(LEFT)).sum()


@pytest.mark.parametrize(
    ("mask", "edge"),
    [
        pytest.param((away(LEFT) < 14.0) | ribbons(LEFT), SHARP, id="a sharp border"),
        pytest.param(ribbons(LEFT), FAINT, id="no core"),
        pytest.param((away(LEFT) < 9.0) | ribbons(LEFT), FAINT, id="a small core"),
        pytest.param((away(LEFT) < 14.0) | (away(RIGHT) < 13.5) | ribbons(LEFT), FAINT, id="two cores"),
        pytest.param(away(LEFT) < 14.0, FAINT, id="a core alone"),
        pytest.param(np.zeros(SHAPE, bool), FAINT, id="nothing"),
    ],
)
def test_everything_else_is_kept_as_it_is(mask, edge):
    assert np.array_equal(solid_part(field(), mask, edge), mask)


def test_each_piece_of_the_roi_is_judged_by_itself():
    left = np.broadcast_to(np.arange(SHAPE[2]) < 75, SHAPE)
    roi = left | np.broadcast_to(np.arange(SHAPE[2]) > 80, SHAPE)
    stained, petechiae = (away(LEFT) < 14.0) | ribbons(LEFT), ribbons(RIGHT)
    mask = (stained & left) | (petechiae & roi & ~left)
    kept = solid_part(field(roi), mask, FAINT)
    assert np.array_equal(kept & ~left, mask & ~left)
    assert np.array_equal(kept & left, solid_part(field(), mask & left, FAINT))
    assert kept.sum() < mask.sum()
