"""The robust threshold on the phantom, in which every voxel's HU is known."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import ParameterError, ROIError
from HTSegmentationLib.methods import METHOD_NAMES, method
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.threshold.parameter_files import load_parameters, save_parameters
from HTSegmentationLib.threshold.prepare import modelled
from HTSegmentationLib.threshold.robust.confidence import confidence_of
from HTSegmentationLib.threshold.robust.parameters import RobustParameters
from HTSegmentationLib.threshold.robust.parts import JudgedParts
from HTSegmentationLib.threshold.robust.robust_threshold import RobustThreshold
from HTSegmentationLib.threshold.robust.uncertainty import robust_uncertainty_ml

from ..phantom import BLEED_CENTER_MM, SPACING, as_scan, box_roi, head_array


def array(mask):
    return sitk.GetArrayFromImage(mask) > 0


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def with_values(prepared, values):
    """The phantom's brain with other HU in it; its masks stay."""
    scan = as_scan(np.rint(values).astype(np.int16))
    return PreparedScan(scan, prepared.brain_mask, prepared.tissue_mask, prepared.brain_volume_ml)


def distance_mm(center_mm):
    grid = as_scan(head_array()[0]).image
    size = grid.GetSize()
    axes = [np.arange(n) * s - (n - 1) * s / 2 for n, s in zip(size, SPACING, strict=True)]
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    return np.sqrt(sum((a - c) ** 2 for a, c in zip((x, y, z), center_mm, strict=True)))


def test_it_is_offered_where_methods_are_listed():
    assert "robust" in METHOD_NAMES
    assert method("robust").needs_roi
    assert isinstance(method("robust").make(), RobustThreshold)


def test_it_finds_the_ball_of_blood(prepared, roi, bleed):
    result = RobustThreshold().segment(prepared, roi)
    assert dice(array(result.mask), bleed) > 0.97
    assert result.confidence.word == "high"
    assert result.method == "robust"


@pytest.mark.parametrize("blood_hu", [48.0, 55.0, 62.0, 75.0])
def test_faint_and_dense_blood_are_found_alike(prepared, roi, blood_hu):
    values, bleed = head_array(bleed_hu=blood_hu)
    assert dice(array(RobustThreshold().segment(with_values(prepared, values), roi).mask), bleed) > 0.95


def test_the_same_scan_gives_the_same_mask_twice(prepared, roi):
    masks = [array(RobustThreshold().segment(prepared, roi).mask) for _ in range(2)]
    assert np.array_equal(*masks)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(-8, 8))
def test_a_scanner_that_measures_other_hu_everywhere_gives_the_same_mask(prepared, offset):
    values, bleed = head_array(bleed_hu=60.0)
    found = RobustThreshold().segment(with_values(prepared, values + offset), box_roi(as_scan(values)))
    assert dice(array(found.mask), bleed) > 0.95


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(margin=st.floats(3.0, 20.0))
def test_the_margin_of_the_roi_does_not_matter(prepared, head, bleed, margin):
    half = 12.0 + margin
    found = RobustThreshold().segment(prepared, box_roi(head, half_mm=(half, half, half)))
    assert dice(array(found.mask), bleed) > 0.95


def test_an_roi_on_healthy_brain_is_empty_and_says_so(prepared, head):
    result = RobustThreshold().segment(prepared, box_roi(head, center_mm=(-25.0, 10.0, 5.0)))
    assert result.volume_ml() == 0
    assert result.uncertainty_ml == 0
    assert "mask-empty" in {remark.code for remark in result.remarks}
    assert "none" in result.details.explain()[1]


def test_an_roi_against_the_skull_of_healthy_brain_is_empty(prepared, head):
    result = RobustThreshold().segment(prepared, box_roi(head, center_mm=(-50.0, 10.0, 5.0), half_mm=(30.0, 30.0, 20.0)))
    assert result.volume_ml() < 0.05


def test_without_an_roi_it_says_that_it_needs_one(prepared):
    with pytest.raises(ROIError, match="region of interest"):
        RobustThreshold().segment(prepared)


def test_an_roi_outside_the_skull_is_refused(prepared, head):
    with pytest.raises(ROIError, match="no voxel inside the skull"):
        RobustThreshold().segment(prepared, box_roi(head, center_mm=(88.0, 0.0, 0.0), half_mm=(2.0, 2.0, 6.0)))


def test_calcium_is_left_out_with_its_halo(prepared, roi, bleed):
    values, _ = head_array()
    values = np.where(distance_mm((8.0, 10.0, 5.0)) < 4.0, 250, values)
    result = RobustThreshold().segment(with_values(prepared, values), roi)
    assert dice(array(result.mask), bleed) > 0.95
    assert not (array(result.mask) & (distance_mm((8.0, 10.0, 5.0)) < 5.0)).any()


def test_what_lies_far_from_the_bleed_is_left_out_and_told(prepared, head, bleed):
    values, _ = head_array()
    other = distance_mm((25.0, -32.0, 5.0)) < 5.0
    wide = box_roi(head, half_mm=(25.0, 50.0, 17.0))
    result = RobustThreshold().segment(with_values(prepared, np.where(other, 58, values)), wide)
    assert not (array(result.mask) & other).any()
    assert dice(array(result.mask), bleed) > 0.95
    assert any(remark.code == "parts-left-out" and "away from the bleed" in remark.text for remark in result.remarks)


