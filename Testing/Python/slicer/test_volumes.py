"""Volume nodes become scans that lie where Slicer shows them."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import index_to_point_matrix, voxel_volume_mm3
from HTSegmentationLib.errors import HTSegError, InputError, UsageError

from .conftest import LPS_FROM_RAS, SPACING, rigid


def scanOf(*args, **kwargs):
    from HTSegmentationModule.volume_conversion import scanFromVolume

    return scanFromVolume(*args, **kwargs)


def worldOf(volume, index):
    """LPS of a voxel, by Slicer's own nodes."""
    ijk = np.array([*index, 1.0])
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    ras, world = matrix.MultiplyPoint(ijk)[:3], [0, 0, 0]
    volume.TransformPointToWorld(ras, world)
    return np.array(world) * [-1, -1, 1]


def requireSamePlaces(volume, image):
    size = np.array(image.GetSize()) - 1
    for corner in ([0, 0, 0], size, size * [1, 0, 0], size * [0, 1, 0], size * [0, 0, 1]):
        found = image.TransformIndexToPhysicalPoint([int(n) for n in corner])
        np.testing.assert_allclose(found, worldOf(volume, corner), atol=1e-4)


def bleedPoint(volume, bleed):
    index = np.argwhere(bleed)[:, ::-1].mean(axis=0)
    return worldOf(volume, index)


def requireBleedAt(image, expected):
    """The bright voxels about a place must lie evenly about it."""
    hot = np.argwhere(sitk.GetArrayViewFromImage(image) > 47)[:, ::-1]
    matrix = index_to_point_matrix(image)
    points = hot @ matrix[:3, :3].T + matrix[:3, 3]
    near = points[np.linalg.norm(points - expected, axis=1) < 20]
    assert len(near) * voxel_volume_mm3(image) == pytest.approx(7200, rel=0.2)
    np.testing.assert_allclose(near.mean(axis=0), expected, atol=0.7)


def test_a_volume_keeps_its_voxels_and_its_place(volume, phantom):
    scan = scanOf(volume)
    assert np.array_equal(sitk.GetArrayViewFromImage(scan.image), phantom[0])
    assert scan.image.GetPixelID() == sitk.sitkInt16
    assert scan.remarks == ()
    requireSamePlaces(volume, scan.image)


def test_the_scene_keeps_its_values_when_the_library_tidies_them(addVolume, phantom):
    array = phantom[0].copy()
    array[0] = -3000
    volume = addVolume(array)
    scan = scanOf(volume)
    from HTSegmentationModule.volume_conversion import voxels

    assert sitk.GetArrayViewFromImage(scan.image).min() == -1024
    assert voxels(volume).min() == -3000


@pytest.mark.parametrize("handed", [1, -1])
def test_an_oblique_volume_of_any_handedness_keeps_its_voxels(addVolume, phantom, handed):
    matrix = LPS_FROM_RAS @ rigid() @ np.diag([*SPACING[:2], handed * SPACING[2], 1.0])
    volume = addVolume(phantom[0], matrix)
    scan = scanOf(volume)
    assert np.array_equal(sitk.GetArrayViewFromImage(scan.image), phantom[0])
    assert np.sign(np.linalg.det(index_to_point_matrix(scan.image)[:3, :3])) == handed
    requireSamePlaces(volume, scan.image)


def test_a_rotated_and_moved_volume_keeps_its_voxels_and_lies_in_the_world(volume, addLinear, phantom):
    outer = addLinear(rigid((0, 40, 0)))
    inner = addLinear(rigid())
    inner.SetAndObserveTransformNodeID(outer.GetID())
    volume.SetAndObserveTransformNodeID(inner.GetID())
    scan = scanOf(volume)
    assert np.array_equal(sitk.GetArrayViewFromImage(scan.image), phantom[0])
    requireSamePlaces(volume, scan.image)


def test_a_scaling_transform_changes_the_volume_of_a_voxel(volume, addLinear):
    volume.SetAndObserveTransformNodeID(addLinear(np.diag([1.0, 1.0, 2.0, 1.0])).GetID())
    assert voxel_volume_mm3(scanOf(volume).image) == pytest.approx(2 * np.prod(SPACING))


