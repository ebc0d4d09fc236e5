"""The real head CT: gantry tilt of 18.5 degrees, gaps of 4, 1.08 and 7 mm, padding of -1500, an old infarct on the left."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct import read_ct

from .conftest import pixels_of, points_of, remark


@pytest.fixture(scope="module")
def slices(real_folder):
    return [pydicom.dcmread(file) for file in sorted(real_folder.glob("*.dcm"))]


def geometry(ds):
    """Position, and the steps in mm from one column and one row to the next, of a slice."""
    row, column = np.reshape(np.array(ds.ImageOrientationPatient, dtype=float), (2, 3))
    return np.array(ds.ImagePositionPatient, dtype=float), row * ds.PixelSpacing[1], column * ds.PixelSpacing[0]


def test_tilt_gaps_and_padding_are_told(real_scan):
    assert "18.5 degrees" in remark(real_scan, "tilt-resampled").text
    gaps = remark(real_scan, "gaps-resampled").text
    assert "13 gaps of 4.00 mm, 1 of 1.08 mm, 13 of 7.00 mm" in gaps
    assert "step between slices being 4.00 mm" in gaps
    assert "512 x 611 x 37 voxels" in gaps
    assert "outside the reconstruction" in remark(real_scan, "padding-set-to-air").text
    assert len(real_scan.remarks) == 3
    assert pixels_of(real_scan).min() == -1024


def test_every_dicom_slice_is_found_at_its_own_place_in_the_patient(real_scan, slices):
    """Smoothed a little, since the scan's own noise of 5-10 HU is averaged between slices; edges are left out."""
    image = sitk.Cast(real_scan.image, sitk.sitkFloat32)
    compared = 0
    for index in (2, 8, 13, 14, 18, 24):
        ds = slices[index]
        origin, x, y = geometry(ds)
        plane = sitk.GetImageFromArray(ds.pixel_array.astype(np.float32)[None])
        normal = np.cross(x, y) / np.prod(np.array(ds.PixelSpacing, dtype=float))
        plane.SetSpacing((*[float(v) for v in ds.PixelSpacing], 1.0))
        plane.SetDirection(np.stack([x / ds.PixelSpacing[1], y / ds.PixelSpacing[0], normal], axis=1).ravel().tolist())
        plane.SetOrigin(origin.tolist())
        found = sitk.GetArrayFromImage(sitk.Resample(image, plane, sitk.Transform(), sitk.sitkLinear, -1024.0))[0]
        expected = np.maximum(ds.pixel_array.astype(float), -1024)
        calm = ndimage.binary_erosion((expected > 0) & (expected < 80), iterations=6)
        smooth = [ndimage.uniform_filter(values, 9)[calm] for values in (found, expected)]
        assert calm.sum() > 500
        compared += calm.sum()
        # The neighbours' share is at most half, and only where the grid's slices lie between this one and the next.
        # Where the thin and the thick slabs overlap, their own HU differ by 2 to 3.
        assert np.abs(np.median(smooth[0] - smooth[1])) < (3.0 if index == 14 else 1.5)
        assert np.corrcoef(*smooth)[0, 1] > 0.7
    assert compared > 50_000


def test_a_slice_on_the_grid_is_the_dicom_slice_itself(real_scan, slices):
    """The grid begins at the first slice, whose pixels it must hold at the very points that the file gives."""
    ds = slices[0]
    origin, x, y = geometry(ds)
    for column, row in ((0, 0), (256, 256), (200, 340), (511, 511), (300, 180)):
        point = origin + column * x + row * y
        index = real_scan.image.TransformPhysicalPointToIndex(point.tolist())
        assert real_scan.image.TransformIndexToPhysicalPoint(index) == pytest.approx(point, abs=0.01)
        assert real_scan.image[index] == max(-1024, ds.pixel_array[row, column])


def depths_of(slices):
    """Distances in mm of the slices' centres along their normal, from the first one's."""
    first, x, y = geometry(slices[0])
    normal = np.cross(x, y) / np.linalg.norm(np.cross(x, y))
    return np.array([float((geometry(ds)[0] - first) @ normal) for ds in slices])


