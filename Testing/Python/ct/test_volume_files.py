"""NIfTI, NRRD and MetaImage: every orientation, and every way in which a file can be wrong."""

import gzip
import itertools
import os
import struct

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from HTSegmentationLib.ct import read_ct
from HTSegmentationLib.errors import InputError, ParameterError, UsageError
from HTSegmentationLib.remark import Severity

from .conftest import codes, head_hu, head_image, outcome, pixels_of, points_of, remark

ENDS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
LPS = np.diag([-1.0, -1, 1, 1])


def refused(path, reason, **options):
    """The message with which a file is refused: one line, with its name, without ITK's stack."""
    with pytest.raises(InputError, match=reason) as caught:
        read_ct(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert "itk::" not in message
    assert ".cxx" not in message
    return message


@pytest.mark.parametrize("end", ENDS)
def test_every_format_is_read_bit_by_bit(tmp_path, end):
    image = head_image()
    path = tmp_path / f"Kopf ä 1{end}"
    sitk.WriteImage(image, str(path))
    before = path.read_bytes()
    scan = read_ct(path)
    assert np.array_equal(pixels_of(scan), pixels_of(image))
    assert np.allclose(points_of(scan.image), points_of(image), atol=1e-4)
    assert scan.image.GetPixelIDTypeAsString() == "16-bit signed integer"
    assert scan.remarks == ()
    assert scan.source.format == {"ni": "NIfTI", "nr": "NRRD", "nh": "NRRD", "mh": "MetaImage"}[end[1:3]]
    assert path.read_bytes() == before


axis_orders = [
    np.eye(3)[:, list(order)] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


@pytest.mark.parametrize("end", [".nii.gz", ".nrrd", ".mha"])
def test_every_order_and_flip_of_the_axes_keeps_the_head_in_place(tmp_path, end):
    for number, axes in enumerate(axis_orders):
        image = head_image((16, 17, 18), (9.0, 9.5, 8.5), axes)
        path = tmp_path / f"{number}{end}"
        sitk.WriteImage(image, str(path))
        scan = read_ct(path)
        assert np.array_equal(pixels_of(scan), pixels_of(image))
        assert np.allclose(points_of(scan.image), points_of(image), atol=1e-4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(angles=st.tuples(*[st.floats(-3.1, 3.1)] * 3), flip=st.booleans(), end=st.sampled_from([".nii", ".nrrd", ".mha"]))
def test_any_rotation_keeps_physical_positions(tmp_path, angles, flip, end):
    axes = np.reshape(sitk.Euler3DTransform((0, 0, 0), *angles).GetMatrix(), (3, 3)) @ np.diag([1, -1 if flip else 1, 1])
    image = head_image((14, 15, 16), (9.0, 9.5, 8.5), axes)
    path = tmp_path / f"rotated{end}"
    sitk.WriteImage(image, str(path))
    scan = read_ct(path)
    assert np.allclose(points_of(scan.image), points_of(image), atol=1e-3)
    assert np.allclose(pixels_of(scan), head_hu(points_of(scan.image)), atol=0.51)
    if end == ".nii":
        affine = LPS @ nibabel.load(path).affine
        corner = [*(n - 1 for n in image.GetSize()), 1]
        there = scan.image.TransformIndexToPhysicalPoint(corner[:3])
        assert np.allclose((affine @ corner)[:3], there, atol=1e-3)


def nifti(path, image=None, kind=np.int16, affine=None, make=nibabel.Nifti1Image, **forms):
    """The head as nibabel writes it."""
    image = image or head_image()
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    written = make(pixels_of(image).transpose(2, 1, 0).astype(kind), LPS @ matrix if affine is None else affine, dtype=kind)
    for name, value in forms.items():
        getattr(written, name)(*value)
    nibabel.save(written, path)
    return written


@pytest.mark.parametrize("make", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64, np.int64])
def test_nifti_of_every_number_type_is_the_same_scan(tmp_path, make, kind):
    written = nifti(tmp_path / "head.nii.gz", kind=kind, make=make)
    scan = read_ct(tmp_path / "head.nii.gz")
    assert scan.image.GetPixelIDTypeAsString() == "16-bit signed integer"
    assert np.array_equal(pixels_of(scan), written.get_fdata().transpose(2, 1, 0))


def test_big_endian_nifti_is_read(tmp_path):
    image = head_image()
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    written = nibabel.Nifti1Image(pixels_of(image).transpose(2, 1, 0), np.diag([-7.0, -7, 8, 1]), header)
    nibabel.save(written, tmp_path / "big.nii")
    assert np.array_equal(pixels_of(read_ct(tmp_path / "big.nii")), pixels_of(image))


def test_slope_and_intercept_of_nifti_are_applied(tmp_path):
    image = head_image()
    stored = nibabel.Nifti1Image(
        ((pixels_of(image) + 1024) // 2).astype(np.uint16).transpose(2, 1, 0), np.diag([7, 7, 8, 1])
    )
    stored.header.set_slope_inter(2, -1024)
    nibabel.save(stored, tmp_path / "head.nii")
    assert np.array_equal(pixels_of(read_ct(tmp_path / "head.nii")), (pixels_of(image) + 1024) // 2 * 2 - 1024)


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_nifti_in_other_units_comes_out_in_mm(tmp_path, unit):
    factor = {"meter": 1e-3, "micron": 1e3}[unit]
    written = nifti(tmp_path / "a.nii", affine=np.diag([7 * factor, 7 * factor, 8 * factor, 1]))
    written.header.set_xyzt_units(unit)
    nibabel.save(written, tmp_path / "a.nii")
    assert read_ct(tmp_path / "a.nii").image.GetSpacing() == pytest.approx((7, 7, 8))


def test_nifti_with_a_qform_alone_is_placed_by_it(tmp_path):
    image = head_image(
        (14, 15, 16), (9.0, 9.5, 8.5), np.reshape(sitk.Euler3DTransform((0, 0, 0), 0.4, -0.9, 2).GetMatrix(), (3, 3))
    )
    for flip in (1, -1):
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing() * [1, 1, flip]
        written = nifti(tmp_path / "q.nii", image, affine=LPS @ matrix, set_sform=(None, 0), set_qform=(LPS @ matrix, 1))
        scan = read_ct(tmp_path / "q.nii")
        affine = LPS @ written.get_qform()
        found = np.array(
            [scan.image.TransformIndexToPhysicalPoint(p) for p in ((0, 0, 0), (13, 0, 0), (0, 14, 0), (3, 4, 15))]
        )
        expected = [(affine @ [*p, 1])[:3] for p in ((0, 0, 0), (13, 0, 0), (0, 14, 0), (3, 4, 15))]
        assert np.allclose(found, expected, atol=1e-3)


def test_disagreeing_transforms_are_told_and_a_mirrored_one_is_a_warning(tmp_path):
    nifti(tmp_path / "a.nii", set_qform=(np.diag([7.0, 7, 8, 1]), 1), set_sform=(np.diag([-7.0, 7, 8, 1]), 1))
    found = remark(read_ct(tmp_path / "a.nii"), "transforms-differ")
    assert found.severity is Severity.WARNING
    assert "check the sides" in found.text
    moved = np.diag([7.0, 7, 8, 1])
    moved[0, 3] = 40
    nifti(tmp_path / "b.nii", set_qform=(np.diag([7.0, 7, 8, 1]), 1), set_sform=(moved, 1))
    scan = read_ct(tmp_path / "b.nii")
    assert "40 mm apart" in remark(scan, "transforms-differ").text
    assert remark(scan, "transforms-differ").severity is Severity.CAUTION
    assert scan.image.GetOrigin()[0] == pytest.approx(-40)


def test_files_that_do_not_place_their_axes_are_read_with_a_warning(tmp_path):
    image = head_image()
    nifti(tmp_path / "a.nii", set_qform=(None, 0), set_sform=(None, 0))
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    content = (tmp_path / "a.nrrd").read_bytes()
    head, values = content.split(b"\n\n", 1)
    lines = [b"spacings: 7 7 8" if line.startswith(b"space directions") else line for line in head.split(b"\n")]
    kept = [line for line in lines if not line.startswith((b"space:", b"space origin"))]
    (tmp_path / "a.nrrd").write_bytes(b"\n".join(kept) + b"\n\n" + values)
    for name in ("a.nii", "a.nrrd"):
        scan = read_ct(tmp_path / name)
        assert remark(scan, "orientation-unknown").severity is Severity.WARNING
        assert np.array_equal(pixels_of(scan), pixels_of(image))


@pytest.mark.parametrize("end", [".nii", ".nrrd", ".mha"])
def test_a_sheared_grid_is_resampled_in_place(tmp_path, end):
    axes = np.array([[1, 0, 0], [0, 1, 0.3], [0, 0, np.sqrt(1 - 0.09)]])
    image = head_image((24, 26, 14), (7.0, 7.0, 8.0), axes)
    path = tmp_path / f"sheared{end}"
    if end == ".nii":
        nifti(path, image)
    else:
        sitk.WriteImage(image, str(path))
    scan = read_ct(path)
    assert "17.5 degrees" in remark(scan, "tilt-resampled").text
    direction = np.reshape(scan.image.GetDirection(), (3, 3))
    assert np.allclose(direction.T @ direction, np.eye(3), atol=1e-9)
    points = points_of(scan.image)
    brain = np.sqrt(((points - [0, 0, 40]) ** 2).sum(axis=-1)) < 40
    assert np.abs(pixels_of(scan)[brain] - head_hu(points)[brain]).max() < 1.5


def test_a_grid_sheared_along_every_axis_is_refused(tmp_path):
    axes = np.array([[1, 0.3, 0.3], [0, np.sqrt(1 - 0.09), 0.3], [0, 0, np.sqrt(1 - 0.18)]])
    sitk.WriteImage(head_image(direction=axes), str(tmp_path / "a.mha"))
    refused(tmp_path / "a.mha", "no two of its axes stand at a right angle")


@pytest.mark.parametrize("end", [".nii.gz", ".nrrd", ".mha"])
def test_four_dimensions_are_read_if_one_volume_is_in_them(tmp_path, end):
    image = head_image()
    one = sitk.JoinSeries([image])
    sitk.WriteImage(one, str(tmp_path / f"one{end}"))
    sitk.WriteImage(sitk.JoinSeries([image, image]), str(tmp_path / f"two{end}"))
    scan = read_ct(tmp_path / f"one{end}")
    assert np.array_equal(pixels_of(scan), pixels_of(image))
    if sitk.ReadImage(str(tmp_path / f"one{end}")).GetDimension() == 4:
        remark(scan, "single-volume-of-series")
    refused(tmp_path / f"two{end}", r"2 volumes \(4D\)|2 numbers for each voxel")


@pytest.mark.parametrize("end", [".nii", ".nrrd", ".mha"])
def test_flat_and_coloured_files_are_refused(tmp_path, end):
    flat = tmp_path / f"flat{end}"
    sitk.WriteImage(head_image()[:, :, 7], str(flat))
    refused(flat, "no volume|dimensions")
    colour = tmp_path / f"colour{end}"
    sitk.WriteImage(sitk.Compose(*[sitk.Cast(head_image(), sitk.sitkUInt8)] * 3), str(colour))
    refused(colour, "colour|dimensions|volumes")


def test_unsigned_values_with_an_offset_become_hu_when_told(tmp_path):
    image = head_image()
    sitk.WriteImage(sitk.Cast(image + 1024, sitk.sitkUInt16), str(tmp_path / "a.nrrd"))
    message = refused(tmp_path / "a.nrrd", r"HU \+ 1024")
    assert "--hu-offset -1024" in message
    scan = read_ct(tmp_path / "a.nrrd", hu_offset=-1024)
    assert np.array_equal(pixels_of(scan), pixels_of(image))
    assert "-1024 HU" in remark(scan, "hu-offset-added").text
    with pytest.raises(ParameterError, match="-10000 and 10000"):
        read_ct(tmp_path / "a.nrrd", hu_offset=float("nan"))


@pytest.mark.parametrize("share", [0.0005, 0.6])
def test_values_that_are_no_numbers_become_air_and_are_counted(tmp_path, share):
    values = pixels_of(head_image()).astype(np.float32)
    outside = values < -900
    bad = np.zeros_like(outside)
    bad.ravel()[np.flatnonzero(outside)[: int(share * values.size)]] = True
    values[bad] = np.nan
    values[np.unravel_index(np.flatnonzero(bad)[0], values.shape)] = np.inf
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "a.mha"))
    scan = read_ct(tmp_path / "a.mha")
    assert f"({bad.sum()})" in remark(scan, "not-a-number-set-to-air").text
    assert (pixels_of(scan)[bad] == -1024).all()
    assert np.isfinite(pixels_of(scan)).all()


def test_a_file_of_hardly_any_numbers_is_refused(tmp_path):
    values = np.full((9, 9, 9), np.nan, dtype=np.float32)
    values[4] = 30
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "a.mha"))
    refused(tmp_path / "a.mha", "89% of its voxels are no numbers")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("content", [b"", b"hello, this is text\n" * 9, b"\x1f\x8b" + b"x" * 50, b"\0" * 700])
