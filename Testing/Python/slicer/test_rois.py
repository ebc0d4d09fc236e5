"""ROI nodes become the voxels that Slicer shows inside them."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from HTSegmentationLib.ct.geometry import index_to_point_matrix
from HTSegmentationLib.errors import HTSegError, ROIError, UsageError

from .conftest import BLEED_RAS


@pytest.fixture
def roi(slicer, volume, parameters):
    """Makes the ROI of some nodes on the volume's grid, as booleans (z, y, x)."""

    def make(*nodes, **fields):
        from HTSegmentationModule.roi_conversion import roiOnGrid
        from HTSegmentationModule.volume_conversion import gridOfVolume

        grid = gridOfVolume(volume)
        made = roiOnGrid(parameters(volume, nodes, **fields), grid)
        return sitk.GetArrayFromImage(made.on_grid(grid)) > 0, made

    return make


@pytest.fixture
def centersRas(slicer, volume):
    """RAS of all voxel centres (z, y, x, 3)."""
    from HTSegmentationModule.volume_conversion import gridOfVolume

    grid = gridOfVolume(volume)
    z, y, x = np.mgrid[tuple(slice(0, n) for n in grid.GetSize()[::-1])]
    matrix = index_to_point_matrix(grid)
    return (np.stack([x, y, z], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3]) * [-1, -1, 1]


def inSlicersBox(node, points):
    """Which points Slicer's own node has inside, for those about the box."""
    near = np.linalg.norm(points - np.array(BLEED_RAS), axis=-1) < 45
    inside = np.zeros(points.shape[:3], dtype=bool)
    inside[near] = [node.IsPointInROIWorld(list(point)) for point in points[near]]
    return inside


def test_a_box_holds_the_voxels_that_slicer_finds_in_it(roi, addBox, centersRas):
    box = addBox(size=(30.1, 25.3, 20.7))
    assert np.array_equal(roi(box)[0], inSlicersBox(box, centersRas))


def test_a_rotated_box_holds_the_voxels_that_slicer_finds_in_it(roi, addBox, addLinear, centersRas):
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("xyz", (20, 30, 40), degrees=True).as_matrix()
    turned[:3, 3] = BLEED_RAS
    box = addBox(center=(0, 0, 0), size=(30.1, 25.3, 20.7))
    box.SetAndObserveTransformNodeID(addLinear(turned).GetID())
    assert np.array_equal(roi(box)[0], inSlicersBox(box, centersRas))
    box.HardenTransform()
    assert np.array_equal(roi(box)[0], inSlicersBox(box, centersRas))


@pytest.mark.parametrize("shear", [0.0, 0.3])
def test_a_box_under_a_scaling_or_shearing_transform_is_the_one_that_slicer_draws(slicer, scene, addBox, addLinear, shear):
    """By its corners: IsPointInROIWorld leaves scaling out (GetPlanesWorld in Slicer 5.12), the drawn box does not."""
    from HTSegmentationModule.roi_conversion import shapeOfMarkups

    transform = np.diag([1.0, 1.2, 0.8, 1.0])
    transform[1, 2] = shear
    box = addBox(center=(3, 4, 5), size=(30.1, 25.3, 20.7))
    box.SetAndObserveTransformNodeID(addLinear(transform).GetID())
    drawn = box.CreateROIBoxPolyDataWorld()
    points = np.array([drawn.GetPoint(n) for n in range(drawn.GetNumberOfPoints())]) * [-1, -1, 1]
    shape, _ = shapeOfMarkups(box)
    distances = np.linalg.norm(shape.corners()[:, None] - points[None], axis=-1)
    assert distances.min(axis=0).max() < 1e-4
    assert distances.min(axis=1).max() < 1e-4


def test_a_closed_curve_holds_what_lies_inside_its_outline_on_all_slices(roi, addCurve, centersRas):
    square = [(dx, dy) for dx, dy in ((-15.1, -12.1), (15.1, -12.1), (15.1, 12.1), (-15.1, 12.1))]
    curve = addCurve([(BLEED_RAS[0] + dx, BLEED_RAS[1] + dy, BLEED_RAS[2]) for dx, dy in square], linear=True)
    found, made = roi(curve)
    offset = np.abs(centersRas - BLEED_RAS)
    assert np.array_equal(found, (offset[..., 0] < 15.1) & (offset[..., 1] < 12.1))
    assert [remark.code for remark in made.remarks] == ["roi-curve-all-slices"]


