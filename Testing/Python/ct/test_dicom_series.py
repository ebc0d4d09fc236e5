"""Which series is read, in what order, and what is left out."""

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import generate_uid

from HTSegmentationLib.ct import read_ct
from HTSegmentationLib.ct.geometry import same_grid
from HTSegmentationLib.errors import InputError, UsageError

from .conftest import (
    PIXELS,
    SPACING,
    SyntheticSeries,
    codes,
    head_hu,
    outcome,
    pixels_of,
    points_of,
    remark,
    write,
)


def localizer(series):
    ds = series.dataset(0)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    return ds


def test_even_slices_are_read_bit_by_bit_in_the_order_of_their_positions(tmp_path, series):
    write(series.datasets(), tmp_path)
    scan = read_ct(tmp_path)
    assert np.array_equal(pixels_of(scan), series.hu())
    assert scan.image.GetPixelIDTypeAsString() == "16-bit signed integer"
    assert scan.image.GetSpacing() == pytest.approx((SPACING, SPACING, 8.0))
    assert scan.image.GetOrigin() == pytest.approx(series.position(0))
    assert scan.image.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert scan.remarks == ()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(14)))
def test_any_names_of_the_files_give_the_same_image(tmp_path, series, order):
    folder = tmp_path / "-".join(map(str, order))
    write(series.datasets(), folder, [f"{n:02d}.dcm" for n in order])
    scan = read_ct(folder)
    assert np.array_equal(pixels_of(scan), series.hu())
    assert [file[-6:] for file in scan.source.files] == [f"{n:02d}.dcm" for n in order]


def test_the_source_names_series_and_files_but_never_the_patient(tmp_path, series):
    write(series.datasets(), tmp_path)
    scan = read_ct(tmp_path)
    assert (scan.source.format, scan.source.series, scan.source.description) == ("DICOM", series.uid, "HEAD 2")
    assert len(scan.source.files) == len(series.depths)
    assert "secret" not in repr(scan.source).lower()


def test_nested_folders_and_foreign_files_do_not_matter(tmp_path, series):
    datasets = series.datasets()
    write(datasets[:5], tmp_path / "a b" / "ü", [f"{n}" for n in range(5)])
    write(datasets[5:], tmp_path / "c", [f"{n}.img" for n in range(9)])
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    assert np.array_equal(pixels_of(read_ct(tmp_path)), series.hu())


def test_one_file_of_a_series_stands_for_all_of_it(tmp_path, series):
    files = write(series.datasets(), tmp_path)
    write(SyntheticSeries(number=9).datasets(), tmp_path, [f"other{n}" for n in range(14)])
    scan = read_ct(files[3])
    assert scan.source.series == series.uid
    assert np.array_equal(pixels_of(scan), series.hu())


def test_a_dicomdir_leads_to_its_files(tmp_path, series):
    from pydicom.fileset import FileSet

    disc = FileSet()
    for ds in series.datasets():
        disc.add(ds)
    disc.write(tmp_path / "disc")
    scan = read_ct(tmp_path / "disc" / "DICOMDIR")
    assert np.array_equal(pixels_of(scan), series.hu())
    next((tmp_path / "disc").rglob("IM00000?")).unlink()
    assert "dicomdir-files-missing" in codes(read_ct(tmp_path / "disc" / "DICOMDIR"))
    shutil.rmtree(tmp_path / "disc" / "PT000000")
    with pytest.raises(InputError, match="names 14 files, and none of them"):
        read_ct(tmp_path / "disc" / "DICOMDIR")


def test_a_dicomdir_cannot_lead_out_of_its_folder(tmp_path, series):
    from pydicom import dcmread
    from pydicom.fileset import FileSet

    disc = FileSet()
    for ds in series.datasets()[:3]:
        disc.add(ds)
    disc.write(tmp_path / "disc")
    directory = dcmread(tmp_path / "disc" / "DICOMDIR")
    directory.DirectoryRecordSequence[-1].ReferencedFileID = ["..", "..", "ETC"]
    directory.save_as(tmp_path / "disc" / "DICOMDIR")
    with pytest.raises(InputError, match="outside its own folder"):
        read_ct(tmp_path / "disc" / "DICOMDIR")


def test_two_series_are_listed_and_either_can_be_chosen(tmp_path, series):
    other = SyntheticSeries(depths=np.arange(20) * 5.0, number=3, value=lambda p: np.where(p[..., 0] > 0, 40.0, -1000.0))
    write(series.datasets(), tmp_path / "one")
    write(other.datasets(), tmp_path / "two")
    with pytest.raises(UsageError) as caught:
        read_ct(tmp_path)
    message = str(caught.value)
    assert "--series" in message
    assert f"2 (HEAD 2, 14 slices 8.00 mm apart, UID {series.uid})" in message
    assert f"3 (HEAD 3, 20 slices 5.00 mm apart, UID {other.uid})" in message
    assert "\n" not in message
    assert "Secret" not in message
    for chosen in ("2", 2, series.uid):
        assert np.array_equal(pixels_of(read_ct(tmp_path, series=chosen)), series.hu())
    assert np.array_equal(pixels_of(read_ct(tmp_path, series=other.uid)), other.hu())
    with pytest.raises(UsageError, match="no CT series 7"):
        read_ct(tmp_path, series="7")


