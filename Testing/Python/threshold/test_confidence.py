"""Confidence and uncertainty of the threshold methods."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.commands.record import result_words
from HTSegmentationLib.export.record import result_record
from HTSegmentationLib.measure.grid_uncertainty import end_slices_uncertainty_ml, grid_uncertainty_ml
from HTSegmentationLib.measure.mask import measure_mask
from HTSegmentationLib.segmenter import Confidence, PreparedScan
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.doubts import Doubt, weighed
from HTSegmentationLib.threshold.global_threshold import GlobalThreshold
from HTSegmentationLib.threshold.parameters import AdaptiveParameters
from HTSegmentationLib.threshold.robust.parts import Cause, JudgedParts, Part
from HTSegmentationLib.threshold.robust.robust_threshold import RobustThreshold
from HTSegmentationLib.threshold.robust.uncertainty import robust_uncertainty_ml
from HTSegmentationLib.threshold.rule_signs import RuleSigns, grown_roi, rule_confidence

from ..phantom import as_scan, box_roi, head_array

METHODS = [AdaptiveThreshold, GlobalThreshold, RobustThreshold]


def signs(**changed):
    usual = {
        "volume_ml": 10.0,
        "lower_ml": 9.5,
        "upper_ml": 10.5,
        "grown_ml": 10.0,
        "window_changed": False,
        "border_distance_hu": 2.0,
        "guessed": False,
    }
    return RuleSigns(**(usual | changed))


def test_a_doubt_lowers_confidence_and_the_gravest_is_the_reason():
    clean, doubted = weighed(2.0, [], "good"), weighed(2.0, [Doubt(1.0, "small"), Doubt(3.0, "grave")], "good")
    assert clean.reason == "good"
    assert clean.value == pytest.approx(1 / (1 + np.exp(-2)))
    assert doubted.reason == "grave"
    assert doubted.value == pytest.approx(1 / (1 + np.exp(2)))


@pytest.mark.parametrize(("value", "word"), [(0.0, "low"), (0.39, "low"), (0.4, "moderate"), (0.7, "high"), (1.0, "high")])
def test_words_follow_the_value(value, word):
    assert Confidence(value, "why").word == word


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lower_ml": 5.0, "upper_ml": 14.0}, "low contrast"),
        ({"grown_ml": 19.0}, "larger gives 90% more"),
        ({"window_changed": True}, "another row"),
        ({"guessed": True}, "guess"),
    ],
)
def test_each_sign_lowers_the_confidence_of_a_window_and_names_itself(changed, reason):
    assert rule_confidence(signs(**changed)).value < rule_confidence(signs()).value
    assert reason in rule_confidence(signs(**changed)).reason


def test_an_sd_near_a_border_lowers_the_confidence():
    assert rule_confidence(signs(border_distance_hu=0.3)).value < rule_confidence(signs()).value


@pytest.mark.parametrize("method", METHODS)
def test_every_threshold_method_tells_confidence_and_uncertainty(prepared, roi, method):
    result = method().segment(prepared, roi)
    assert 0 <= result.confidence.value <= 1
    assert result.confidence.reason
    assert result.uncertainty_ml >= grid_uncertainty_ml(result.mask)


@pytest.mark.parametrize("method", METHODS)
def test_a_preview_is_the_mask_with_its_remarks(prepared, roi, method):
    result, preview = method().segment(prepared, roi), method().preview(prepared, roi)
    assert np.array_equal(sitk.GetArrayFromImage(preview.mask), sitk.GetArrayFromImage(result.mask))
    assert preview.remarks == result.remarks
    assert preview.details == result.details


@pytest.mark.parametrize("method", [AdaptiveThreshold, RobustThreshold])
def test_faint_blood_in_noise_is_less_sure_and_less_certain(prepared, roi, method):
    noisy = as_scan(head_array(bleed_hu=47.0, noise_hu=9.0)[0])
    other = PreparedScan(noisy, prepared.brain_mask, prepared.tissue_mask, prepared.brain_volume_ml)
    clear, faint = method().segment(prepared, roi), method().segment(other, roi)
    assert faint.confidence.value < clear.confidence.value


@pytest.mark.parametrize("changed", [{"lower_ml": 5.0, "upper_ml": 14.0}, {"grown_ml": 19.0}, {"guessed": True}])
def test_a_window_of_less_confidence_is_less_certain(changed):
    assert signs(**changed).window_uncertainty_ml > signs().window_uncertainty_ml
    assert signs(**changed).window_uncertainty_ml > signs(**changed).bound_uncertainty_ml


@pytest.mark.parametrize("method", [AdaptiveThreshold, RobustThreshold])
def test_the_true_volume_of_a_faint_bleed_lies_within_two_uncertainties(prepared, roi, bleed, method):
    faint = as_scan(head_array(bleed_hu=50.0, noise_hu=6.0)[0])
    scan = PreparedScan(faint, prepared.brain_mask, prepared.tissue_mask, prepared.brain_volume_ml)
    result = method().segment(scan, roi)
    truth_ml = np.count_nonzero(bleed) * np.prod(faint.image.GetSpacing()) / 1000
    assert abs(result.volume_ml() - truth_ml) < 2 * result.uncertainty_ml


def test_an_empty_mask_is_as_uncertain_as_what_was_not_taken_for_blood():
    part = Part(1, ml=0.8, peak_hu=60.0, contrast_hu=19.0, mass=14.0, cut=False, cause=Cause.BLEED, first=0, piece=1)
    doubted, nothing = (JudgedParts(parts, np.zeros((1, 1, 1), bool), 0.0) for parts in ((part,), ()))
    assert robust_uncertainty_ml(None, doubted, Confidence(0.5, ""), 0.0) == pytest.approx(0.4)
    assert robust_uncertainty_ml(None, nothing, Confidence(0.8, ""), 0.0) == 0


def test_the_known_failure_of_the_published_rule_is_flagged(prepared, head):
    """On healthy brain the first mask is empty, and the published row paints grey matter."""
    healthy = AdaptiveThreshold().segment(prepared, box_roi(head, center_mm=(-25.0, 10.0, 5.0)))
    assert healthy.confidence.word == "low"


def test_a_window_set_by_hand_has_no_table_to_be_near_to(prepared, roi):
    by_hand = AdaptiveThreshold(AdaptiveParameters(manual_lower_hu=45.0, manual_upper_hu=85.0))
    assert "row" not in by_hand.segment(prepared, roi).confidence.reason


def test_the_grown_roi_holds_the_roi_and_5_mm_around_it(head, roi):
    small, large = (sitk.GetArrayFromImage(r.on_grid(head.image)) > 0 for r in (roi, grown_roi(roi, head.image)))
    assert not (small & ~large).any()
    rows, grown_rows = (np.flatnonzero(mask.any(axis=(0, 2))) for mask in (small, large))
    assert rows[0] - grown_rows[0] == round(5.0 / head.image.GetSpacing()[1])
    assert np.array_equal(small.any(axis=(1, 2)), large.any(axis=(1, 2)))


def test_the_grown_roi_stops_at_the_scans_border(head):
    at_border = box_roi(head, center_mm=(-89.0, 0.0, 0.0), half_mm=(3.0, 10.0, 10.0))
    assert grown_roi(at_border, head.image).index[0] == 0


def test_the_end_slices_leave_half_of_their_volume_open():
    mask = sitk.Image(20, 20, 4, sitk.sitkUInt8)
    mask[5:15, 5:15, 1:3] = 1
    assert end_slices_uncertainty_ml(mask) == pytest.approx(np.hypot(0.1, 0.1) / 2)
    assert end_slices_uncertainty_ml(mask * 0) == 0


@pytest.mark.parametrize("method", METHODS)
def test_words_and_record_show_both(prepared, roi, head, method):
    result = method().segment(prepared, roi)
    measurements = measure_mask(result.mask, head.image)
    words = result_words("Title", result, measurements)
    assert words[1].startswith("Uncertainty")
    assert words[2].startswith("Confidence")
    record = result_record(head, roi, result, measurements)
    assert record["uncertainty_ml"] == result.uncertainty_ml
    assert record["confidence"]["word"] == result.confidence.word