def test_a_linear_shear_is_resampled_onto_a_rectangular_grid_and_told(volume, addLinear, phantom):
    shear = np.eye(4)
    shear[1, 2] = np.tan(np.radians(15))
    volume.SetAndObserveTransformNodeID(addLinear(shear).GetID())
    scan = scanOf(volume)
    axes = np.array(scan.image.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert [remark.code for remark in scan.remarks] == ["tilt-resampled"]
    requireBleedAt(scan.image, bleedPoint(volume, phantom[1]))


def test_a_tilt_that_the_dicom_reader_put_into_a_grid_transform_is_resampled_slice_by_slice(volume, addAcquisition, phantom):
    slices = phantom[0].shape[0]
    shifts = np.zeros((slices, 3))
    shifts[:, 1] = np.arange(slices) * SPACING[2] * np.tan(np.radians(12))
    addAcquisition(volume, shifts)
    scan = scanOf(volume)
    assert [remark.code for remark in scan.remarks] == ["tilt-resampled"]
    requireBleedAt(scan.image, bleedPoint(volume, phantom[1]))


def test_uneven_gaps_in_a_grid_transform_become_an_even_grid_without_blur_in_the_plane(volume, addAcquisition, phantom):
    array, _ = phantom
    shifts = np.zeros((array.shape[0], 3))
    shifts[8:, 2] = (np.arange(array.shape[0])[8:] - 7) * SPACING[2]
    addAcquisition(volume, shifts)
    scan = scanOf(volume)
    assert [remark.code for remark in scan.remarks] == ["gaps-resampled"]
    assert scan.image.GetSpacing()[2] == pytest.approx(SPACING[2])
    found = sitk.GetArrayViewFromImage(scan.image)
    assert found.shape[0] == array.shape[0] + 8
    np.testing.assert_allclose(found[:8], array[:8], atol=0.01)
    np.testing.assert_allclose(found[9::2][: len(array) - 8], array[8:], atol=0.01)


def test_a_deformation_is_resampled_voxel_by_voxel_and_told(volume, scene, slicer, phantom):
    import vtk

    warp = vtk.vtkThinPlateSplineTransform()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for x in (-90, 90):
        for y in (-100, 100):
            for z in (-40, 40):
                source.InsertNextPoint(x, y, z)
                target.InsertNextPoint(x, y, z)
    source.InsertNextPoint(0, 0, 0)
    target.InsertNextPoint(6, 3, 2)
    warp.SetSourceLandmarks(source)
    warp.SetTargetLandmarks(target)
    warp.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "warp")
    node.SetAndObserveTransformToParent(warp)
    volume.SetAndObserveTransformNodeID(node.GetID())
    ramp = phantom[0].copy()
    ramp[2:-2, 20:-20, 20:-20] = np.add.outer(np.add.outer(20 * np.arange(12), np.arange(120)), 2 * np.arange(100))
    slicer.util.updateVolumeFromArray(volume, ramp)
    scan = scanOf(volume)
    assert [remark.code for remark in scan.remarks] == ["transform-resampled"]
    for index in np.random.default_rng(0).integers((40, 40, 4), (100, 120, 11), (50, 3)).tolist():
        place = scan.image.TransformPhysicalPointToContinuousIndex(worldOf(volume, index))
        found = scan.image.EvaluateAtContinuousIndex(place)
        assert found == pytest.approx(float(ramp[tuple(index[::-1])]), abs=1.0)


def test_no_volume_an_empty_one_and_a_removed_one_are_refused_in_one_sentence(scene, volume):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    scene.RemoveNode(volume)
    for node, words in ((None, "choose"), (empty, "empty: it holds no voxels"), (volume, "removed from the scene")):
        with pytest.raises(HTSegError, match=words) as found:
            scanOf(node)
        assert "\n" not in str(found.value)


def test_a_colour_picture_is_refused(addVolume):
    picture = addVolume(np.zeros((4, 5, 6, 3), np.uint8), kind="vtkMRMLVectorVolumeNode", name="photo")
    with pytest.raises(InputError, match="photo: it has 3 numbers for each voxel"):
        scanOf(picture)


def test_values_that_are_not_hu_are_refused_with_the_widgets_words_unless_the_user_insists(addVolume):
    mr = addVolume(np.random.default_rng(0).integers(0, 900, (8, 40, 40)).astype(np.int16), name="MR")
    with pytest.raises(InputError, match=r"MR: .*tick 'Values are HU'") as found:
        scanOf(mr)
    assert "--" not in str(found.value)
    assert [remark.code for remark in scanOf(mr, assumeHU=True).remarks] == ["hu-assumed"]


def test_the_grid_without_values_is_the_scans_grid(volume, addLinear):
    from HTSegmentationLib.ct.geometry import same_grid
    from HTSegmentationModule.volume_conversion import gridOfVolume

    assert same_grid(gridOfVolume(volume), scanOf(volume).image)
    shear = np.eye(4)
    shear[1, 2] = 0.2
    volume.SetAndObserveTransformNodeID(addLinear(shear).GetID())
    assert same_grid(gridOfVolume(volume), scanOf(volume).image)


def test_a_missing_library_is_told_in_one_sentence(slicer, monkeypatch):
    import builtins

    from HTSegmentationModule.library_path import libraryProblem

    assert libraryProblem() == ""
    real = builtins.__import__

    def without(name, *args):
        if name == "HTSegmentationLib":
            raise ImportError(name=name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    assert libraryProblem().startswith("HTSegmentationLib is missing")


def test_the_errors_are_the_librarys(volume, scene):
    scene.RemoveNode(volume)
    with pytest.raises(UsageError):
        scanOf(volume)