def test_empty_files_and_files_of_something_else_are_refused(tmp_path, end, content, capfd):
    path = tmp_path / f"a{end}"
    path.write_bytes(content)
    refused(path, "empty" if not content else "no NIfTI|damaged|cannot be read")


@pytest.mark.parametrize("end", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("kept", [0.3, 0.97])
def test_files_that_are_cut_short_are_refused(tmp_path, end, kept):
    path = tmp_path / f"a{end}"
    rng = np.random.default_rng(0)
    image = head_image()
    noisy = sitk.GetImageFromArray(pixels_of(image) + rng.integers(-5, 5, pixels_of(image).shape, dtype=np.int16))
    sitk.WriteImage(noisy, str(path), useCompression=end in {".nrrd"})
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refused(path, "cut short")


def test_a_damaged_gzip_file_is_refused_by_its_checksum(tmp_path):
    nifti(tmp_path / "a.nii.gz")
    content = bytearray((tmp_path / "a.nii.gz").read_bytes())
    content[-6] ^= 0xFF
    (tmp_path / "a.nii.gz").write_bytes(content)
    refused(tmp_path / "a.nii.gz", "damaged")


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path):
    nifti(tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<4h", content, 40, 3, 20000, 20000, 20000)
    (tmp_path / "big.nii").write_bytes(content)
    (tmp_path / "big.nii.gz").write_bytes(gzip.compress(bytes(content)))
    struct.pack_into("<4h", content, 40, 3, 900, 900, 900)
    (tmp_path / "lie.nii").write_bytes(content)
    struct.pack_into("<4h", content, 40, 3, -5, 9, 9)
    (tmp_path / "negative.nii").write_bytes(content)
    refused(tmp_path / "big.nii", "20000 x 20000 x 20000 voxels, at most")
    refused(tmp_path / "big.nii.gz", "20000 x 20000 x 20000 voxels, at most")
    refused(tmp_path / "lie.nii", "cannot hold|cut short")
    refused(tmp_path / "negative.nii", "impossible dimensions")
    sitk.WriteImage(head_image(), str(tmp_path / "a.mha"))
    huge = (tmp_path / "a.mha").read_bytes().replace(b"DimSize = 24 26 14", b"DimSize = 9999 9999 9999")
    (tmp_path / "huge.mha").write_bytes(huge)
    refused(tmp_path / "huge.mha", "9999 x 9999 x 9999 voxels")


@pytest.mark.parametrize("spacing", [b"0 7 8", b"0.007 0.007 0.008", b"7 7 80", b"nan 7 8"])
def test_impossible_voxel_sizes_are_refused(tmp_path, spacing):
    sitk.WriteImage(head_image(), str(tmp_path / "a.mha"))
    content = (tmp_path / "a.mha").read_bytes()
    assert b"ElementSpacing = 7 7 8" in content
    (tmp_path / "a.mha").write_bytes(content.replace(b"ElementSpacing = 7 7 8", b"ElementSpacing = " + spacing))
    refused(tmp_path / "a.mha", "voxel size.*between 0.05 and 50 mm")


@pytest.mark.parametrize("end", [".nhdr", ".mhd"])
@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.raw", "C:\\secret.raw", "a/../../secret.raw", "missing.raw"])
def test_a_header_cannot_name_values_outside_its_folder(tmp_path, end, name):
    folder = tmp_path / "given"
    folder.mkdir()
    path = folder / f"a{end}"
    sitk.WriteImage(head_image(), str(path))
    values = next(file for file in folder.iterdir() if file != path)
    path.write_bytes(path.read_bytes().replace(values.name.encode(), name.encode()))
    values.rename(tmp_path / "secret.raw")
    refused(path, "outside its own folder" if name != "missing.raw" else "cut short, damaged or missing|cannot be read")


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.raw"])
def test_a_list_of_values_cannot_lead_out_of_the_folder_either(tmp_path, name):
    header = "ObjectType = Image\nNDims = 3\nDimSize = 8 9 2\nElementType = MET_SHORT\nElementDataFile = LIST\n"
    (tmp_path / "a.mhd").write_text(f"{header}good.raw\n{name}\n")
    refused(tmp_path / "a.mhd", "outside its own folder")
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 8 9 2\nencoding: raw\nendian: little\ndata file: LIST 2\n"
    (tmp_path / "a.nhdr").write_text(f"{header}good.raw\n{name}\n")
    refused(tmp_path / "a.nhdr", "outside its own folder")


@pytest.mark.parametrize("end", [".nhdr", ".nrrd", ".mhd", ".mha"])
def test_a_header_without_end_is_refused(tmp_path, end):
    start = b"NRRD0004\n" if end.startswith(".n") else b"ObjectType = Image\nNDims = 3\n"
    (tmp_path / f"a{end}").write_bytes(start + b"# comment\n" * 120_000)
    refused(tmp_path / f"a{end}", "its header does not end")


def test_what_is_no_scan_at_all_is_refused_with_what_to_give(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"PK" + b"\0" * 300)
    refused(tmp_path / "a.docx", r"neither DICOM nor one of \.nii")
    refused(tmp_path / "absent.nii", "no such file or folder")
    os.mkfifo(tmp_path / "pipe.nii")
    refused(tmp_path / "pipe.nii", "neither a file nor a folder")


def test_a_series_cannot_be_chosen_in_a_volume_file(tmp_path):
    nifti(tmp_path / "a.nii")
    with pytest.raises(UsageError, match="a NIfTI file has no series"):
        read_ct(tmp_path / "a.nii", series=2)


def test_values_below_air_are_set_to_air_and_told(tmp_path):
    values = pixels_of(head_image())
    values[:, :3] = -3024
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "a.nrrd"))
    scan = read_ct(tmp_path / "a.nrrd")
    assert "the lowest -3024" in remark(scan, "padding-set-to-air").text
    assert pixels_of(scan).min() == -1024
    assert "orientation-unknown" not in codes(scan)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.sampled_from(ENDS), at=st.integers(0, 400), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_read_or_refused_but_never_breaks_the_program(tmp_path, end, at, junk):
    path = tmp_path / f"a{end}"
    sitk.WriteImage(head_image((8, 9, 10), (20.0, 20.0, 15.0)), str(path), useCompression=False)
    content = bytearray(path.read_bytes())
    content[at : at + len(junk)] = junk
    path.write_bytes(content)
    message, finite = outcome(path)
    assert "\n" not in message
    assert finite
