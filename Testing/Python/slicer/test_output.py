"""Results become a segment that is right in the world and well filed in the scene."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.export.slicer_segmentation import terminology_entry
from HTSegmentationLib.segmenter import HEMORRHAGE

from .conftest import LPS_FROM_RAS, SPACING, rigid


def worldMask(outcome, logic, case):
    """The segment on the scan's grid, by way of the nodes alone."""
    from HTSegmentationModule.segmentation_conversion import maskOnGrid, segmentMask

    grid = logic.prepared(case.inputVolume).scan.image
    return sitk.GetArrayFromImage(maskOnGrid(segmentMask(outcome.segmentationNode, outcome.segmentID, grid), grid))


def requireSame(outcome, logic, case):
    assert outcome.measurement.mask.volume_ml == pytest.approx(outcome.result.volume_ml(), rel=1e-9)
    assert outcome.result.volume_ml() > 5
    assert np.array_equal(worldMask(outcome, logic, case), sitk.GetArrayFromImage(outcome.result.mask))


def test_the_segment_is_the_librarys_mask_with_slicers_term_and_colour(logic, case):
    outcome = logic.apply(case)
    requireSame(outcome, logic, case)
    segment = outcome.segmentationNode.GetSegmentation().GetSegment(outcome.segmentID)
    assert segment.GetName() == "Hemorrhage"
    assert segment.GetTerminology() == terminology_entry(HEMORRHAGE)
    np.testing.assert_allclose(np.array(segment.GetColor()) * 255, HEMORRHAGE.color)
    assert outcome.segmentationNode.GetDisplayNode() is not None
    assert case.outputSegmentation is outcome.segmentationNode


def test_the_reference_geometry_is_the_volume(logic, case, slicer):
    node = logic.apply(case).segmentationNode
    assert node.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()) is case.inputVolume
    converter = slicer.vtkSegmentationConverter
    stored = node.GetSegmentation().GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    grid = slicer.vtkOrientedImageData()
    converter.DeserializeImageGeometry(stored, grid, False)
    assert grid.GetDimensions() == case.inputVolume.GetImageData().GetDimensions()
    np.testing.assert_allclose(grid.GetSpacing(), case.inputVolume.GetSpacing())