def test_a_number_that_two_series_share_must_be_given_as_uid(tmp_path, series):
    other = SyntheticSeries(number=2)
    write(series.datasets(), tmp_path / "one")
    write(other.datasets(), tmp_path / "two")
    with pytest.raises(UsageError, match="2 series have the number 2; choose by UID"):
        read_ct(tmp_path, series=2)
    assert read_ct(tmp_path, series=other.uid).source.series == other.uid


def test_localizers_captures_and_other_modalities_are_never_candidates(tmp_path, series):
    write(series.datasets(), tmp_path / "ct")
    scout = SyntheticSeries(number=1)
    captures, magnetic = SyntheticSeries(number=4).datasets()[:4], SyntheticSeries(number=5).datasets()[:4]
    for ds in captures:
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    for ds in magnetic:
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        ds.Modality = "MR"
    screens = SyntheticSeries(number=6).datasets()[:4]
    for ds in screens:
        ds.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    write([localizer(scout) for _ in range(3)], tmp_path / "scout")
    write(captures, tmp_path / "captures")
    write(magnetic, tmp_path / "mr")
    write(screens, tmp_path / "screens")
    scan = read_ct(tmp_path)
    assert scan.source.series == series.uid
    assert scan.remarks == ()
    with pytest.raises(InputError, match="no CT slices, only 3 x localizer"):
        read_ct(tmp_path / "scout")
    with pytest.raises(InputError, match="this is a localizer"):
        read_ct(next((tmp_path / "scout").iterdir()))


def test_localizers_within_the_series_are_left_out_and_told(tmp_path, series):
    write([*series.datasets(), localizer(series), localizer(series)], tmp_path)
    scan = read_ct(tmp_path)
    assert np.array_equal(pixels_of(scan), series.hu())
    assert "2 x localizer" in remark(scan, "no-slices-left-out").text


def test_odd_images_without_a_mark_are_left_out_and_told(tmp_path, series):
    odd = [localizer(series), localizer(series)]
    for ds in odd:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    write([*series.datasets(), *odd], tmp_path)
    scan = read_ct(tmp_path)
    assert np.array_equal(pixels_of(scan), series.hu())
    assert "2 of the series' 16 images" in remark(scan, "odd-slices-left-out").text


def test_a_series_of_two_orientations_is_listed_as_parts(tmp_path, series):
    sagittal = series.datasets()[:6]
    for n, ds in enumerate(sagittal):
        ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        ds.ImagePositionPatient = [5 * n, -90, 120]
    write([*series.datasets(), *sagittal], tmp_path)
    with pytest.raises(UsageError, match=r"holds 2 scans.*2\.1 \(axial.*14 slices\); 2\.2 \(sagittal.*6 slices\)"):
        read_ct(tmp_path)
    assert np.array_equal(pixels_of(read_ct(tmp_path, series="2.1")), series.hu())
    assert read_ct(tmp_path, series="2.2", assume_hu=True).image.GetSize() == (PIXELS, PIXELS, 6)


def test_slices_found_twice_with_the_same_pixels_are_dropped(tmp_path, series):
    write(series.datasets(), tmp_path / "disc")
    shutil.copytree(tmp_path / "disc", tmp_path / "copy of disc")
    scan = read_ct(tmp_path)
    assert np.array_equal(pixels_of(scan), series.hu())
    assert "14 of 28 slices" in remark(scan, "duplicates-dropped").text


def two_kernels(series, tell):
    sharp = SyntheticSeries(uid=series.uid, value=lambda p: series.value(p) + 3)
    datasets = [series.datasets(), sharp.datasets()]
    for name, part in zip(("STANDARD", "BONE"), datasets, strict=True):
        for ds in part:
            if tell:
                ds.ConvolutionKernel = name
    return sharp, [*datasets[0], *datasets[1]]


def test_two_kernels_under_one_uid_are_listed_as_parts(tmp_path, series):
    sharp, datasets = two_kernels(series, tell=True)
    write(datasets, tmp_path)
    with pytest.raises(UsageError, match=r"2\.1 \(ConvolutionKernel BONE, 14 slices\); 2\.2 \(ConvolutionKernel STANDARD"):
        read_ct(tmp_path)
    assert np.array_equal(pixels_of(read_ct(tmp_path, series="2.1")), sharp.hu())
    assert np.array_equal(pixels_of(read_ct(tmp_path, series=f"{series.uid}.2")), series.hu())
    with pytest.raises(UsageError, match="holds 2 scans"):
        read_ct(tmp_path, series="2.3")