def test_two_rois_keep_a_bleed_each(prepared, head, bleed):
    values, _ = head_array()
    other = distance_mm((25.0, -35.0, 5.0)) < 6.0
    boxes = [box_roi(head), box_roi(head, center_mm=(25.0, -35.0, 5.0), half_mm=(12.0, 12.0, 12.0))]
    both = sitk.Or(*(box.on_grid(head.image) for box in boxes))
    result = RobustThreshold().segment(with_values(prepared, np.where(other, 58, values)), Roi.from_mask(both))
    assert dice(array(result.mask), bleed | other) > 0.93


def test_the_falx_is_no_bleed(prepared, head):
    values, bleed = head_array()
    grid = distance_mm((0.0, 0.0, 0.0))
    x = np.broadcast_to(np.abs(np.arange(grid.shape[2]) * SPACING[0] - (grid.shape[2] - 1) * SPACING[0] / 2), grid.shape)
    falx = (x < 2.0) & (values > 0) & (values < 60) & ~bleed
    healthy = np.where(bleed, 32, values)
    shifted = box_roi(head, center_mm=(0.0, 0.0, 5.0), half_mm=(20.0, 30.0, 17.0))
    result = RobustThreshold().segment(with_values(prepared, np.where(falx, 60, healthy)), shifted)
    assert result.volume_ml() == 0
    assert any(remark.code == "parts-left-out" and "midline" in remark.text for remark in result.remarks)


def test_blood_in_an_infarct_is_found_down_to_its_border(prepared, roi, bleed):
    """Half-way from 22 to 60 HU lies on normal grey matter, and yet the border is right."""
    values, _ = head_array(bleed_hu=60.0)
    infarct = (distance_mm(BLEED_CENTER_MM) < 24.0) & ~bleed & (values < 60)
    result = RobustThreshold().segment(with_values(prepared, np.where(infarct, values - 10, values)), roi)
    assert dice(array(result.mask), bleed) > 0.93
    assert result.details.background_hu < 28


def test_what_was_left_out_as_staining_is_told_and_doubted(prepared, roi):
    details = RobustThreshold().segment(prepared, roi).details
    signs = dataclasses.replace(details.signs, staining_ml=5.0)
    assert "5.0 mL were left out as likely contrast staining" in dataclasses.replace(details, signs=signs).explain()[1]
    judged = JudgedParts(details.parts, np.ones((1, 1, 1), bool), 0.0)
    doubted = confidence_of(signs, judged)
    assert doubted.value < details.confidence.value
    assert "5.0 mL of what is as dense as blood were left out" in doubted.reason
    certain = robust_uncertainty_ml(details.signs, judged, details.confidence, 0.0)
    assert robust_uncertainty_ml(signs, judged, details.confidence, 0.0) == pytest.approx(np.hypot(certain, 1.5))


def test_it_explains_itself_in_three_lines(prepared, roi):
    lines = RobustThreshold().segment(prepared, roi).details.explain()
    assert len(lines) == 3
    assert lines[0].startswith("Reference: the tissue around the bleed")
    assert lines[1].startswith("Bounds:")
    assert lines[2].startswith("Confidence high")


def test_its_record_is_plain(prepared, roi):
    import json

    text = json.dumps(RobustThreshold().segment(prepared, roi).details.as_dict())
    assert "taken_for" in text


def test_a_scan_that_was_prepared_elsewhere_is_measured_when_needed(prepared, roi):
    plain = PreparedScan(prepared.scan, prepared.brain_mask, prepared.tissue_mask, prepared.brain_volume_ml)
    assert modelled(prepared) is prepared
    assert modelled(plain).tissue == prepared.tissue
    first, second = (RobustThreshold().segment(scan, roi).mask for scan in (prepared, plain))
    assert np.array_equal(array(first), array(second))


def test_the_phantoms_brain_noise_and_midline_are_measured(prepared):
    assert prepared.tissue.noise_hu == pytest.approx(3.0, abs=0.5)
    assert prepared.tissue.white_hu < 32.5 < prepared.tissue.grey_hu + 1
    assert prepared.midplane.normal[0] > 0.99
    assert abs(prepared.midplane.offset_mm) < 1.5


@pytest.mark.parametrize("slices_first", [(2, 0, 1), (1, 2, 0)])
def test_the_order_of_the_axes_does_not_matter(prepared, roi, bleed, slices_first):
    images = [prepared.scan.image, prepared.brain_mask, prepared.tissue_mask, roi.on_grid(prepared.scan.image)]
    turned = [sitk.PermuteAxes(image, slices_first) for image in images]
    other = PreparedScan(dataclasses.replace(prepared.scan, image=turned[0]), turned[1], turned[2], 1000.0)
    found = RobustThreshold().segment(other, Roi.from_mask(turned[3])).mask
    back = sitk.PermuteAxes(found, [slices_first.index(axis) for axis in range(3)])
    assert dice(array(back), bleed) > 0.97


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_parameters_are_read_from_files_as_they_were_written(tmp_path, ending):
    wanted = RobustParameters(smoothing_mm=1.2, part_gap_mm=5.0)
    save_parameters(tmp_path / f"site{ending}", wanted)
    assert load_parameters(tmp_path / f"site{ending}", RobustParameters) == wanted


@pytest.mark.parametrize(
    "wrong", [{"smoothing_mm": 0}, {"bound_share": 1.5}, {"least_contrast_hu": 18.0}, {"densest_hu": float("nan")}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError):
        RobustParameters(**wrong)