def test_the_volume_of_a_box_is_that_of_its_edges_in_the_patient(real_scan, slices):
    """A box of 60 x 70 x 112 mm on the first slab's lower face; it reaches far into the thick slices."""
    first, x, y = geometry(slices[0])
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    moved = points_of(real_scan.image) - first
    height = moved @ np.cross(x, y) + slices[0].SliceThickness / 2
    box = (np.abs(moved @ x - 125) < 30) & (np.abs(moved @ y - 100) < 35) & (height < 112)
    assert box.sum() * np.prod(real_scan.image.GetSpacing()) == pytest.approx(60 * 70 * 112, rel=0.01)


def test_the_volume_of_the_head_is_that_of_the_dicom_slices_by_hand(real_scan, slices):
    """By hand: each slice's area above -200 HU times half the way to its neighbours; one average gap is far off."""
    depths = depths_of(slices)
    pixel = float(np.prod(np.array(slices[0].PixelSpacing, dtype=float)))
    areas = np.array([pixel * (ds.pixel_array > -200).sum() for ds in slices])
    # Beyond the last centre, as the grid ends half a step after its last slice.
    edges = np.concatenate([[-2.0], (depths[1:] + depths[:-1]) / 2, [depths[-1] + 2.0]])
    by_hand = float((areas * np.diff(edges)).sum())
    by_average = float(areas.sum() * depths[-1] / 27)
    by_grid = (pixels_of(real_scan) > -200).sum() * np.prod(real_scan.image.GetSpacing())
    assert by_grid == pytest.approx(by_hand, rel=0.01)
    assert by_average != pytest.approx(by_hand, rel=0.02)


def head_mask(values):
    """What lies inside the skull, slice by slice: not bone, not air, enclosed by bone."""
    bone = ndimage.gaussian_filter(values, (0, 1.5, 1.5)) > 180
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in bone])
    return ndimage.binary_erosion(filled & ~bone, np.ones((1, 9, 9)), iterations=2)


def test_the_old_infarct_is_on_the_patients_left_and_at_the_back(real_scan):
    values, points = pixels_of(real_scan), points_of(real_scan.image)
    above_base = slice(14, 22)
    values, points = values[above_base], points[above_base]
    inside = head_mask(values)
    smooth = ndimage.gaussian_filter(values, (0, 4, 4))
    middle = np.median(points[inside], axis=0)
    left, behind = points[..., 0] > middle[0], points[..., 1] > middle[1] + 15
    off_midline = np.abs(points[..., 0] - middle[0]) > 25
    dark = (smooth > 5) & (smooth < 24)
    share = {
        (side, back): dark[inside & off_midline & (left == side) & (behind == back)].mean()
        for side in (True, False)
        for back in (True, False)
    }
    assert share[True, True] > 2 * share[False, True]
    assert share[True, True] - share[False, True] > 2 * (share[True, False] - share[False, False])


def test_the_calcified_choroid_plexus_lies_on_both_sides_behind_the_middle(real_scan):
    values, points = pixels_of(real_scan)[18:22], points_of(real_scan.image)[18:22]
    inside = ndimage.binary_erosion(head_mask(values), np.ones((1, 9, 9)), iterations=3)
    calcified = inside & (values > 100)
    middle = np.median(points[inside], axis=0)
    assert (points[calcified][:, 1] > middle[1]).mean() > 0.8
    sides = points[calcified][:, 0] - middle[0]
    assert (sides > 10).sum() > 20
    assert (sides < -10).sum() > 20


def test_a_real_template_in_hu_passes_as_skull_and_brain(test_data):
    scan = read_ct(test_data / "scct-template" / "scct_hu_2mm.nii.gz")
    assert scan.remarks == ()
    assert scan.image.GetSize() == (91, 109, 91)


def test_a_real_lesion_mask_is_refused_as_a_ct(test_data):
    from HTSegmentationLib.errors import InputError

    mask = next((test_data / "infarct-masks").glob("*.nii.gz"))
    with pytest.raises(InputError, match="mask of labels"):
        read_ct(mask)
