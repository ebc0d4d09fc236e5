"""Small head CTs in every shape that files come in, and the real scan."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from HTSegmentationLib.ct import read_ct
from HTSegmentationLib.errors import HTSegError

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
PIXELS = 32
SPACING = 6.0


def head_hu(points):
    """A head at LPS points (..., 3) in mm: skull, brain that rises to the left, back and top, and air around it."""
    x, y, z = np.moveaxis(np.asarray(points, dtype=float), -1, 0)
    radius = np.sqrt((x / 75) ** 2 + (y / 85) ** 2 + ((z - 40) / 70) ** 2)
    brain = 33 + 0.06 * x + 0.05 * y + 0.04 * (z - 40)
    return np.where(radius < 0.85, brain, np.where(radius < 1, 900.0, -1000.0))


@dataclass
class SyntheticSeries:
    """A CT series to be written: slices at ``depths`` mm along their normal, shifted as a tilted gantry shifts them."""

    depths: np.ndarray = field(default_factory=lambda: np.arange(14) * 8.0)
    tilt: float = 0.0
    uid: str = field(default_factory=generate_uid)
    number: int = 2
    thickness: object = 8.0
    value: object = head_hu
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    spacing: tuple = (SPACING, SPACING)  # between columns, between rows

    @property
    def row(self):
        return self.rotation @ np.array([1.0, 0.0, 0.0])

    @property
    def column(self):
        angle = np.radians(self.tilt)
        return self.rotation @ np.array([0.0, np.cos(angle), -np.sin(angle)])

    @property
    def normal(self):
        return np.cross(self.row, self.column)

    def position(self, depth):
        """The table moves along z, so that tilted slices are shifted in their plane."""
        first = np.array([-(PIXELS - 1) / 2 * SPACING, -(PIXELS - 1) / 2 * SPACING, -10.0])
        centre = np.array([0.0, 0.0, 40.0])
        along = first + np.array([0, 0, depth / np.cos(np.radians(self.tilt))])
        return centre + self.rotation @ (along - centre)

    def points(self, depth):
        """LPS points of a slice's pixels, shape (rows, columns, 3)."""
        x = np.arange(PIXELS)[None, :, None] * self.spacing[0] * self.row
        y = np.arange(PIXELS)[:, None, None] * self.spacing[1] * self.column
        return self.position(depth) + x + y

    def dataset(self, index):
        depth = self.depths[index]
        thickness = self.thickness[index] if np.ndim(self.thickness) else self.thickness
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CT_IMAGE
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
        ds.StudyInstanceUID = "1.2.3"
        ds.SeriesInstanceUID, ds.SeriesNumber, ds.Modality = self.uid, self.number, "CT"
        ds.SeriesDescription = f"HEAD {self.number}"
        ds.PatientName, ds.PatientID, ds.StudyID, ds.AccessionNumber = "Secret^Name", "SECRETID", "1", ""
        ds.StudyDate, ds.StudyTime = "20200101", "120000"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.InstanceNumber = len(self.depths) - index
        ds.AcquisitionNumber = 1
        ds.Rows = ds.Columns = PIXELS
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelSpacing = [self.spacing[1], self.spacing[0]]
        ds.ImageOrientationPatient = [round(float(v), 9) for v in (*self.row, *self.column)]
        ds.ImagePositionPatient = [round(float(v), 7) for v in self.position(depth)]
        if thickness:
            ds.SliceThickness = thickness
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
        ds.PixelData = np.rint(self.value(self.points(depth))).astype("<i2").tobytes()
        return ds

    def datasets(self):
        return [self.dataset(index) for index in range(len(self.depths))]

    def hu(self):
        """What the series holds, shape (slices, rows, columns)."""
        return np.stack([np.rint(self.value(self.points(depth))) for depth in self.depths])


def write(datasets, folder, names=None):
    """Writes datasets; by default under names whose order is not that of the slices, without an extension."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(1).permutation(len(datasets))
    files = []
    for number, ds in zip(order, datasets, strict=True):
        file = folder / (names[len(files)] if names else f"IM{number:04d}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds.save_as(file, enforce_file_format=True)
        files.append(file)
    return files


def pixels_of(scan_or_image):
    """Values (z, y, x) of a scan or image."""
    return sitk.GetArrayFromImage(getattr(scan_or_image, "image", scan_or_image))


def codes(scan):
    """The remarks' codes."""
    return [remark.code for remark in scan.remarks]


def remark(scan, code):
    """The one remark of this code."""
    found = [r for r in scan.remarks if r.code == code]
    assert len(found) == 1, codes(scan)
    return found[0]


def outcome(path):
    """What comes of a damaged file: the message that refuses it, or whether all values read are finite numbers."""
    try:
        scan = read_ct(path, assume_hu=True)
    except HTSegError as error:
        return str(error), True
    return "", bool(np.isfinite(pixels_of(scan)).all())


def head_image(size=(24, 26, 14), spacing=(7.0, 7.0, 8.0), direction=None, value=head_hu):
    """The synthetic head as an int16 image about (0, 0, 40), on any axes."""
    image = sitk.Image(size, sitk.sitkInt16)
    image.SetSpacing(spacing)
    if direction is not None:
        image.SetDirection(np.ravel(direction).tolist())
    middle = np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in size]))
    image.SetOrigin((np.array([0, 0, 40]) - middle).tolist())
    filled = sitk.GetImageFromArray(np.rint(value(points_of(image))).astype(np.int16))
    filled.CopyInformation(image)
    return filled


def points_of(image):
    """LPS points of an image's voxels, shape (z, y, x, 3)."""
    size = image.GetSize()
    index = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1).transpose(2, 1, 0, 3)
    matrix = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return index @ matrix.T + image.GetOrigin()


@pytest.fixture
def series():
    return SyntheticSeries()
