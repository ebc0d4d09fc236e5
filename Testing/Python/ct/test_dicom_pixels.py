"""Stored values to HU: rescale, padding, bits, compression, multi-frame files."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, RLELossless, generate_uid

from HTSegmentationLib.ct import dicom_pixels, read_ct
from HTSegmentationLib.errors import InputError

from .conftest import PIXELS, SPACING, codes, pixels_of, remark, write


def set_pixels(ds, stored, kind="<i2"):
    ds.PixelData = np.asarray(stored).astype(kind).tobytes()


def test_slope_and_intercept_of_each_slice_are_its_own(tmp_path, series):
    datasets, expected = series.datasets(), series.hu()
    for n, ds in enumerate(datasets):
        ds.RescaleIntercept = -1000 - n
        set_pixels(ds, expected[n] + 1000 + n)
    write(datasets, tmp_path)
    assert np.array_equal(pixels_of(read_ct(tmp_path)), expected)


def test_a_slope_that_is_no_whole_number_gives_floats(tmp_path, series):
    datasets, expected = series.datasets(), series.hu()
    for n, ds in enumerate(datasets):
        ds.RescaleSlope = 0.5 if n % 2 else 0.25
        set_pixels(ds, expected[n] * (2 if n % 2 else 4) + 1)
    write(datasets, tmp_path)
    scan = read_ct(tmp_path)
    assert scan.image.GetPixelIDTypeAsString() == "32-bit float"
    steps = np.where(np.arange(14) % 2, 0.5, 0.25)[:, None, None]
    assert np.allclose(pixels_of(scan), expected + steps)


def test_unsigned_12_bits_with_foreign_bits_above_are_read(tmp_path, series):
    datasets, expected = series.datasets(), series.hu()
    for n, ds in enumerate(datasets):
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.RescaleIntercept = 12, 11, 0, -1024
        set_pixels(ds, (expected[n] + 1024).astype(np.uint16) | 0x8000, "<u2")
    write(datasets, tmp_path)
    assert np.array_equal(pixels_of(read_ct(tmp_path)), expected)


def test_values_beyond_16_bits_become_floats(tmp_path, series):
    datasets, expected = series.datasets(), series.hu()
    for n, ds in enumerate(datasets):
        ds.RescaleSlope, ds.PixelRepresentation, ds.RescaleIntercept = 1, 0, -1024
        stored = expected[n] + 1024
        stored[16, 16] = 60000
        expected[n, 16, 16] = 60000 - 1024
        set_pixels(ds, stored, "<u2")
    write(datasets, tmp_path)
    scan = read_ct(tmp_path)
    assert scan.image.GetPixelIDTypeAsString() == "32-bit float"
    assert np.array_equal(pixels_of(scan), expected)


def corners(values):
    outside = np.zeros(values.shape, dtype=bool)
    for rows in (slice(None, 4), slice(-4, None)):
        outside[..., rows, :4] = outside[..., rows, -4:] = True
    return outside


@pytest.mark.parametrize("declared", [-2000, None, 63536])
@pytest.mark.parametrize("value", [-2000, -3024, -1500])
def test_padding_becomes_air_with_or_without_its_tag(tmp_path, series, declared, value):
    datasets, expected = series.datasets(), series.hu()
    outside = corners(expected)
    for n, ds in enumerate(datasets):
        set_pixels(ds, np.where(outside[n], value, expected[n]))
        if declared is not None:
            wrong_kind = "US" if declared > 32767 else "SS"
            ds.add_new(0x00280120, wrong_kind, declared)
    write(datasets, tmp_path)
    scan = read_ct(tmp_path)
    assert np.array_equal(pixels_of(scan), np.where(outside, -1024, expected))
    assert f"{100 * outside.mean():.1f}% of the voxels" in remark(scan, "padding-set-to-air").text


def test_a_range_of_padding_becomes_air(tmp_path, series):
    datasets, expected = series.datasets(), series.hu()
    outside = corners(expected)
    for n, ds in enumerate(datasets):
        ds.RescaleIntercept = -1024
        stored = np.where(outside[n], 5 + np.arange(PIXELS) % 2, expected[n] + 1024)
        set_pixels(ds, stored)
        ds.PixelPaddingValue, ds.PixelPaddingRangeLimit = 5, 6
    write(datasets, tmp_path)
    assert np.array_equal(pixels_of(read_ct(tmp_path)), np.where(outside, -1024, expected))


def test_padding_that_tissue_has_too_cuts_no_holes(tmp_path, series):
    datasets, expected = series.datasets(), series.hu()
    for ds in datasets:
        ds.PixelPaddingValue = 33
    write(datasets, tmp_path)
    scan = read_ct(tmp_path)
    assert np.array_equal(pixels_of(scan), expected)
    assert "33 HU" in remark(scan, "padding-left").text


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
@pytest.mark.parametrize("decoder", ["pydicom", "SimpleITK"])
def test_compressed_slices_are_read_with_and_without_decoding_plugins(tmp_path, series, syntax, decoder, monkeypatch):
    datasets = series.datasets()
    for ds in datasets:
        ds.compress(syntax)
    write(datasets, tmp_path)
    if decoder == "SimpleITK":
        monkeypatch.setattr(dicom_pixels, "_by_pydicom", no_plugin)
    assert np.array_equal(pixels_of(read_ct(tmp_path)), series.hu())


def no_plugin(header):
    raise RuntimeError("Unable to decompress 'JPEG 2000' pixel data because all plugins are missing dependencies")


def test_without_any_decoder_the_message_names_the_package(tmp_path, series, monkeypatch):
    datasets = series.datasets()
    for ds in datasets:
        ds.compress(RLELossless)
    write(datasets, tmp_path)
    monkeypatch.setattr(dicom_pixels, "_by_pydicom", no_plugin)
    monkeypatch.setattr(dicom_pixels, "_by_simpleitk", no_plugin)
    monkeypatch.setattr(dicom_pixels, "_has_plugins", lambda: False)
    with pytest.raises(InputError, match=r"pip install 'htsegmentation\[dicom\]'"):
        read_ct(tmp_path)


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEG2000Lossless])
def test_a_slice_that_is_cut_short_is_refused_by_name(tmp_path, series, syntax):
    datasets = series.datasets()
    if syntax:
        for ds in datasets:
            ds.compress(syntax)
    files = write(datasets, tmp_path)
    content = files[4].read_bytes()
    files[4].write_bytes(content[: len(content) - min(600, len(datasets[4].PixelData) * 2 // 3)])
    with pytest.raises(InputError, match=f"{files[4].name}.*(cut short|damaged).*copy the file again"):
        read_ct(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda ds: setattr(ds, "RescaleSlope", 0), "rescale slope is 0"),
        (lambda ds: setattr(ds, "ModalityLUTSequence", [Dataset()]), "Modality LUT"),
        (lambda ds: setattr(ds, "HighBit", 13), "highest bit is 13"),
        (lambda ds: delattr(ds, "PixelData"), "no pixels"),
    ],
)
def test_what_cannot_become_hu_is_refused_with_the_reason(tmp_path, series, change, reason):
    datasets = series.datasets()
    for ds in datasets:
        change(ds)
    write(datasets, tmp_path)
    with pytest.raises(InputError, match=reason):
        read_ct(tmp_path)


def test_colour_pictures_called_ct_are_no_slices(tmp_path, series):
    datasets = series.datasets()
    for ds in datasets:
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 3, "RGB"
    write(datasets, tmp_path)
    with pytest.raises(InputError, match="14 x colour picture"):
        read_ct(tmp_path)


def test_assumed_rescale_foreign_units_and_inversion_are_told(tmp_path, series):
    datasets = series.datasets()
    for ds in datasets:
        del ds.RescaleSlope
        ds.RescaleType, ds.PhotometricInterpretation = "MGML", "MONOCHROME1"
    write(datasets, tmp_path)
    scan = read_ct(tmp_path)
    assert {"rescale-assumed", "rescale-type-not-hu", "monochrome1"} <= set(codes(scan))
    assert np.array_equal(pixels_of(scan), series.hu())


def enhanced(series, order, compress=None):
    """The series as one multi-frame file, its frames in any order."""
    ds = series.dataset(0)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(ds, name)
    for name in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
        delattr(ds, name)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [SPACING, SPACING], 8.0
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    ds.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for index in order:
        frame, position, values = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [float(v) for v in series.position(series.depths[index])]
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, int(index) - 100, "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [position], [values]
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = frames
    ds.NumberOfFrames = len(order)
    ds.PixelData = np.stack([series.hu()[i] - i + 100 for i in order]).astype("<i2").tobytes()
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    if compress:
        ds.compress(compress)
    return ds


@pytest.mark.parametrize("compress", [None, RLELossless])
def test_a_multi_frame_file_is_read_frame_by_frame(tmp_path, series, compress):
    order = np.random.default_rng(0).permutation(14)
    files = write([enhanced(series, order, compress)], tmp_path)
    for path in (tmp_path, files[0]):
        scan = read_ct(path)
        assert np.array_equal(pixels_of(scan), series.hu())
        assert scan.image.GetSpacing() == pytest.approx((SPACING, SPACING, 8.0))
    assert scan.source.files == (str(files[0]),)


def test_files_older_than_the_preamble_are_read(tmp_path, series):
    import io

    from pydicom import dcmwrite

    for n, ds in enumerate(series.datasets()):
        ds.file_meta = type(ds.file_meta)()
        buffer = io.BytesIO()
        dcmwrite(buffer, ds, implicit_vr=True, little_endian=True, enforce_file_format=False)
        (tmp_path / f"{n}").write_bytes(buffer.getvalue())
    assert np.array_equal(pixels_of(read_ct(tmp_path)), series.hu())


@pytest.mark.parametrize("decoder", ["pydicom", "SimpleITK"])
def test_an_offset_reaches_measured_pixels_and_leaves_padding_at_air(tmp_path, series, decoder, monkeypatch):
    if decoder == "SimpleITK":
        monkeypatch.setattr(dicom_pixels, "_by_pydicom", no_plugin)
    datasets, expected = series.datasets(), series.hu()
    outside = corners(expected)
    for n, ds in enumerate(datasets):
        set_pixels(ds, np.where(outside[n], -9999, expected[n] - 1024))
        ds.PixelPaddingValue = -9999
    write(datasets, tmp_path)
    scan = read_ct(tmp_path, hu_offset=1024)
    assert np.array_equal(pixels_of(scan), np.where(outside, -1024, expected))
    assert "+1024 HU" in remark(scan, "hu-offset-added").text
