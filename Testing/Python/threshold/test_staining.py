"""What is kept of a mask that may be tissue stained by contrast agent."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.threshold.robust.bound import Bound
from HTSegmentationLib.threshold.robust.contrast import LocalContrast
from HTSegmentationLib.threshold.robust.signs import MaskShape, shape_of
from HTSegmentationLib.threshold.robust.solid import solid_part
from HTSegmentationLib.threshold.robust.staining import likely_blood

SHAPE, SPACING = (20, 90, 150), (1.0, 1.0, 3.0)
FAINT, SHARP = Bound(12.0, 30.0, 5.0), Bound(12.0, 30.0, 9.0)
LEFT, RIGHT = (30.0, 45.0, 40.0), (30.0, 45.0, 115.0)


def away(center):
    """Distance in mm of each voxel from a place (z, y, x)."""
    axes = np.meshgrid(*(np.arange(n) * s for n, s in zip(SHAPE, SPACING[::-1], strict=True)), indexing="ij")
    return np.sqrt(sum((axis - place) ** 2 for axis, place in zip(axes, center, strict=True)))


def ribbons(center):
    """Sheets of 2 mm, 6 mm apart, within 28 mm: about a third of the tissue."""
    return (away(center) < 28.0) & (np.arange(SHAPE[2]) % 6 < 2)


def field(roi=None, contrast=None):
    image = sitk.Image(SHAPE[::-1], sitk.sitkFloat32)
    image.SetSpacing(SPACING)
    contrast = np.full(SHAPE, 20, np.float32) if contrast is None else contrast
    whole, deep = np.ones(SHAPE, bool), np.full(SHAPE, 30, np.float32)
    roi = whole if roi is None else roi
    return LocalContrast(image, contrast, np.zeros_like(contrast), contrast, roi, deep, roi, roi, (0, 0, 0))


def shaped(volume_ml=40.0, uncertainty_ml=1.0, slenderness=1.0, skull_share=0.0):
    """A shape of that slenderness, whose volume changes by that much with 2 HU."""
    ball_ml = volume_ml / 10**slenderness
    thickness_mm = 10 * (6 * ball_ml / math.pi) ** (1 / 3)
    return MaskShape(volume_ml, volume_ml - uncertainty_ml, volume_ml + uncertainty_ml, thickness_mm, skull_share)


STAINED = (away(LEFT) < 14.0) | ribbons(LEFT)


def test_ribbons_around_a_solid_core_are_left_out():
    ball = away(LEFT) < 14.0
    kept = solid_part(STAINED, field().image)
    assert (kept & ball).sum() > 0.95 * ball.sum()
    assert not kept[away(LEFT) > 18.0].any()
    assert kept.sum() < 0.6 * STAINED.sum()
    assert np.array_equal(likely_blood(field(), STAINED, FAINT, shaped(uncertainty_ml=0.1)), kept)


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(ribbons(LEFT), id="no core"),
        pytest.param((away(LEFT) < 8.0) | ribbons(LEFT), id="a small core"),
        pytest.param((away(LEFT) < 14.0) | (away(RIGHT) < 13.5) | ribbons(LEFT), id="two cores"),
        pytest.param(away(LEFT) < 14.0, id="a core alone"),
        pytest.param(np.zeros(SHAPE, bool), id="nothing"),
    ],
)
def test_a_mask_without_one_core_amid_much_else_has_no_solid_part(mask):
    assert np.array_equal(solid_part(mask, field().image), mask)


@pytest.mark.parametrize(
    ("bound", "shape"),
    [
        pytest.param(SHARP, shaped(uncertainty_ml=0.5), id="a sharp border"),
        pytest.param(FAINT, shaped(uncertainty_ml=0.5, slenderness=0.1), id="a compact mass"),
    ],
)
def test_no_core_is_sought_there(bound, shape):
    assert np.array_equal(likely_blood(field(), STAINED, bound, shape), STAINED)


@settings(max_examples=20, deadline=None)
@given(volume=st.floats(1, 150), share=st.floats(0, 0.5), skull=st.floats(0, 1))
def test_a_compact_mass_is_never_cut(volume, share, skull):
    ball = away(LEFT) < 14.0
    shape = shaped(volume, share * volume, slenderness=0.15, skull_share=skull)
    assert np.array_equal(likely_blood(field(), ball, FAINT, shape), ball)


@settings(max_examples=12, deadline=None)
@given(first=st.floats(0.01, 30), second=st.floats(0.01, 30), skull=st.floats(0, 1))
def test_the_more_hangs_on_the_bound_the_less_is_kept(first, second, skull):
    mask = ribbons(LEFT)
    less, more = (
        likely_blood(field(), mask, FAINT, shaped(uncertainty_ml=ml, skull_share=skull)) for ml in sorted((first, second))
    )
    assert not (more & ~less).any()
    assert not (less & ~mask).any()
    assert more.sum() >= mask.sum() / 32


def test_the_densest_is_kept_where_all_is_as_solid():
    mask = ribbons(LEFT)
    contrast = np.where(away((30.0, 45.0, 30.0)) < 10.0, 80.0, 20.0).astype(np.float32)
    kept = likely_blood(field(contrast=contrast), mask, FAINT, shaped(uncertainty_ml=15.0, skull_share=0.3))
    assert 0.02 < kept.sum() / mask.sum() < 0.5
    assert contrast[kept].mean() > 2 * contrast[mask].mean()


def test_the_most_solid_is_kept_where_all_is_as_dense():
    mask = ribbons(LEFT) | (away(LEFT) < 8.0)
    kept = likely_blood(field(), mask, FAINT, shaped(uncertainty_ml=15.0, skull_share=0.3))
    assert 0.02 < kept.sum() / mask.sum() < 0.5
    assert (away(LEFT)[kept] < 10.0).mean() > 0.95


def test_each_piece_of_the_roi_is_judged_by_itself():
    left = np.broadcast_to(np.arange(SHAPE[2]) < 75, SHAPE)
    right = np.broadcast_to(np.arange(SHAPE[2]) > 80, SHAPE)
    ball = away(RIGHT) < 6.0
    both = field(left | right)
    kept = likely_blood(both, (STAINED & left) | ball, FAINT, shape_of(both, STAINED | ball, FAINT))
    assert np.array_equal(kept & right, ball)
    assert np.array_equal(kept & left, solid_part(STAINED & left, both.image))