def test_a_closed_curve_under_a_transform_lies_where_slicer_draws_it(roi, addCurve, addLinear):
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    points = [(BLEED_RAS[0] + 15 * np.cos(a), BLEED_RAS[1] + 15 * np.sin(a), BLEED_RAS[2]) for a in angles]
    straight, _ = roi(addCurve(points))
    moved = np.eye(4)
    moved[0, 3] = 2 * 1.3
    curve = addCurve(points)
    curve.SetAndObserveTransformNodeID(addLinear(moved).GetID())
    found, _ = roi(curve)
    # RAS against LPS: to the right is down the index.
    assert np.array_equal(found[..., :-2], straight[..., 2:])
    assert straight.any()


def test_points_that_were_never_placed_are_left_out_and_told(roi, addCurve, slicer):
    curve = addCurve(
        [(BLEED_RAS[0] + dx, BLEED_RAS[1] + dy, BLEED_RAS[2]) for dx, dy in ((-9, -9), (9, -9), (9, 9), (-9, 9))]
    )
    before, _ = roi(curve)
    curve.AddControlPoint(0, 0, 0)
    curve.UnsetNthControlPointPosition(4)
    found, made = roi(curve)
    assert np.array_equal(found, before)
    assert "roi-points-not-placed" in {remark.code for remark in made.remarks}


def test_several_rois_are_united(roi, addBox, addCurve):
    first, second = addBox(name="one"), addBox(center=(20, 20, 0), size=(10, 10, 12), name="two")
    both, made = roi(first, second)
    assert np.array_equal(both, roi(first)[0] | roi(second)[0])
    assert made.sources == ("one", "two")


def test_a_segment_is_an_roi_and_is_united_with_boxes(roi, addBox, addSegment, volume, phantom):
    node, segmentID = addSegment(phantom[1], volume)
    alone, _ = roi(roiSegmentation=node, roiSegmentID=segmentID)
    assert np.array_equal(alone, phantom[1])
    box = addBox(center=(20, 20, 0), size=(10, 10, 12))
    both, _ = roi(box, roiSegmentation=node, roiSegmentID=segmentID)
    assert np.array_equal(both, phantom[1] | roi(box)[0])


def test_a_segment_with_voxels_of_its_own_is_resampled_and_told(roi, addSegment, addVolume, matrix):
    fine = np.zeros((20, 30, 30), np.uint8)
    fine[5:15, 5:25, 5:25] = 1
    geometry = np.eye(4)
    geometry[:3, 3] = np.array(BLEED_RAS) - (15, 15, 10)
    node, segmentID = addSegment(fine, addVolume(fine, geometry, name="fine"))
    found, made = roi(roiSegmentation=node, roiSegmentID=segmentID)
    assert [remark.code for remark in made.remarks] == ["roi-resampled"]
    assert found.sum() * 1.3 * 1.2 * 5 == pytest.approx(fine.sum(), rel=0.1)


@pytest.mark.parametrize("what", ["no nodes", "zero size", "outside", "inside out", "two points", "a line", "empty segment"])
def test_an_roi_that_cannot_be_used_is_told_in_one_sentence_with_its_name(
    what, roi, addBox, addCurve, addSegment, scene, volume, phantom
):
    nodes, fields = [], {}
    if what == "zero size":
        nodes = [addBox(size=(0, 20, 20))]
    elif what == "outside":
        nodes = [addBox(center=(500, 0, 0))]
    elif what == "inside out":
        nodes = [addBox()]
        nodes[0].SetInsideOut(True)
    elif what == "two points":
        nodes = [addCurve([(0, 0, 0), (10, 0, 0)], name="R")]
    elif what == "a line":
        nodes = [scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "R")]
    elif what == "empty segment":
        node, segmentID = addSegment(np.zeros_like(phantom[1]), volume, name="R")
        fields = {"roiSegmentation": node, "roiSegmentID": segmentID}
    with pytest.raises(ROIError) as found:
        roi(*nodes, **fields)
    assert "\n" not in str(found.value)
    assert what == "no nodes" or "R" in str(found.value)


def test_an_roi_without_a_placed_point_is_told(roi, scene):
    with pytest.raises(ROIError, match="no size yet"):
        roi(scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R"))


def test_a_node_that_left_the_scene_is_no_roi(roi, addBox, scene):
    box = addBox()
    scene.RemoveNode(box)
    with pytest.raises(HTSegError, match="no region of interest"):
        roi(box)


def test_a_missing_segment_is_told(roi, addSegment, volume, phantom):
    node, _ = addSegment(phantom[1], volume)
    with pytest.raises(UsageError, match="no such segment"):
        roi(roiSegmentation=node, roiSegmentID="gone")
