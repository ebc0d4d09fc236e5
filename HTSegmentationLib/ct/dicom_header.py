"""What the headers of DICOM images say: one record for each slice, whether a file holds one or many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.ct.dicom_values import (
    axes_in,
    number_in,
    numbers_in,
    padding_in,
    parts_of_value,
    positive_in,
    text_in,
)
from HTSegmentationLib.ct.quiet import quiet_pydicom

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "ImageType"),
    *("AcquisitionNumber", "AcquisitionTime", "ContentTime", "TemporalPositionIdentifier", "ConvolutionKernel", "KVP"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored"),
    *("HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
"""The attributes that are read; naming them keeps the search of a folder of thousands of files short."""

_CT_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT Image Storage",
}
"""SOP classes of CT slices, DICOM PS3.4 table B.5-1; everything else in a folder is no CT."""

_NOT_ANATOMY = {"LOCALIZER": "localizer", "SCREEN SAVE": "screen save", "SCREENSAVE": "screen save", "DOSE": "dose report"}
"""Values of Image Type that tell that a CT image is no slice of a scan, and what such an image is called."""


@dataclass(frozen=True)
class SliceHeader:
    """The header of one CT slice. What the file does not say, or says wrongly, is None.

    Args:
        path: The file.
        frame: The frame in a multi-frame file, counted from 0; None in a file of one image.
        sop_class: UID of the kind of object.
        series_uid: UID of the series; empty if the file has none.
        series_number: The series' number.
        description: The series' description.
        not_a_slice: Why it cannot be a slice of a head CT, in a few words; None if it can.
        rows: Height in pixels.
        columns: Width in pixels.
        position: LPS centre of the first pixel in mm.
        orientation: LPS direction of a row (first three numbers) and of a column.
        spacing: Distance in mm between rows, and between columns: DICOM's order.
        thickness: Thickness of the slab in mm.
        slope: HU for one step of the stored value.
        intercept: HU of the stored value 0.
        rescale_type: The unit that slope and intercept give, as the file calls it.
        has_lut: Whether a look-up table stands in the place of slope and intercept.
        padding: First and last stored value that mark pixels outside the reconstruction.
        signed: Whether stored values are signed.
        bits: Bits stored, and the highest of them.
        photometric: Photometric interpretation.
        traits: Attributes that can tell two images of the same place apart, by name.
    """

    path: Path
    frame: int | None
    sop_class: str
    series_uid: str
    series_number: str | None
    description: str | None
    not_a_slice: str | None
    rows: int
    columns: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    thickness: float | None
    slope: float | None
    intercept: float | None
    rescale_type: str | None
    has_lut: bool
    padding: tuple[int, int] | None
    signed: bool
    bits: tuple[int, int]
    photometric: str
    traits: tuple[tuple[str, str], ...]

    @property
    def missing_geometry(self) -> str | None:
        """The attribute that is missing to place the slice in the patient; None if it can be placed."""
        parts = {
            "ImagePositionPatient": self.position,
            "ImageOrientationPatient": self.orientation,
            "PixelSpacing": self.spacing,
        }
        return next((name for name, value in parts.items() if value is None), None)


def read_headers(path: Path) -> list[SliceHeader]:
    """Reads the header of a file: one record for each of its slices; none if it is no DICOM image.

    Args:
        path: Any file.
    """
    from pydicom import dcmread

    if not _may_be_dicom(path):
        return []
    with quiet_pydicom():
        try:
            dataset = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
            return _slices(dataset, path)
        except Exception:  # damaged bytes surface as any kind of error
            # A file of a folder that cannot be parsed is no slice; what is missing shows as a missing slice.
            return []


def _may_be_dicom(path: Path) -> bool:
    """Whether the first bytes are DICOM's; old files begin without the preamble, at group 0002 or 0008."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False
    return start[128:] == b"DICM" or start[:4] in {
        b"\x08\x00\x00\x00",
        b"\x08\x00\x05\x00",
        b"\x08\x00\x08\x00",
        b"\x02\x00\x00\x00",
    }


def _slices(dataset: Dataset, path: Path) -> list[SliceHeader]:
    if "SOPClassUID" not in dataset:
        return []
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return [_header(dataset, path, None, [dataset])]
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or [])
    return [_header(dataset, path, number, [*_groups([frame, *shared]), dataset]) for number, frame in enumerate(per_frame)]


def _groups(functional: list[Dataset]) -> list[Dataset]:
    """The items in which a multi-frame file keeps what a file of one image says at its top level."""
    names = (
        *("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence", "CTImageFrameTypeSequence"),
        *("PixelValueTransformationSequence", "FrameContentSequence", "CTReconstructionSequence"),
    )
    return [item for group in functional for name in names for item in (group.get(name) or [])]


def _header(dataset: Dataset, path: Path, frame: int | None, places: list[Dataset]) -> SliceHeader:
    def find(name: str) -> Any:
        return next((place.get(name) for place in places if place.get(name) not in (None, "")), None)

    signed = find("PixelRepresentation") == 1
    image_type = [str(word).upper() for word in [*parts_of_value(find("FrameType")), *parts_of_value(find("ImageType"))]]
    trait_names = ("AcquisitionNumber", "ConvolutionKernel", "SliceThickness", "KVP", "TemporalPositionIdentifier")
    traits = [(name, str(find(name))) for name in trait_names if find(name) is not None]
    traits += [("ImageType", " ".join(image_type))]
    traits += [(name, str(find(name))) for name in ("AcquisitionTime", "ContentTime") if find(name) is not None]
    bits = int(find("BitsStored") or find("BitsAllocated") or 16)
    high_bit = find("HighBit")
    return SliceHeader(
        path=path,
        frame=frame,
        sop_class=str(find("SOPClassUID")),
        series_uid=str(find("SeriesInstanceUID") or ""),
        series_number=text_in(find("SeriesNumber")),
        description=text_in(find("SeriesDescription")),
        not_a_slice=_why_no_slice(dataset, image_type),
        rows=int(find("Rows") or 0),
        columns=int(find("Columns") or 0),
        position=numbers_in(find("ImagePositionPatient"), 3),
        orientation=axes_in(find("ImageOrientationPatient")),
        spacing=positive_in(find("PixelSpacing"), 2),
        thickness=next(iter(positive_in(find("SliceThickness"), 1) or ()), None),
        slope=number_in(find("RescaleSlope")),
        intercept=number_in(find("RescaleIntercept")),
        rescale_type=text_in(find("RescaleType")),
        has_lut=bool(find("ModalityLUTSequence")),
        padding=padding_in(find("PixelPaddingValue"), find("PixelPaddingRangeLimit"), signed),
        signed=signed,
        bits=(bits, bits - 1 if high_bit is None else int(high_bit)),
        photometric=str(find("PhotometricInterpretation") or "MONOCHROME2"),
        traits=tuple(traits),
    )


def _why_no_slice(dataset: Dataset, image_type: list[str]) -> str | None:
    modality = str(dataset.get("Modality") or "").upper()
    if str(dataset.SOPClassUID) not in _CT_CLASSES:
        kind = getattr(dataset.SOPClassUID, "name", "")
        return "secondary capture" if "Secondary Capture" in kind else f"{modality or 'other'} object that is no CT image"
    if modality not in {"", "CT"}:
        return f"{modality} image"
    for word, name in _NOT_ANATOMY.items():
        if any(word in part for part in image_type):
            return name
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        return "colour picture"
    return None if dataset.get("Rows") and dataset.get("Columns") else "object without pixels"
