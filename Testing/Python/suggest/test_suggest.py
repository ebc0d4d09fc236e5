"""What is proposed, what is set aside, and that it does not depend on how the scan is stored."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import Cancelled, ParameterError
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.suggest import Suspicion, suggest_regions
from HTSegmentationLib.threshold.prepare import prepare

from ..phantom import BLEED_CENTER_MM, as_scan
from .heads import BLEED, MIRRORED_CENTER_MM, distance_mm, head, prepared_head, suggested


def boxes_hold(found, scan, where):
    """The share of voxels that the proposed boxes hold."""
    mask = sitk.GetArrayFromImage(found.roi(scan.image).on_grid(scan.image)) > 0
    return mask[where].mean()


def test_a_bleed_is_proposed_and_its_box_holds_it():
    prepared = prepared_head(BLEED)
    found = suggested(BLEED)
    (region,) = found.proposed
    assert np.linalg.norm(np.subtract(region.center, BLEED_CENTER_MM)) < 2
    assert region.side == "left"
    assert region.suspicion is None
    assert region.size_ml == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.2)
    assert region.mean_hu == pytest.approx(58, abs=5)
    assert "touches no bone" in region.reason
    assert boxes_hold(found, prepared.scan, distance_mm(BLEED_CENTER_MM) < 12) == 1
    assert found.remarks == ()


def test_the_regions_remark_says_that_nobody_drew_it_and_where_it_lies():
    roi = suggested(BLEED).roi(prepared_head(BLEED).scan.image)
    (remark,) = roi.remarks
    assert remark.code == "roi-automatic"
    assert "left, L 2" in remark.text
    assert "1 box" in remark.text


def test_a_healthy_head_gets_no_region_but_a_remark():
    found = suggested()
    assert found.proposed == ()
    assert found.roi(prepared_head().scan.image) is None
    assert [remark.code for remark in found.remarks] == ["no-region-found"]


def test_what_both_sides_have_is_no_bleed():
    both = prepared_head(BLEED, (MIRRORED_CENTER_MM, 12.0, 62.0))
    assert suggest_regions(both).proposed == ()


def test_the_side_is_the_patients():
    (region,) = suggested((MIRRORED_CENTER_MM, 12.0, 62.0)).proposed
    assert region.side == "right"
    assert region.center[0] < 0 < region.center_ras[0]


def test_a_calcified_core_is_set_aside_and_named():
    found = suggested((BLEED_CENTER_MM, 5.0, 200.0))
    assert found.proposed == ()
    assert found.set_aside[0].suspicion is Suspicion.CALCIFICATION
    assert "above 100 HU" in found.set_aside[0].reason


def test_calcium_beside_a_bleed_does_not_hide_it():
    beside = (BLEED_CENTER_MM[0], BLEED_CENTER_MM[1] + 12, BLEED_CENTER_MM[2])
    (region,) = suggested(BLEED, (beside, 4.0, 250.0)).proposed
    assert np.linalg.norm(np.subtract(region.center, BLEED_CENTER_MM)) < 4


def test_a_dense_thing_in_the_plane_of_symmetry_is_set_aside():
    # Beside the plane by so little that its mirror image is not quite itself.
    sheet = [((2.0, y, z), 4.5, 60.0) for y in (-40.0, -34.0, -28.0) for z in (0.0, 8.0)]
    found = suggested(*sheet)
    assert found.proposed == ()


def test_what_is_denser_than_blood_over_a_region_may_be_staining():
    (region,) = suggested((BLEED_CENTER_MM, 10.0, 90.0)).proposed
    assert region.suspicion is Suspicion.STAINING


def test_a_large_bleed_does_not_pass_for_normal_brain():
    (region,) = suggested(((30.0, 0.0, 0.0), 27.0, 60.0)).proposed
    assert region.score > 0.9
    assert region.excess_hu > 20


def test_two_bleeds_far_apart_are_two_regions_the_larger_first():
    second = (-25.0, -35.0, 5.0)
    found = suggested(BLEED, (second, 8.0, 62.0))
    assert [region.side for region in found.proposed] == ["left", "right"]
    assert found.proposed[0].score > found.proposed[1].score
    assert len(suggest_regions(prepared_head(BLEED, (second, 8.0, 62.0)), most=1).proposed) == 1


def test_regions_beyond_the_most_are_counted():
    found = suggest_regions(prepared_head(BLEED, ((-25.0, -35.0, 5.0), 8.0, 62.0)), most=1)
    assert [remark.code for remark in found.remarks] == ["regions-left-out"]
    assert "1 more region stands out" in found.remarks[0].text


def test_the_same_scan_gives_the_same_answer():
    first, again = suggested(BLEED).as_dict(), suggest_regions(prepared_head(BLEED)).as_dict()
    first.pop("stage_seconds")
    again.pop("stage_seconds")
    assert json.dumps(first, allow_nan=False) == json.dumps(again, allow_nan=False)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0)])
def test_the_order_and_the_sense_of_the_scans_axes_do_not_matter(order):
    prepared = prepared_head(BLEED)
    expected = suggested(BLEED).proposed[0]

    def turned(image):
        return sitk.Flip(sitk.PermuteAxes(image, order), (True, False, True))

    masks = [turned(mask) for mask in (prepared.brain_mask, prepared.tissue_mask)]
    scan = type(prepared.scan)(turned(prepared.scan.image))
    found = suggest_regions(PreparedScan(scan, *masks, prepared.brain_volume_ml))
    assert np.linalg.norm(np.subtract(found.proposed[0].center, expected.center)) < 1
    assert found.proposed[0].score == pytest.approx(expected.score, abs=0.02)
    assert found.roi(scan.image).volume_ml == pytest.approx(suggested(BLEED).roi(prepared.scan.image).volume_ml, rel=0.1)


@pytest.mark.parametrize("offset", [-6, 8])
def test_a_scanner_that_reads_all_tissue_too_high_changes_little(offset):
    shifted = prepare(as_scan(head(BLEED) + np.int16(offset)))
    expected, found = suggested(BLEED).proposed[0], suggest_regions(shifted).proposed[0]
    assert found.excess_hu == pytest.approx(expected.excess_hu, abs=1.5)
    assert found.score == pytest.approx(expected.score, abs=0.02)


@pytest.mark.parametrize(("name", "value"), [("most", 0), ("least_score", 0.0), ("least_score", 1.2)])
def test_numbers_out_of_their_range_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        suggest_regions(prepared_head(BLEED), **{name: value})


def test_the_search_can_be_stopped():
    def stop(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        suggest_regions(prepared_head(BLEED), progress=stop)


def test_progress_rises_to_the_end():
    told = []
    suggest_regions(prepared_head(BLEED), progress=lambda _, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_real_scan_without_hemorrhage_shows_its_calcified_plexus_and_nothing_is_proposed(real_scan):
    found = suggest_regions(prepare(real_scan))
    assert found.proposed == ()
    assert Suspicion.CALCIFICATION in {region.suspicion for region in found.set_aside}