def test_the_segmentation_stands_under_the_volumes_patient_and_study(logic, case, scene, slicer):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
    study = hierarchy.CreateStudyItem(patient, "study")
    hierarchy.CreateItem(study, case.inputVolume)
    node = logic.apply(case).segmentationNode
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_a_segmentation_that_the_user_filed_elsewhere_stays_there(logic, case, scene, slicer):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    hierarchy.CreateItem(hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study"), case.inputVolume)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "mine")
    case.outputSegmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    hierarchy.CreateItem(folder, case.outputSegmentation)
    node = logic.apply(case).segmentationNode
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder


def test_a_second_run_replaces_the_segment_and_keeps_its_id_and_all_others(logic, case, addSegment, phantom):
    other = np.zeros_like(phantom[1])
    other[2:4, 40:60, 40:60] = True
    first = logic.apply(case)
    node, otherID = addSegment(other, case.inputVolume, first.segmentationNode, name="Infarct")
    case.manualThreshold, case.manualLower, case.manualUpper = True, 55.0, 65.0
    second = logic.apply(case)
    assert second.segmentationNode is node
    assert second.segmentID == first.segmentID
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert second.measurement.mask.volume_ml != first.measurement.mask.volume_ml
    requireSame(second, logic, case)
    assert logic.measure(case, otherID).mask.voxel_count == other.sum()


def test_a_segment_that_shares_its_labelmap_is_replaced_without_harm_to_the_other(logic, case, addSegment, phantom):
    first = logic.apply(case)
    other = np.zeros_like(phantom[1])
    other[2:4, 40:60, 40:60] = True
    node, otherID = addSegment(other, case.inputVolume, first.segmentationNode, name="Infarct")
    node.GetSegmentation().CollapseBinaryLabelmaps(True)
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    second = logic.apply(case)
    requireSame(second, logic, case)
    assert logic.measure(case, otherID).mask.voxel_count == other.sum()


def test_an_oblique_left_handed_volume_gives_the_same_voxels(logic, addVolume, addBox, parameters, phantom):
    from HTSegmentationLib.ct.geometry import index_to_point_matrix

    matrix = LPS_FROM_RAS @ rigid() @ np.diag([*SPACING[:2], -SPACING[2], 1.0])
    volume = addVolume(phantom[0], matrix)
    center = np.argwhere(phantom[1])[:, ::-1].mean(axis=0)
    box = addBox(center=(matrix @ [*center, 1])[:3], size=(50, 50, 50))
    case = parameters(volume, [box])
    outcome = logic.apply(case)
    requireSame(outcome, logic, case)
    assert np.sign(np.linalg.det(index_to_point_matrix(outcome.result.mask)[:3, :3])) == -1


def test_under_a_rigid_transform_the_segmentation_lies_under_it_too(logic, case, addLinear):
    plain = logic.apply(case).measurement.mask.volume_ml
    case.outputSegmentation = None
    transform = addLinear(rigid())
    for node in (case.inputVolume, *case.roiNodes):
        node.SetAndObserveTransformNodeID(transform.GetID())
    outcome = logic.apply(case)
    assert outcome.segmentationNode.GetParentTransformNode() is transform
    assert outcome.measurement.mask.volume_ml == pytest.approx(plain)
    requireSame(outcome, logic, case)


def test_under_a_scaling_transform_volumes_are_those_of_the_world(logic, case, addLinear):
    plain = logic.apply(case)
    twice = addLinear(np.diag([1.0, 1.0, 1.1, 1.0]))
    for node in (case.inputVolume, *case.roiNodes):
        node.SetAndObserveTransformNodeID(twice.GetID())
    outcome = logic.apply(case)
    requireSame(outcome, logic, case)
    assert outcome.measurement.mask.volume_ml == pytest.approx(1.1 * plain.measurement.mask.volume_ml, rel=0.1)


@pytest.mark.parametrize("kind", ["linear shear", "tilt in a grid", "uneven gaps in a grid"])
def test_where_the_volume_is_resampled_the_segment_lies_in_the_world(logic, case, addLinear, addAcquisition, slicer, kind):
    array = case.inputVolume.GetImageData().GetDimensions()[2]
    if kind == "linear shear":
        shear = np.eye(4)
        shear[1, 2] = 0.2
        case.inputVolume.SetAndObserveTransformNodeID(addLinear(shear).GetID())
    else:
        shifts = np.zeros((array, 3))
        steps = np.arange(array) * SPACING[2]
        shifts[:, 1 if "tilt" in kind else 2] = 0.2 * steps if "tilt" in kind else np.clip(steps - 60, 0, None)
        addAcquisition(case.inputVolume, shifts)
    outcome = logic.apply(case)
    assert outcome.segmentationNode.GetParentTransformNode() is None
    requireSame(outcome, logic, case)
    assert {"tilt-resampled", "gaps-resampled"} & {remark.code for remark in outcome.remarks}
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert outcome.segmentationNode.GetNodeReference(role) is case.inputVolume
    assert outcome.measurement.mask.volume_ml == pytest.approx(7.0, rel=0.1)


def test_an_output_with_other_segments_keeps_its_own_transform_and_the_result_is_right_in_the_world(
    logic, case, addLinear, addSegment, phantom
):
    node, _ = addSegment(phantom[1], case.inputVolume, name="Infarct")
    transform = addLinear(rigid())
    node.SetAndObserveTransformNodeID(transform.GetID())
    case.outputSegmentation = node
    outcome = logic.apply(case)
    assert node.GetParentTransformNode() is transform
    requireSame(outcome, logic, case)


def test_an_output_under_a_deformation_with_other_segments_is_refused_before_any_work(
    logic, case, addSegment, addAcquisition, addVolume, phantom
):
    carrier = addVolume(phantom[0], name="carrier")
    grid = addAcquisition(carrier, np.random.default_rng(0).normal(size=(16, 3)))
    node, _ = addSegment(phantom[1], case.inputVolume, name="Infarct")
    node.SetAndObserveTransformNodeID(grid.GetID())
    case.outputSegmentation = node
    with pytest.raises(UsageError, match="choose another output segmentation"):
        logic.apply(case)
    assert not logic.isPrepared(case.inputVolume)


def test_an_empty_result_makes_an_empty_segment(logic, case):
    case.manualThreshold, case.manualLower, case.manualUpper = True, 200.0, 210.0
    outcome = logic.apply(case)
    assert outcome.measurement.mask.volume_ml == 0
    assert outcome.segmentationNode.GetSegmentation().GetNumberOfSegments() == 1
    case.manualThreshold = False
    assert logic.apply(case).measurement.mask.volume_ml > 5


def test_a_shown_surface_follows_the_new_result(logic, case):
    outcome = logic.apply(case)
    node = outcome.segmentationNode
    node.CreateClosedSurfaceRepresentation()
    before = node.GetClosedSurfaceInternalRepresentation(outcome.segmentID).GetNumberOfPoints()
    case.manualThreshold, case.manualLower, case.manualUpper = True, 60.0, 64.0
    logic.apply(case)
    assert node.GetClosedSurfaceInternalRepresentation(outcome.segmentID).GetNumberOfPoints() != before
