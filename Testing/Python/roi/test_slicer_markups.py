"""Markups that the real 3D Slicer (slicer-core) wrote mean to us what they mean to it."""

import json

import numpy as np
import pytest

from HTSegmentationLib.roi import read_roi
from HTSegmentationLib.roi.markups import read_markups

from ..needs import slicer_core
from .conftest import as_array, make_grid, voxel_centers

CONTROL_POINTS = ((-4.0, -14.0, 6.0), (9.0, -12.0, 6.0), (15.0, 2.0, 6.0), (4.0, 13.0, 6.0), (-12.0, 6.0, 6.0))


@pytest.fixture(scope="module")
def slicer():
    return slicer_core()


@pytest.fixture
def scene(slicer):
    return slicer.vtkMRMLScene()


@pytest.fixture
def box_node(slicer, scene):
    """A rotated ROI of 30 x 20 x 16 mm about (4, -3, 5) RAS."""
    import vtk

    node = slicer.vtkMRMLMarkupsROINode()
    scene.AddNode(node)
    placed = vtk.vtkTransform()
    placed.Translate(4, -3, 5)
    placed.RotateZ(25)
    placed.RotateX(-15)
    node.GetObjectToNodeMatrix().DeepCopy(placed.GetMatrix())
    node.AddControlPoint([4, -3, 5])
    node.SetSize(30, 20, 16)
    return node


@pytest.fixture
def curve_node(slicer, scene):
    node = slicer.vtkMRMLMarkupsClosedCurveNode()
    scene.AddNode(node)
    for point in CONTROL_POINTS:
        node.AddControlPoint(list(point))
    return node


def written(slicer, scene, node, path, storage_class, *, ras=False):
    storage = getattr(slicer, storage_class)()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    if ras:
        storage.SetCoordinateSystem(slicer.vtkMRMLStorageNode.CoordinateSystemRAS)
    assert storage.WriteData(node) == 1
    return path


def in_slicers_box(node, image):
    points = voxel_centers(image)
    ras = (points * [-1, -1, 1]).reshape(-1, 3)
    inside = [bool(node.IsPointInROIWorld(point.tolist())) for point in ras]
    return np.array(inside).reshape(points.shape[:3])


def test_the_committed_box_is_what_slicer_writes(slicer, scene, box_node, slicer_box, tmp_path):
    path = written(slicer, scene, box_node, tmp_path / "b.mrk.json", "vtkMRMLMarkupsROIJsonStorageNode")
    assert json.loads(path.read_text()) == json.loads(slicer_box.read_text())


def test_the_committed_curve_is_what_slicer_writes(slicer, scene, curve_node, slicer_curve, tmp_path):
    path = written(slicer, scene, curve_node, tmp_path / "c.mrk.json", "vtkMRMLMarkupsJsonStorageNode")
    assert json.loads(path.read_text()) == json.loads(slicer_curve.read_text())


@pytest.mark.parametrize("ras", [False, True])
def test_a_rotated_box_holds_the_voxels_that_slicer_finds_in_it(slicer, scene, box_node, tmp_path, ras):
    image = make_grid(size=(40, 40, 18), degrees=(12, 5, -8), origin=(-22, -15, -18))
    path = written(slicer, scene, box_node, tmp_path / "b.mrk.json", "vtkMRMLMarkupsROIJsonStorageNode", ras=ras)
    assert json.loads(path.read_text())["markups"][0]["coordinateSystem"] == ("RAS" if ras else "LPS")
    ours = as_array(read_roi(path, image), image)
    assert ours.sum() > 2000
    np.testing.assert_array_equal(ours, in_slicers_box(box_node, image))


def test_a_bounding_box_roi_is_read_as_slicer_shows_it(slicer, scene, tmp_path):
    node = slicer.vtkMRMLMarkupsROINode()
    scene.AddNode(node)
    node.SetROIType(node.ROITypeBoundingBox)
    for point in ([-8, -6, -5], [9, 7, 10], [2, 12, 4]):
        node.AddControlPoint(point)
    path = written(slicer, scene, node, tmp_path / "bb.mrk.json", "vtkMRMLMarkupsROIJsonStorageNode")
    assert json.loads(path.read_text())["markups"][0]["roiType"] == "BoundingBox"
    image = make_grid(size=(40, 40, 18), origin=(-20.3, -20.3, -17.3))
    np.testing.assert_array_equal(as_array(read_roi(path, image), image), in_slicers_box(node, image))


@pytest.mark.parametrize("ras", [False, True])
def test_a_closed_curve_runs_through_the_points_that_slicer_draws(slicer, scene, curve_node, tmp_path, ras):
    from vtk.util.numpy_support import vtk_to_numpy

    path = written(slicer, scene, curve_node, tmp_path / "c.mrk.json", "vtkMRMLMarkupsJsonStorageNode", ras=ras)
    ours = np.array(read_markups(path)[0][0].points) * [-1, -1, 1]
    slicers = vtk_to_numpy(curve_node.GetCurvePointsWorld().GetData())
    np.testing.assert_allclose(ours, slicers[:-1], atol=1e-5)
    np.testing.assert_allclose(slicers[-1], slicers[0], atol=1e-5)


def test_a_linear_closed_curve_is_the_polygon_that_slicer_draws(slicer, curve_node, slicer_curve, changed):
    from vtk.util.numpy_support import vtk_to_numpy

    curve_node.SetCurveTypeToLinear()
    slicers = vtk_to_numpy(curve_node.GetCurvePointsWorld().GetData())
    shapes, remarks = read_markups(changed(slicer_curve, curveType="linear"))
    from skimage.measure import points_in_poly

    lattice = np.stack(np.meshgrid(np.arange(-20, 20, 0.7), np.arange(-20, 20, 0.7)), axis=-1).reshape(-1, 2)
    ours = np.array(shapes[0].points)[:, :2] * [-1, -1]
    np.testing.assert_array_equal(points_in_poly(lattice, ours), points_in_poly(lattice, slicers[:-1, :2]))
    assert remarks == []