def test_different_images_at_the_same_place_that_nothing_tells_apart_are_refused(tmp_path, series):
    write(two_kernels(series, tell=False)[1], tmp_path)
    with pytest.raises(InputError, match="different images at 14 places"):
        read_ct(tmp_path)


@pytest.mark.parametrize("name", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_slices_that_cannot_be_placed_are_refused_by_the_attribute_that_is_missing(tmp_path, series, name):
    datasets = series.datasets()
    for ds in datasets:
        delattr(ds, name)
    write(datasets, tmp_path)
    with pytest.raises(InputError, match=name):
        read_ct(tmp_path)


def test_images_beside_each_other_in_one_plane_are_refused(tmp_path, series):
    datasets = series.datasets()
    beside = series.dataset(5)
    beside.ImagePositionPatient = [200.0, *beside.ImagePositionPatient[1:]]
    write([*datasets, beside], tmp_path)
    with pytest.raises(InputError, match="different images at 1 places"):
        read_ct(tmp_path)


def test_a_single_slice_is_no_scan(tmp_path, series):
    write(series.datasets()[:1], tmp_path)
    with pytest.raises(InputError, match="at least 3"):
        read_ct(tmp_path)


def test_a_folder_of_volume_files_names_the_file_to_give(tmp_path):
    (tmp_path / "head.nii.gz").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no DICOM images, but head\.nii\.gz; give the file itself"):
        read_ct(tmp_path)


@pytest.mark.parametrize("content", [{}, {"a.txt": b"text"}])
def test_a_folder_without_images_is_refused(tmp_path, content):
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match="give the folder of the head CT"):
        read_ct(tmp_path)


def test_hundreds_of_slices_are_read_and_progress_rises_to_one(tmp_path):
    long = SyntheticSeries(depths=np.arange(150) * 0.8, thickness=0.8)
    write(long.datasets(), tmp_path)
    told = []
    scan = read_ct(tmp_path, progress=lambda stage, fraction: told.append(fraction))
    assert scan.image.GetSize()[2] == 150
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert np.array_equal(pixels_of(scan), long.hu())


def test_a_mirrored_order_of_positions_is_the_same_scan(tmp_path, series):
    datasets = series.datasets()
    for ds in datasets:
        ds.SeriesInstanceUID = generate_uid(entropy_srcs=["same"])
    write(datasets, tmp_path / "up")
    write(datasets[::-1], tmp_path / "down")
    up, down = read_ct(tmp_path / "up"), read_ct(tmp_path / "down")
    assert same_grid(up.image, down.image)
    assert np.array_equal(pixels_of(up), pixels_of(down))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(angles=st.tuples(*[st.floats(-3.1, 3.1)] * 3), tilt=st.sampled_from([0.0, 12.0]))
def test_however_the_patient_lies_each_point_keeps_its_place(tmp_path, angles, tilt):
    rotation = np.reshape(sitk.Euler3DTransform((0, 0, 0), *angles).GetMatrix(), (3, 3))
    series = SyntheticSeries(rotation=rotation, tilt=tilt, spacing=(5.5, 6.0))
    folder = tmp_path / generate_uid()
    write(series.datasets(), folder)
    scan = read_ct(folder)
    points, values = points_of(scan.image), pixels_of(scan)
    brain = np.sqrt(((points - [0, 0, 40]) ** 2).sum(axis=-1)) < 40
    assert brain.sum() > 300
    assert np.abs(values[brain] - head_hu(points)[brain]).max() < 1.6
    assert scan.image.GetSpacing() == pytest.approx((5.5, 6.0, 8.0), abs=1e-4)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(128, 1500), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_file_is_read_left_out_or_refused_but_never_breaks_the_program(tmp_path, at, junk):
    series = SyntheticSeries(depths=np.arange(4) * 8.0)
    files = write(series.datasets(), tmp_path / "series")
    content = bytearray(files[1].read_bytes())
    content[at : at + len(junk)] = junk
    files[1].write_bytes(content)
    message, finite = outcome(tmp_path / "series")
    assert "\n" not in message
    assert finite
    for file in files:
        file.unlink()


def test_nothing_that_a_file_says_of_the_patient_reaches_logs_or_terminal(tmp_path, series, caplog, capfd):
    datasets = series.datasets()
    for ds in datasets:
        ds.PatientBirthDate = "19SECRET"
    files = write(datasets, tmp_path)
    content = files[0].read_bytes()
    files[0].write_bytes(content.replace(b"1.2.3", b"SECRE"))
    caplog.clear()
    capfd.readouterr()
    scan = read_ct(tmp_path)
    said = "".join([*capfd.readouterr(), caplog.text, *map(str, scan.remarks), repr(scan.source)])
    assert "SECRE" not in said
    assert "Secret" not in said
