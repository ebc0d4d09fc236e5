import dataclasses

import numpy as np
import pytest
import reference_method
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import empty_like
from HTSegmentationLib.errors import Cancelled, ROIError
from HTSegmentationLib.methods import METHOD_NAMES, method
from HTSegmentationLib.remark import Severity
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.global_threshold import GlobalThreshold
from HTSegmentationLib.threshold.parameters import AdaptiveParameters, GlobalParameters, SdImage
from HTSegmentationLib.threshold.prepare import prepare

from ..phantom import as_scan, box_roi, head_array


def array(image):
    return sitk.GetArrayFromImage(image)


def dice(first, second):
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def codes(result):
    return {remark.code for remark in result.remarks}


@pytest.mark.parametrize("bleed_hu", [45, 50, 55, 62, 70, 78, 85])
@pytest.mark.parametrize("noise_hu", [1.0, 8.0])
def test_mask_and_sd_are_those_of_the_method_done_step_by_step_on_the_whole_volume(bleed_hu, noise_hu):
    scan = as_scan(head_array(bleed_hu, noise_hu, seed=bleed_hu)[0])
    roi = box_roi(scan)
    prepared = prepare(scan)
    result = AdaptiveThreshold().segment(prepared, roi)
    reference = reference_method.segment(scan.image, roi.on_grid(scan.image), prepared.tissue_mask)
    assert result.details.sd_hu == pytest.approx(reference.sd, rel=2e-3)
    assert result.details.threshold_hu == reference.window
    differing = np.count_nonzero(array(result.mask) != array(reference.mask))
    assert differing <= 0.001 * np.count_nonzero(array(reference.mask))


def test_a_dense_bleed_is_found_where_it_is(prepared, roi, bleed):
    for segmenter in (AdaptiveThreshold(), GlobalThreshold()):
        result = segmenter.segment(prepared, roi)
        assert dice(array(result.mask) == HEMORRHAGE.value, bleed) > 0.85
        assert result.volume_ml() == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.25)


def test_a_faint_bleed_needs_the_adaptive_threshold():
    scan = as_scan(head_array(bleed_hu=47.0, noise_hu=1.0)[0])
    prepared, roi = prepare(scan), box_roi(scan)
    adaptive = AdaptiveThreshold().segment(prepared, roi)
    fixed = GlobalThreshold().segment(prepared, roi)
    assert adaptive.details.threshold_hu[0] < 50
    assert adaptive.volume_ml() > 5 * fixed.volume_ml()


def test_an_roi_on_healthy_brain_comes_back_with_a_loud_warning(prepared, head):
    healthy = box_roi(head, center_mm=(-30, -10, 5), half_mm=(12, 12, 8))
    result = AdaptiveThreshold().segment(prepared, healthy)
    assert result.details.sd_hu == 0
    assert result.details.mean_hu is None
    assert result.details.threshold_hu == (35, 65)
    warning = next(remark for remark in result.remarks if remark.code == "first-mask-empty")
    assert warning.severity is Severity.WARNING
    assert "grey matter" in warning.text
    assert "mask-empty" in codes(GlobalThreshold().segment(prepared, healthy))


def test_a_threshold_set_by_hand_overrides_the_rule_and_says_so(prepared, roi):
    result = AdaptiveThreshold(AdaptiveParameters(manual_lower_hu=58, manual_upper_hu=90)).segment(prepared, roi)
    assert result.details.threshold_hu == (58, 90)
    assert "manual-threshold" in codes(result)
    assert "set by hand" in result.details.explain()[-1]


def test_the_sd_can_be_taken_on_the_enhanced_image_instead(prepared, roi):
    original = AdaptiveThreshold().segment(prepared, roi).details
    enhanced = AdaptiveThreshold(AdaptiveParameters(sd_image=SdImage.ENHANCED)).segment(prepared, roi).details
    assert enhanced.first_mask_voxels == original.first_mask_voxels
    assert enhanced.sd_hu != original.sd_hu
    assert enhanced.sd_hu < 9.2


def test_an_sd_near_a_border_of_the_table_is_said(prepared, roi):
    sd = AdaptiveThreshold().segment(prepared, roi).details.sd_hu
    rules = AdaptiveParameters().rules
    moved = (rules[0], dataclasses.replace(rules[1], sd_up_to=sd + 0.2), dataclasses.replace(rules[4]))
    assert "sd-near-border" in codes(AdaptiveThreshold(AdaptiveParameters(rules=moved)).segment(prepared, roi))
    far = (rules[0], dataclasses.replace(rules[1], sd_up_to=sd + 2), rules[4])
    assert "sd-near-border" not in codes(AdaptiveThreshold(AdaptiveParameters(rules=far)).segment(prepared, roi))


def test_contrast_in_the_roi_is_suspected():
    values, bleed = head_array()
    values[bleed] += 60
    scan = as_scan(values)
    prepared = prepare(scan)
    assert "contrast-suspected" in codes(GlobalThreshold().segment(prepared, box_roi(scan)))


def test_no_contrast_is_suspected_in_a_plain_bleed_or_at_the_skull(prepared, head):
    assert "contrast-suspected" not in codes(GlobalThreshold().segment(prepared, box_roi(head)))
    at_skull = box_roi(head, center_mm=(60, 0, 0), half_mm=(12, 20, 12))
    assert "contrast-suspected" not in codes(GlobalThreshold().segment(prepared, at_skull))


def test_an_roi_that_reaches_over_the_skull_is_cut_and_said(prepared, head):
    wide = box_roi(head, center_mm=(60, 0, 0), half_mm=(25, 20, 12))
    result = GlobalThreshold().segment(prepared, wide)
    assert "roi-outside-brain" in codes(result)
    assert not (array(result.mask) & ~array(prepared.brain_mask)).any()


def test_thick_slices_bring_an_uncertainty_in_ml(prepared, roi):
    remark = next(r for r in GlobalThreshold().segment(prepared, roi).remarks if r.code == "thick-slices")
    assert "5.0 mm" in remark.text
    assert "mL" in remark.text


def test_an_roi_off_the_brain_missing_or_of_another_scan_is_refused(prepared, head):
    with pytest.raises(ROIError, match="inside the skull"):
        AdaptiveThreshold().segment(prepared, box_roi(head, center_mm=(-88, -90, 0), half_mm=(4, 4, 10)))
    with pytest.raises(ROIError, match="needs a region of interest"):
        AdaptiveThreshold().segment(prepared, None)
    other = Roi.from_mask(sitk.GetImageFromArray(np.ones((4, 4, 4), np.uint8)))
    with pytest.raises(ROIError, match="make it anew"):
        AdaptiveThreshold().segment(prepared, other)


def test_a_mask_of_nothing_makes_no_roi(head):
    with pytest.raises(ROIError, match="no voxel"):
        Roi.from_mask(empty_like(head.image), sources=("empty.nrrd",))


def test_the_result_carries_all_that_a_report_needs(prepared, roi, head):
    result = AdaptiveThreshold().segment(prepared, roi)
    assert result.mask.GetSize() == head.image.GetSize()
    assert result.mask.GetOrigin() == head.image.GetOrigin()
    assert result.mask.GetPixelID() == sitk.sitkUInt8
    assert set(result.stage_seconds) == {
        "skull strip",
        "brain tissue",
        "filters",
        "thresholds",
        "closing",
        "remarks",
        "confidence",
    }
    assert result.parameters["first_lower_hu"] == 50
    assert result.brain_volume_ml == pytest.approx(4 / 3 * np.pi * 6.7 * 7.8 * 4.0, rel=0.35)
    details = result.details.as_dict()
    assert details["classification"] in ("under-segmented", "well-segmented", "over-segmented")
    assert details["threshold_hu"] == list(result.details.threshold_hu)


def test_running_twice_gives_the_same_mask_and_changes_no_input(head, roi):
    before = array(head.image)
    first, second = (AdaptiveThreshold().run(head, roi) for _ in range(2))
    np.testing.assert_array_equal(array(first.mask), array(second.mask))
    np.testing.assert_array_equal(before, array(head.image))


def test_a_scan_stored_sagittally_gives_the_same_mask(head, roi, prepared):
    order = (1, 2, 0)
    stored = dataclasses.replace(head, image=sitk.PermuteAxes(head.image, order))
    turned_roi = Roi.from_mask(sitk.PermuteAxes(roi.on_grid(head.image), order))
    result = AdaptiveThreshold().run(stored, turned_roi)
    back = sitk.PermuteAxes(result.mask, [order.index(axis) for axis in range(3)])
    np.testing.assert_array_equal(array(back), array(AdaptiveThreshold().segment(prepared, roi).mask))


def test_cancelling_stops_the_work(head):
    def cancel(stage, fraction):
        if fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        AdaptiveThreshold().prepare(head, cancel)


def test_progress_runs_from_0_to_1_and_never_back(head, roi):
    heard = []
    prepared = AdaptiveThreshold().prepare(head, lambda stage, fraction: heard.append(fraction))
    assert heard == sorted(heard)
    assert heard[0] == 0
    heard.clear()
    AdaptiveThreshold().segment(prepared, roi, lambda stage, fraction: heard.append(fraction))
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_every_method_of_the_registry_has_the_same_call(prepared, roi):
    for name in METHOD_NAMES:
        segmenter = method(name).make(None)
        result = segmenter.segment(prepared, roi)
        assert result.method == name == segmenter.name
        assert result.labels == (HEMORRHAGE,)


def test_the_global_threshold_is_a_window_on_the_enhanced_image(prepared, roi):
    narrow = GlobalThreshold(GlobalParameters(lower_hu=60, upper_hu=62)).segment(prepared, roi)
    wide = GlobalThreshold(GlobalParameters(lower_hu=40, upper_hu=90)).segment(prepared, roi)
    assert narrow.volume_ml() < wide.volume_ml()
    assert "40 to 90 HU" in wide.details.explain()[0]


def test_brain_beside_a_craniectomy_is_kept_and_the_gap_is_said(prepared):
    values, _ = head_array()
    gap = values > 500
    gap[:, :, :95] = gap[:, :60] = gap[:, 110:] = False
    values[gap] = 42
    opened = prepare(as_scan(values))
    assert "skull-open" in {remark.code for remark in opened.remarks}
    assert "skull-open" not in {remark.code for remark in prepared.remarks}
    brain = array(prepared.brain_mask) > 0
    assert np.count_nonzero(array(opened.brain_mask)[brain]) > 0.98 * np.count_nonzero(brain)
