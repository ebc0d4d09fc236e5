"""Two methods on one scan: four segments, and numbers that follow from the two masks."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import Cancelled, ParameterError, ROIError, UsageError

NAMES = ["Adaptive threshold", "Global threshold", "Only Adaptive threshold", "Only Global threshold"]


def voxels(logic, comparison, volume):
    from HTSegmentationModule.segmentation_conversion import maskOnGrid, segmentMask

    node, grid = comparison.segmentationNode, logic.prepared(volume).scan.image
    segmentation = node.GetSegmentation()
    return {
        segmentation.GetSegment(segmentID).GetName(): sitk.GetArrayFromImage(maskOnGrid(segmentMask(node, segmentID), grid))
        > 0
        for segmentID in segmentation.GetSegmentIDs()
    }


@pytest.fixture
def narrow(case):
    """A global threshold that finds a part of what the adaptive one finds, and something of its own."""
    case.globalLower, case.globalUpper = 62.0, 90.0
    return case


def test_the_segments_are_both_masks_and_what_only_one_of_them_holds(logic, narrow):
    comparison = logic.compare(narrow, "global")
    found = voxels(logic, comparison, narrow.inputVolume)
    assert list(found) == NAMES
    first, second, onlyFirst, onlySecond = found.values()
    assert np.array_equal(onlyFirst, first & ~second)
    assert np.array_equal(onlySecond, second & ~first)
    assert onlyFirst.any()
    both = np.count_nonzero(first & second)
    assert comparison.dice == pytest.approx(2 * both / (first.sum() + second.sum()))
    assert comparison.segmentationNode.GetName() == "head comparison"


def test_the_volumes_are_those_of_each_method_alone(logic, narrow):
    comparison = logic.compare(narrow, "global")
    alone = []
    for name in ("adaptive", "global"):
        narrow.method, narrow.outputSegmentation = name, None
        alone.append(logic.apply(narrow).measurement.mask.volume_ml)
    assert comparison.volumesMl == pytest.approx(tuple(alone))
    # Of one mask within the other, the disagreement is the difference.
    assert comparison.disagreementMl >= abs(alone[0] - alone[1]) - 1e-9


def test_comparing_again_replaces_the_comparison_and_leaves_the_result_alone(logic, narrow, scene):
    result = logic.apply(narrow)
    first = logic.compare(narrow, "global")
    before = scene.GetNumberOfNodes()
    second = logic.compare(narrow, "global")
    assert second.segmentationNode is first.segmentationNode
    assert scene.GetNumberOfNodes() == before
    assert second.segmentationNode.GetSegmentation().GetNumberOfSegments() == len(NAMES)
    assert narrow.outputSegmentation is result.segmentationNode
    assert logic.measure(narrow).mask.volume_ml == result.measurement.mask.volume_ml


def test_a_method_agrees_with_itself(logic, case):
    case.manualThreshold, case.manualLower, case.manualUpper = True, case.globalLower, case.globalUpper
    comparison = logic.compare(case, "global")
    assert comparison.dice == 1.0
    assert comparison.disagreementMl == 0.0


def test_a_known_result_is_not_made_again(logic, case):
    from HTSegmentationModule.comparison import gatherComparison

    known = logic.apply(case).result
    gathered = gatherComparison(logic, case, "global", known)
    first, second = gathered.run(lambda stage, fraction: None)
    assert first is known
    assert second.method == "global"


@pytest.mark.parametrize("other", ["adaptive", ""])
def test_the_second_method_must_be_another_one(logic, case, other):
    with pytest.raises(UsageError, match="second method"):
        logic.compare(case, other)


def test_what_is_missing_is_told_and_nothing_is_changed(logic, case, scene):
    before = scene.GetNumberOfNodes()
    box, case.roiNodes = case.roiNodes, []
    with pytest.raises(UsageError, match="ROI"):
        logic.compare(case, "global")
    case.roiNodes, case.globalLower = box, 95.0
    with pytest.raises((UsageError, ParameterError), match="lower bound"):
        logic.compare(case, "global")
    case.globalLower = 50.0
    case.roiNodes[0].SetCenter(500, 0, 0)
    with pytest.raises(ROIError):
        logic.compare(case, "global")
    assert scene.GetNumberOfNodes() == before


def test_a_stopped_comparison_changes_nothing(logic, case, scene):
    logic.prepare(case.inputVolume)
    before = scene.GetNumberOfNodes()

    def cancel(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        logic.compare(case, "global", cancel)
    assert scene.GetNumberOfNodes() == before


def test_a_moved_scan_is_compared_where_it_lies(logic, narrow, addLinear):
    from .conftest import rigid

    flat = logic.compare(narrow, "global")
    transform = addLinear(rigid())
    for node in (narrow.inputVolume, *narrow.roiNodes):
        node.SetAndObserveTransformNodeID(transform.GetID())
    moved = logic.compare(narrow, "global")
    assert moved.segmentationNode.GetTransformNodeID() == transform.GetID()
    assert moved.dice == pytest.approx(flat.dice, abs=0.02)
    assert moved.volumesMl == pytest.approx(flat.volumesMl, rel=0.02)


def test_remarks_of_both_methods_are_told_once(logic, case):
    codes = [remark.code for remark in logic.compare(case, "global").remarks]
    assert len(set(codes)) == len(codes)
