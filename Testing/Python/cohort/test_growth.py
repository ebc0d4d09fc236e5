"""Growth is measured on each scan's own grid, with what the grids leave open, and its doubts are said."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.cohort.growth import compare_scans, grid_uncertainty_ml
from HTSegmentationLib.cohort.growth.carry import covered_share
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.mask import measure_mask

from .growth_heads import posed, scanned_anew, upright

MILLILITRE = (10.0, 10.0, 10.0)


def grid(spacing=MILLILITRE, size=(8, 8, 8)):
    image = sitk.Image(size, sitk.sitkInt16)
    image.SetSpacing(spacing)
    return image


def mask_of(count, image):
    """That many voxels away from the first and the last slice."""
    array = np.zeros(image.GetSize()[::-1], np.uint8)
    array[1:-1].reshape(-1)[:count] = 1
    mask = sitk.GetImageFromArray(array)
    mask.CopyInformation(image)
    return mask


def growth_of(before, after):
    """Growth between that many voxels of 1 mL, without alignment."""
    image = grid()
    scan = CTScan(image)
    return compare_scans(scan, mask_of(before, image), scan, mask_of(after, image), align=False)


@pytest.mark.parametrize(
    ("before", "after", "percent", "dowlatshahi", "large"),
    [
        (10, 13, 30.0, False, False),
        (10, 14, 40.0, True, False),
        (30, 36, 20.0, False, False),
        (30, 37, 70 / 3, True, False),
        (60, 72, 20.0, True, False),
        (60, 73, 65 / 3, True, True),
        (0, 6, None, False, False),
        (0, 7, None, True, False),
        (20, 2, -90.0, False, False),
        (0, 0, None, False, False),
        (7, 7, 0.0, False, False),
    ],
)
def test_expansion_follows_the_published_definitions(before, after, percent, dowlatshahi, large):
    found = growth_of(before, after)
    assert (found.baseline_volume_ml, found.followup_volume_ml) == pytest.approx((before, after))
    assert found.growth_ml == pytest.approx(after - before)
    assert found.growth_percent == (None if percent is None else pytest.approx(percent))
    assert (found.expansion_6ml_or_33percent, found.expansion_12_5ml) == (dowlatshahi, large)
    assert (found.dice, found.alignment) == (None, None)


def test_what_slices_and_voxels_leave_open_is_computed_as_documented():
    image = grid((1.0, 1.0, 5.0), (30, 30, 10))
    mask = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(image)
    mask[5:15, 5:15, 3:4] = 1
    mask[5:25, 5:25, 4:6] = 1
    ends = math.hypot(100, 400) * 5 / 2
    border = 5 * math.sqrt((36 + 76 + 76) / 12)
    assert grid_uncertainty_ml(mask) == pytest.approx(math.hypot(ends, border) / 1000)
    turned = sitk.PermuteAxes(mask, [2, 0, 1])
    assert grid_uncertainty_ml(turned) == pytest.approx(grid_uncertainty_ml(mask))
    assert grid_uncertainty_ml(mask * 0) == 0


@settings(max_examples=40, deadline=None)
@given(before=st.integers(0, 300), after=st.integers(0, 300))
def test_the_other_way_round_is_the_same_growth_with_another_sign(before, after):
    one, other = growth_of(before, after), growth_of(after, before)
    assert one.growth_ml == -other.growth_ml
    assert one.growth_uncertainty_ml == pytest.approx(other.growth_uncertainty_ml)
    assert one.beyond_uncertainty == other.beyond_uncertainty
    assert one.beyond_uncertainty == (abs(one.growth_ml) > 1.96 * one.growth_uncertainty_ml)


def test_the_verdict_says_whether_the_measurement_can_tell():
    assert "within the measurement's uncertainty" in growth_of(100, 101).verdict
    assert "growth beyond the measurement's uncertainty" in growth_of(10, 300).verdict
    assert "shrinkage beyond the measurement's uncertainty" in growth_of(300, 10).verdict


@pytest.fixture
def first():
    return upright()


@pytest.fixture
def grown():
    return scanned_anew()


def test_a_grown_bleed_in_another_pose_is_measured_on_each_scans_own_grid(first, grown):
    found = compare_scans(first.scan, first.hemorrhage, grown.scan, grown.hemorrhage)
    assert found.baseline_volume_ml == measure_mask(first.hemorrhage).volume_ml
    assert found.followup_volume_ml == measure_mask(grown.hemorrhage).volume_ml
    assert found.growth_ml == pytest.approx(12, rel=0.1)
    assert found.expansion_6ml_or_33percent
    assert found.beyond_uncertainty
    assert found.dice > 0.4
    assert found.remarks == ()


def test_a_bleed_that_did_not_change_overlaps_itself_after_alignment(first):
    turn, shift, spacing = (12, -6, 9), (20, 10, -15), (1.8, 1.8, 2.5)
    other, transform = posed(first.scan.image, turn, shift, spacing)
    same = sitk.Resample(first.hemorrhage, other.image, transform.GetInverse(), sitk.sitkNearestNeighbor, 0)
    found = compare_scans(first.scan, first.hemorrhage, other, same)
    assert found.dice > 0.9
    assert abs(found.growth_percent) < 5


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (0, 0)])
def test_an_empty_mask_on_either_side_is_a_volume_of_zero(first, grown, before, after):
    masks = [first.hemorrhage * before, grown.hemorrhage * after]
    found = compare_scans(first.scan, masks[0], grown.scan, masks[1])
    assert (found.baseline_volume_ml > 0, found.followup_volume_ml > 0) == (bool(before), bool(after))
    assert found.dice == (1.0 if before == after else 0.0)
    assert (found.growth_percent is None) == (not before)


def test_other_labels_do_not_count(first):
    mask = first.hemorrhage * 2
    scan = first.scan
    assert compare_scans(scan, mask, scan, mask, align=False).baseline_volume_ml == 0
    assert compare_scans(scan, mask, scan, mask, align=False, label=2).baseline_volume_ml > 10


def test_volumes_are_compared_even_if_a_scan_cannot_be_aligned():
    image = grid((2.0, 2.0, 5.0), (100, 100, 20))
    scan = CTScan(image)
    found = compare_scans(scan, mask_of(100, image), scan, mask_of(150, image))
    assert found.growth_percent == pytest.approx(50)
    assert found.alignment is None
    assert [remark.code for remark in found.remarks] == ["alignment-failed"]


def test_a_bleed_at_the_edge_of_its_scan_is_said():
    image = grid()
    mask = mask_of(5, image)
    mask[0, 0, 7] = 1
    found = compare_scans(CTScan(image), mask_of(5, image), CTScan(image), mask, align=False)
    assert [remark.code for remark in found.remarks] == ["followup-bleed-cut"]


def test_a_follow_up_that_does_not_reach_the_bleed_is_said(first):
    lowest, _ = posed(first.scan.image, (0, 0, 0), (0, 0, 0), (1.8, 1.8, 5.0), 0.5)
    empty = sitk.Image(lowest.image.GetSize(), sitk.sitkUInt8)
    empty.CopyInformation(lowest.image)
    found = compare_scans(first.scan, first.hemorrhage, lowest, empty)
    warned = {remark.code: remark for remark in found.remarks}["followup-does-not-cover"]
    assert warned.severity.value == "warning"


def test_the_covered_share_counts_voxels_whose_middles_lie_in_the_other_scan():
    image = grid(size=(8, 8, 10))
    mask = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(image)
    mask[2:4, 2:4, 0:10] = 1
    transform = sitk.Euler3DTransform()
    transform.SetTranslation((0.0, 0.0, 34.0))
    assert covered_share(mask, image, transform) == pytest.approx(0.7)
    assert covered_share(mask * 0, image, transform) == 1


def test_a_mask_on_another_grid_is_refused(first, grown):
    with pytest.raises(UsageError, match="follow-up mask and follow-up scan"):
        compare_scans(first.scan, first.hemorrhage, grown.scan, first.hemorrhage)
