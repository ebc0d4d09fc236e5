"""A segment is measured as it is now, in world space, wherever its voxels lie."""

import numpy as np
import pytest

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure import measure_mask

from .conftest import BLEED_RAS, rigid


def withVoxels(node, segmentID, change, slicer):
    """Changes a segment by hand, as the Segment Editor does."""
    from vtk.util.numpy_support import vtk_to_numpy

    labelmap = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segmentID, labelmap)
    array = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
    change(array)
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(labelmap, node, segmentID)


def test_the_measurement_is_the_librarys_of_the_same_voxels(logic, case):
    outcome = logic.apply(case)
    assert outcome.measurement.mask == measure_mask(outcome.result.mask, logic.prepared(case.inputVolume).scan.image)


def test_a_segment_corrected_by_hand_is_measured_as_it_is_now(logic, case, slicer):
    outcome = logic.apply(case)

    def erase(array):
        array[2:] = 0

    withVoxels(outcome.segmentationNode, outcome.segmentID, erase, slicer)
    measured = logic.remeasure(case)
    assert 0 < measured.mask.voxel_count < outcome.measurement.mask.voxel_count
    assert logic.tableNode().GetTable().GetColumnByName("VolumeMl").GetValue(0) == measured.mask.volume_ml


def test_a_segment_with_finer_voxels_keeps_its_own_volume(logic, case, addSegment, addVolume, slicer):
    fine = np.zeros((20, 30, 30), np.uint8)
    fine[5:14, 5:24, 5:25] = 1
    geometry = np.eye(4)
    geometry[:3, 3] = np.array(BLEED_RAS) - (15, 15, 10)
    case.outputSegmentation, segmentID = addSegment(fine, addVolume(fine, geometry, name="fine"))
    measured = logic.measure(case, segmentID)
    assert measured.mask.volume_ml == pytest.approx(9 * 19 * 20 / 1000)
    assert measured.mask.mean_hu == pytest.approx(60, abs=5)
    assert "segment-other-grid" in {remark.code for remark in measured.remarks}


def test_a_segment_that_reaches_out_of_the_scan_is_measured_whole(logic, case, addSegment, addVolume):
    from HTSegmentationModule.volume_conversion import ijkToRas

    geometry = ijkToRas(case.inputVolume)
    geometry[:3, 3] -= geometry[:3, :3] @ (3, 0, 0)
    wide = np.ones((16, 10, 8), np.uint8)
    case.outputSegmentation, segmentID = addSegment(wide, addVolume(wide, geometry, name="wide"))
    assert logic.measure(case, segmentID).mask.voxel_count == wide.sum()


def test_a_moved_segmentation_is_measured_where_it_lies(logic, case, addLinear):
    outcome = logic.apply(case)
    moved = np.eye(4)
    moved[0, 3] = 40
    outcome.segmentationNode.SetAndObserveTransformNodeID(addLinear(moved).GetID())
    measured = logic.measure(case)
    assert measured.mask.volume_ml == pytest.approx(outcome.measurement.mask.volume_ml)
    assert measured.mask.mean_hu < outcome.measurement.mask.mean_hu - 20


def test_a_reference_on_the_scans_voxels_gives_the_librarys_overlap(logic, case, addSegment, phantom):
    case.referenceSegmentation, case.referenceSegmentID = addSegment(phantom[1], case.inputVolume)
    measured = logic.apply(case).measurement
    assert measured.overlap.dice > 0.95
    assert measured.overlap.reference_only_voxels + measured.overlap.both_voxels == phantom[1].sum()
    assert 0 <= measured.hd95Mm < 5
    assert measured.agreement.domain == "ROI"
    assert measured.remarks == ()


def test_a_reference_under_another_transform_is_compared_in_the_world(
    logic, case, addSegment, addLinear, addVolume, phantom
):
    from HTSegmentationModule.volume_conversion import ijkToRas

    matrix = rigid()
    elsewhere = addVolume(phantom[0], np.linalg.inv(matrix) @ ijkToRas(case.inputVolume), name="elsewhere")
    case.referenceSegmentation, case.referenceSegmentID = addSegment(phantom[1], elsewhere)
    case.referenceSegmentation.SetAndObserveTransformNodeID(addLinear(matrix).GetID())
    measured = logic.apply(case).measurement
    assert measured.overlap.dice > 0.95
    assert measured.remarks == ()


def test_a_reference_of_another_patients_place_gives_no_overlap(logic, case, addSegment, addVolume, phantom):
    far = np.diag([1.3, 1.2, 5.0, 1.0])
    far[:3, 3] = 1000
    case.referenceSegmentation, case.referenceSegmentID = addSegment(phantom[1], addVolume(phantom[0], far, name="other"))
    measured = logic.apply(case).measurement
    assert measured.overlap.dice == 0
    assert "reference-outside" in {remark.code for remark in measured.remarks}


def test_a_missing_reference_segment_is_told_before_any_work(logic, case, addSegment, phantom):
    case.referenceSegmentation, _ = addSegment(phantom[1], case.inputVolume)
    case.referenceSegmentID = "gone"
    with pytest.raises(UsageError, match="no such segment"):
        logic.apply(case)
    assert case.outputSegmentation is None


def test_without_a_segmentation_there_is_nothing_to_measure(logic, case):
    with pytest.raises(UsageError, match="press Apply"):
        logic.measure(case)
