"""The pixels of one DICOM slice in Hounsfield units."""

from __future__ import annotations

import re

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.dicom_header import SliceHeader
from HTSegmentationLib.ct.quiet import quiet_itk, quiet_pydicom
from HTSegmentationLib.ct.regular_grid import AIR_HU
from HTSegmentationLib.errors import InputError

_TISSUE_HU = (-900, 5000)
"""Padding that would come out between these is a value that tissue or bone has: marking it as air would cut holes."""


def slice_hu(header: SliceHeader, hu_offset: float = 0.0) -> tuple[np.ndarray, int, float | None]:
    """Reads one slice.

    Args:
        header: The slice's header; rescale values that are missing count as slope 1 and intercept 0.
        hu_offset: HU to add to every pixel that is not padding.

    Returns:
        HU, shape (rows, columns), int32 where slope and intercept are whole numbers, else float32; how many pixels were
        padding and are now air; the HU of declared padding that was left alone since tissue has it, else None.

    Raises:
        InputError: The pixels are missing, cut short, or cannot be decoded.
    """
    stored, rescaled = _stored(header)
    if stored.shape != (header.rows, header.columns):
        problem = f"it holds {stored.shape} pixels, its header says {(header.rows, header.columns)}"
        raise InputError(header.path, problem, "export the series again")
    slope, intercept = rescale(header)
    whole = all(float(value).is_integer() for value in (slope, intercept, hu_offset))
    kind = np.int32 if whole else np.float32
    hu = stored.astype(kind) if rescaled else stored.astype(kind) * kind(slope) + kind(intercept)
    if hu_offset:
        hu += kind(hu_offset)
    if header.padding is None:
        return hu, 0, None
    low, high = sorted(value * slope + intercept + hu_offset for value in header.padding)
    if high > _TISSUE_HU[0] and low < _TISSUE_HU[1]:
        present = bool(((hu >= low) & (hu <= high)).any())
        return hu, 0, low if present else None
    outside = (hu >= low - abs(slope) / 4) & (hu <= high + abs(slope) / 4)
    hu[outside] = AIR_HU
    return hu, int(np.count_nonzero(outside)), None


def rescale(header: SliceHeader) -> tuple[float, float]:
    """Slope and intercept of a slice.

    Raises:
        InputError: The slope is zero, or a look-up table stands in their place.
    """
    if header.has_lut:
        raise InputError(header.path, "it has a Modality LUT instead of a rescale slope", "export it as a plain CT image")
    slope = 1.0 if header.slope is None else header.slope
    if slope == 0:
        raise InputError(header.path, "its rescale slope is 0", "export the series again")
    return slope, 0.0 if header.intercept is None else header.intercept


def _stored(header: SliceHeader) -> tuple[np.ndarray, bool]:
    """The stored values, or, from the second decoder, HU; the flag says which (True for HU)."""
    bits, high_bit = header.bits
    if high_bit != bits - 1:
        problem = f"its highest bit is {high_bit}, for {bits} stored bits it should be {bits - 1}"
        raise InputError(header.path, problem, "export the series again")
    try:
        with quiet_pydicom():
            return _by_pydicom(header), False
    except InputError:
        raise
    except Exception as error:  # decoders are plugins, and each has its own kinds of errors
        first = error
    if header.frame is None:
        try:
            return _by_simpleitk(header), True
        except RuntimeError as error:
            first.__context__ = error
    raise _cannot_decode(header, first) from first


def _by_pydicom(header: SliceHeader) -> np.ndarray:
    from pydicom import dcmread
    from pydicom.pixels import pixel_array
    from pydicom.uid import ImplicitVRLittleEndian

    if header.frame is not None:
        return pixel_array(header.path, index=header.frame, raw=True)
    dataset = dcmread(header.path, force=True)
    if "PixelData" not in dataset:
        raise InputError(header.path, "it has no pixels, or they are cut short", "copy the file again")
    if "TransferSyntaxUID" not in dataset.file_meta:
        # Files without a preamble predate the file header; DICOM's default then holds.
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        found, expected = len(dataset.PixelData), header.rows * header.columns * dataset.BitsAllocated // 8
        if found < expected:
            problem = f"its pixels are cut short ({found} bytes of {expected})"
            raise InputError(header.path, problem, "copy the file again")
    return pixel_array(dataset, raw=True)


def _by_simpleitk(header: SliceHeader) -> np.ndarray:
    """SimpleITK brings decoders of its own; it applies slope and intercept itself."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(header.path))
    with quiet_itk():
        return sitk.GetArrayFromImage(reader.Execute())[0]


def _cannot_decode(header: SliceHeader, error: Exception) -> InputError:
    text = str(error)
    if re.search(r"plugin|missing dependenc|Unable to decompress|no .*handler", text, re.IGNORECASE) and not _has_plugins():
        problem = "its pixels are compressed in a way that needs a further package"
        return InputError(header.path, problem, "pip install 'htsegmentation[dicom]'")
    return InputError(header.path, "its pixels cannot be decoded: they are damaged or cut short", "copy the file again")


def _has_plugins() -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("pylibjpeg", "libjpeg", "openjpeg"))
