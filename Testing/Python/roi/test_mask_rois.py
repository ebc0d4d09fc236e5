import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import InputError, ROIError
from HTSegmentationLib.roi import read_mask, read_roi

from .conftest import as_array, make_grid


def blob(grid, value=1):
    mask = sitk.Image(grid.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(grid)
    mask[20:40, 18:33, 8:15] = value
    return mask


def codes(roi):
    return {remark.code for remark in roi.remarks}


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha", ".mhd"])
def test_a_mask_on_the_scans_grid_is_taken_as_it_is(grid, tmp_path, ending):
    path = tmp_path / f"Röntgen mask{ending}"
    sitk.WriteImage(blob(grid), str(path))
    roi = read_roi(path, grid)
    np.testing.assert_array_equal(as_array(roi, grid), sitk.GetArrayFromImage(blob(grid)) > 0)
    assert roi.index == (20, 18, 8)
    assert roi.remarks == ()


def test_a_mask_written_by_another_program_lies_in_the_same_place(tmp_path):
    grid = make_grid(degrees=(15, 0, 10))
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1, -1, 1]) @ np.array(grid.GetDirection()).reshape(3, 3) @ np.diag(grid.GetSpacing())
    affine[:3, 3] = np.array(grid.GetOrigin()) * [-1, -1, 1]
    data = sitk.GetArrayFromImage(blob(grid)).T
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / "n.nii.gz")
    roi = read_roi(tmp_path / "n.nii.gz", grid)
    np.testing.assert_array_equal(as_array(roi, grid), data.T > 0)
    assert codes(roi) == set()


def test_all_labels_count_and_are_named(grid, tmp_path):
    mask = blob(grid)
    mask[0:3, 0:3, 0:3] = 7
    sitk.WriteImage(mask, str(tmp_path / "l.nii.gz"))
    roi = read_roi(tmp_path / "l.nii.gz", grid)
    assert roi.voxel_count == 20 * 15 * 7 + 27
    [remark] = roi.remarks
    assert remark.code == "roi-all-labels"
    assert "1, 7" in remark.text


def test_a_mask_on_another_grid_is_resampled_with_a_word(grid, tmp_path):
    fine = make_grid(size=(160, 150, 30), spacing=(0.4, 0.4, 2.0), degrees=(0, 0, 10))
    sitk.WriteImage(blob(fine), str(tmp_path / "f.nrrd"))
    roi = read_roi(tmp_path / "f.nrrd", grid)
    literal = sitk.Resample(blob(fine), grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    np.testing.assert_array_equal(as_array(roi, grid), sitk.GetArrayFromImage(literal) > 0)
    assert codes(roi) == {"roi-resampled"}


def test_a_mask_that_reaches_beyond_the_scan_says_how_much(grid, tmp_path):
    moved = blob(grid)
    moved.SetOrigin((grid.GetOrigin()[0] + 34, grid.GetOrigin()[1], grid.GetOrigin()[2]))
    sitk.WriteImage(moved, str(tmp_path / "m.nrrd"))
    roi = read_roi(tmp_path / "m.nrrd", grid)
    assert codes(roi) == {"roi-resampled", "roi-partly-outside"}
    assert any(remark.text.startswith("50%") for remark in roi.remarks)


def test_a_mask_elsewhere_is_refused(grid, tmp_path):
    moved = blob(grid)
    moved.SetOrigin((900, 0, 0))
    sitk.WriteImage(moved, str(tmp_path / "m.nrrd"))
    with pytest.raises(ROIError, match=r"m\.nrrd: it lies outside the scan"):
        read_roi(tmp_path / "m.nrrd", grid)


def test_an_empty_mask_is_refused(grid, tmp_path):
    sitk.WriteImage(blob(grid, value=0), str(tmp_path / "e.nii.gz"))
    with pytest.raises(ROIError, match="no voxel of it is above 0"):
        read_roi(tmp_path / "e.nii.gz", grid)


def test_overlapping_segments_in_layers_are_united(grid, tmp_path):
    layers = np.zeros((24, 60, 64, 2), dtype=np.uint8)
    layers[8:15, 18:33, 20:40, 0] = 1
    layers[10:20, 20:25, 30:50, 1] = 1
    image = sitk.GetImageFromArray(layers, isVector=True)
    image.CopyInformation(grid)
    path = tmp_path / "layers.seg.nrrd"
    sitk.WriteImage(image, str(path))
    np.testing.assert_array_equal(as_array(read_roi(path, grid), grid), layers.any(axis=-1))


def bad_images(grid):
    ct = sitk.Cast(blob(grid), sitk.sitkInt16) * 1000 - 950
    noise = sitk.GetImageFromArray(np.arange(24 * 60 * 64).reshape(24, 60, 64).astype(np.uint16) % 200)
    probability = sitk.Cast(blob(grid), sitk.sitkFloat32) * 0.7
    nan = sitk.GetImageFromArray(np.full((4, 4, 4), np.nan, dtype=np.float32))
    vector = sitk.GetImageFromArray(np.zeros((4, 4, 4, 3), dtype=np.uint8), isVector=True)
    series = sitk.GetImageFromArray(np.ones((3, 4, 4, 4), dtype=np.uint8), isVector=False)
    flat = sitk.GetImageFromArray(np.ones((4, 4), dtype=np.uint8))
    return {
        "as a scan does": ct,
        "200 different values": noise,
        "as probabilities do": probability,
        "no numbers": nan,
        "3 numbers for each voxel": vector,
        "3 volumes": series,
        "no volume": flat,
    }


@pytest.mark.parametrize("words", bad_images(make_grid()))
def test_an_image_that_is_no_mask_is_refused_with_what_was_found(grid, tmp_path, words):
    path = tmp_path / "bad.nrrd"
    sitk.WriteImage(bad_images(grid)[words], str(path))
    with pytest.raises(InputError, match=words):
        read_roi(path, grid)


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha"])
@pytest.mark.parametrize("content", [b"", b"no image at all", bytes(range(256)) * 8])
def test_a_file_that_is_no_image_is_refused(grid, tmp_path, ending, content):
    path = tmp_path / f"x{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\."):
        read_roi(path, grid)


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha"])
def test_a_cut_off_mask_is_refused(grid, tmp_path, ending):
    random = np.random.default_rng(0).integers(0, 2, (24, 60, 64)).astype(np.uint8)
    path = tmp_path / f"c{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(random), str(path), useCompression=True)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"cut short|damaged"):
        read_roi(path, grid)


