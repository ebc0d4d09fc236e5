import subprocess
import sys

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import same_grid
from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.export import require_mask_path, write_image, write_mask
from HTSegmentationLib.roi import read_mask, read_roi

ENDINGS = [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha"]


@pytest.mark.parametrize("ending", [*ENDINGS, ".NII.GZ", ".Seg.NRRD"])
def test_a_mask_comes_back_as_it_was(mask, tmp_path, ending):
    path = tmp_path / f"mask von Jürgen{ending}"
    write_mask(path, mask)
    back, _ = read_mask(path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(mask))
    assert same_grid(back, mask)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_of_the_patient_goes_into_the_file(mask, tmp_path, ending):
    path = tmp_path / f"m{ending}"
    write_mask(path, mask)
    back = sitk.ReadImage(str(path))
    assert not any("Patient" in back.GetMetaData(key) for key in back.GetMetaDataKeys())
    assert mask.GetMetaData("0010|0010") == "A^Patient"


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".seg.nrrd", ".mha"])
def test_masks_are_compressed(mask, tmp_path, ending):
    write_mask(tmp_path / f"m{ending}", mask)
    assert (tmp_path / f"m{ending}").stat().st_size < 2500 < mask.GetNumberOfPixels()


def test_another_nifti_reader_finds_both_forms_and_the_same_place(mask, tmp_path):
    write_mask(tmp_path / "m.nii.gz", mask)
    file = nibabel.load(tmp_path / "m.nii.gz")
    assert file.header["qform_code"] > 0
    assert file.header["sform_code"] > 0
    assert file.header.get_xyzt_units()[0] == "mm"
    ends = np.array([[0, 0, 0, 1], [51, 43, 8, 1]])
    ours = [np.array(mask.TransformIndexToPhysicalPoint(tuple(map(int, end[:3])))) * [-1, -1, 1] for end in ends]
    for form in (file.get_qform(), file.get_sform()):
        np.testing.assert_allclose((form @ ends.T).T[:, :3], ours, atol=1e-3)
    np.testing.assert_array_equal(np.asarray(file.dataobj).T, sitk.GetArrayFromImage(mask))


def test_a_mask_written_can_be_drawn_on_as_roi(mask, scan, tmp_path):
    write_mask(tmp_path / "m.seg.nrrd", mask)
    roi = read_roi(tmp_path / "m.seg.nrrd", scan)
    assert roi.voxel_count == 4 * 13 * 11
    assert roi.remarks == ()


def test_a_scan_can_be_written_too(scan, tmp_path):
    write_image(tmp_path / "ct.nii.gz", scan)
    back = sitk.ReadImage(str(tmp_path / "ct.nii.gz"))
    assert back.GetPixelID() == sitk.sitkInt16
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(scan))


@pytest.mark.parametrize("name", ["mask", "mask.png", "mask.nii.zip", "mask.dcm"])
def test_another_ending_is_refused_with_those_that_go(tmp_path, name):
    with pytest.raises(UsageError, match=r"\.seg\.nrrd, \.nii\.gz, \.nii, \.nrrd, \.mha"):
        require_mask_path(tmp_path / name)


def test_a_missing_folder_is_refused_before_work(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        require_mask_path(tmp_path / "none" / "m.nii.gz")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_skewed_grid_is_not_written_straightened(mask, tmp_path, ending):
    mask.SetDirection((1, 0, 0, 0, 1, 0.3, 0, 0, 0.9539392))
    with pytest.raises(UsageError, match=r"skewed grid; write \.nrrd"):
        write_mask(tmp_path / f"m{ending}", mask)
    assert list(tmp_path.iterdir()) == []
    write_mask(tmp_path / "m.nrrd", mask)
    assert same_grid(read_mask(tmp_path / "m.nrrd")[0], mask)


def test_a_value_without_a_label_is_not_lost_in_a_segmentation(mask, tmp_path):
    mask[0, 0, 0] = 4
    with pytest.raises(UsageError, match="holds the values 4, which have no label"):
        write_mask(tmp_path / "m.seg.nrrd", mask)


def test_a_file_that_was_there_is_replaced(mask, tmp_path):
    path = tmp_path / "m.nii.gz"
    path.write_text("old")
    write_mask(path, mask)
    assert same_grid(read_mask(path)[0], mask)


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha", ".seg.nrrd"])
def test_on_a_full_disk_nothing_is_left_and_the_user_is_told(tmp_path, ending):
    # A limit on the size of files does what a full disk does: writing ends in the middle.
    code = f"""
import resource, signal, sys
import numpy as np, SimpleITK as sitk
from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.export import write_mask
from HTSegmentationLib.segmenter import HEMORRHAGE
noise = np.random.default_rng(1).integers(0, 2, (20, 128, 128)).astype(np.uint8)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_mask({str(tmp_path / f"mask{ending}")!r}, sitk.GetImageFromArray(noise), (HEMORRHAGE,))
except OutputError as error:
    sys.exit(0 if "free space" in str(error) else f"another sentence: {{error}}")
sys.exit("half a file was taken for a whole one")
"""
    pytest.importorskip("resource", reason="only POSIX systems can limit the size of files")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []
