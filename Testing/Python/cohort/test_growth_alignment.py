"""Two scans of one head are laid upon each other, and two heads are not taken for one."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cohort.growth import align_scans
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import Cancelled, SegmentationError
from HTSegmentationLib.simulate.grid import Pose

from .growth_heads import angle_deg, another_patient, farthest_mm, posed, scanned_anew, upright

POSES = [
    ((0, 0, 0), (10, 5, 20), (1.0, 1.0, 5.0), 1.0),
    ((25, 0, 0), (40, -30, 30), (0.9, 0.9, 4.0), 1.0),
    ((-15, 15, 20), (10, 60, -40), (1.2, 1.2, 2.5), 1.0),
    ((0, 0, 30), (60, 0, 0), (1.0, 1.0, 5.0), 1.0),
    ((5, -10, 5), (0, 0, 60), (1.0, 1.0, 5.0), 0.6),
    ((5, -10, 5), (0, 0, 10), (1.0, 1.0, 7.0), 0.4),
]


@pytest.fixture(name="upright")
def _upright():
    return upright()


@pytest.fixture(name="tilted")
def _tilted():
    return scanned_anew()


@pytest.mark.parametrize(("turn", "shift", "spacing", "share"), POSES)
def test_a_head_in_another_pose_is_found_within_a_millimetre_and_a_degree(upright, turn, shift, spacing, share):
    image = upright.scan.image
    other, truth = posed(image, turn, shift, spacing, share)
    found = align_scans(upright.scan, other)
    assert farthest_mm(found.transform, truth, image) < 1
    rotations = [np.reshape(transform.GetMatrix(), (3, 3)) for transform in (found.transform, truth)]
    assert angle_deg(rotations[0] @ rotations[1].T) < 1
    assert not found.doubtful


def test_the_way_back_is_the_inverse(upright):
    other, truth = posed(upright.scan.image, (10, 5, -8), (20, -10, 15), (1.0, 1.0, 4.0))
    back = align_scans(other, upright.scan)
    assert farthest_mm(back.transform.GetInverse(), truth, upright.scan.image) < 1


def test_a_head_scanned_anew_with_other_slices_tilt_and_noise_is_turned_by_what_it_was_turned(upright, tilted):
    found = align_scans(upright.scan, tilted.scan)
    rotations = [Pose(case.parameters.tilt_deg, (0, 0)).rotation for case in (upright, tilted)]
    turned = np.reshape(found.transform.GetMatrix(), (3, 3)) @ (rotations[1] @ rotations[0].T).T
    assert angle_deg(turned) < 1
    assert found.remarks == ()


def test_the_same_scans_give_the_same_transform_to_the_last_digit(upright, tilted):
    first, second = (align_scans(upright.scan, tilted.scan) for _ in range(2))
    assert first.transform.GetParameters() == second.transform.GetParameters()
    assert (first.residual_mm, first.correlation) == (second.residual_mm, second.correlation)


def test_the_matrix_moves_points_as_the_transform_does(upright, tilted):
    found = align_scans(upright.scan, tilted.scan)
    moved = found.matrix() @ (10.0, -20.0, 30.0, 1.0)
    np.testing.assert_allclose(moved[:3], found.transform.TransformPoint((10.0, -20.0, 30.0)), atol=1e-9)
    assert found.as_dict()["baseline_to_followup_lps_mm"][3] == [0, 0, 0, 1]


def test_two_patients_are_doubted_in_words(upright):
    found = align_scans(upright.scan, another_patient().scan)
    assert found.doubtful
    remark = found.remarks[0]
    assert (remark.code, remark.severity.value) == ("alignment-doubtful", "warning")
    assert f"{found.residual_mm:.1f} mm" in remark.text
    assert "two patients" in remark.text


def test_a_real_scan_finds_itself_turned_shifted_and_cut(real_scan):
    other, truth = posed(real_scan.image, (10, -15, 20), (10, 30, -20), (0.9, 0.9, 5.0), 0.8)
    found = align_scans(real_scan, other)
    assert farthest_mm(found.transform, truth, real_scan.image) < 1
    assert not found.doubtful


def test_a_real_and_a_simulated_head_are_doubted(real_scan, upright):
    assert align_scans(real_scan, upright.scan).doubtful


@pytest.mark.parametrize("value", [-1000, 30])
def test_a_scan_without_a_skull_is_refused_by_name(upright, value):
    empty = sitk.Image(64, 64, 20, sitk.sitkInt16) + value
    empty.SetSpacing((3.0, 3.0, 5.0))
    with pytest.raises(SegmentationError, match="bone"):
        align_scans(upright.scan, CTScan(empty))


def test_progress_rises_to_the_end_and_can_stop_the_work(upright, tilted):
    told = []
    align_scans(upright.scan, tilted.scan, lambda _, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(stage, _):
        if stage == "aligning":
            raise Cancelled

    with pytest.raises(Cancelled):
        align_scans(upright.scan, tilted.scan, stop)