def test_a_skewed_mask_is_placed_as_its_file_says(grid, tmp_path):
    skewed = blob(grid)
    skewed.SetDirection((1, 0, 0, 0, 1, 0.3, 0, 0, 0.9539392))
    sitk.WriteImage(skewed, str(tmp_path / "s.nrrd"))
    roi = read_roi(tmp_path / "s.nrrd", grid)
    literal = sitk.Resample(skewed, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    np.testing.assert_array_equal(as_array(roi, grid), sitk.GetArrayFromImage(literal) > 0)


def test_what_must_be_said_of_the_file_reaches_the_roi(grid, tmp_path):
    array = np.zeros((24, 60, 64), dtype=np.uint8)
    array[8:15, 18:33, 20:40] = 1
    plain = nibabel.Nifti1Image(array.T, None)
    plain.header.set_zooms((1.0, 1.0, 2.5))
    nibabel.save(plain, tmp_path / "plain.nii")
    assert "orientation-unknown" in codes(read_roi(tmp_path / "plain.nii", make_grid(origin=(-63, -59, 0))))


def test_a_layered_segmentation_must_not_open_other_files(grid, tmp_path):
    path = tmp_path / "evil.seg.nrrd"
    header = "NRRD0004\ntype: uchar\ndimension: 4\nsizes: 2 4 4 4\nspace: left-posterior-superior\n"
    header += "space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\nencoding: raw\n"
    (tmp_path / "secret").write_bytes(bytes(128))
    path.write_text(header + f"data file: {tmp_path / 'secret'}\n")
    with pytest.raises(InputError, match="another file"):
        read_roi(path, grid)


def test_a_header_that_claims_too_much_is_refused_unread(grid, tmp_path):
    path = tmp_path / "huge.nrrd"
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 90000 90000 90000\nspacings: 1 1 1\nencoding: raw\n\n"
    path.write_text(header)
    with pytest.raises(InputError, match="90000 x 90000 x 90000"):
        read_roi(path, grid)


def test_one_label_can_be_read_alone(grid, tmp_path):
    mask = blob(grid, value=3)
    mask[0:3, 0:3, 0:3] = 5
    path = tmp_path / "l.mha"
    sitk.WriteImage(mask, str(path))
    assert sitk.GetArrayFromImage(read_mask(path)[0]).sum() == 2100 + 27
    assert sitk.GetArrayFromImage(read_mask(path, label=5)[0]).sum() == 27
    with pytest.raises(InputError, match="no voxel has the label 4; labels in it: 3, 5"):
        read_mask(path, label=4)


def test_a_folder_is_refused(grid, tmp_path):
    (tmp_path / "d.nrrd").mkdir()
    with pytest.raises(InputError, match="folder"):
        read_roi(tmp_path / "d.nrrd", grid)
