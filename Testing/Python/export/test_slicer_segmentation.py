"""The real 3D Slicer (slicer-core) opens our segmentations."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.export import write_mask
from HTSegmentationLib.export.slicer_segmentation import terminology_entry
from HTSegmentationLib.segmenter import HEMORRHAGE, Label

from ..needs import slicer_core

EDEMA = Label(value=2, name="Perihematomal edema", code="79654002", meaning="Edema", color=(140, 224, 228))


@pytest.fixture(scope="module")
def slicer():
    return slicer_core()


@pytest.fixture
def opened(slicer):
    """Opens a file as Slicer does and gives its segmentation; the scene must live as long."""
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)

    def open_file(path):
        node = slicer.vtkMRMLSegmentationNode()
        scene.AddNode(node)
        storage = slicer.vtkMRMLSegmentationStorageNode()
        scene.AddNode(storage)
        storage.SetFileName(str(path))
        assert storage.ReadData(node) == 1
        return node.GetSegmentation()

    yield open_file
    scene.Clear()


def labelmap(segmentation, number):
    """Booleans (z, y, x) of a segment's own box, and the RAS point of its first voxel and of its last."""
    from vtk.util.numpy_support import vtk_to_numpy

    segment = segmentation.GetNthSegment(number)
    image = segment.GetRepresentation("Binary labelmap")
    extent = image.GetExtent()
    size = [extent[n] - extent[n - 1] + 1 for n in (5, 3, 1)]
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(size) == segment.GetLabelValue()
    return values, extent, image


def tag(segment, name):
    import vtk

    value = vtk.reference("")
    assert segment.GetTag(name, value)
    return str(value)


def place(image, index):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return np.array(matrix.MultiplyPoint([*index, 1.0]))[:3]


def test_slicer_finds_name_colour_and_term(mask, tmp_path, opened):
    write_mask(tmp_path / "m.seg.nrrd", mask)
    segmentation = opened(tmp_path / "m.seg.nrrd")
    assert segmentation.GetNumberOfSegments() == 1
    segment = segmentation.GetNthSegment(0)
    assert segment.GetName() == "Hemorrhage"
    assert segment.GetColor() == pytest.approx(np.array(HEMORRHAGE.color) / 255, abs=1e-4)
    assert tag(segment, "TerminologyEntry") == (
        "Segmentation category and type - 3D Slicer General Anatomy list"
        "~SCT^49755003^Morphologically Altered Structure~SCT^50960005^Hemorrhage~^^"
        "~Anatomic codes - DICOM master list~^^~^^"
    )


def test_slicer_finds_the_voxels_in_their_place(mask, tmp_path, opened):
    write_mask(tmp_path / "m.seg.nrrd", mask)
    values, extent, image = labelmap(opened(tmp_path / "m.seg.nrrd"), 0)
    assert values.sum() == 4 * 13 * 11
    assert extent == (30, 40, 12, 24, 3, 6)
    for index in ((30, 12, 3), (40, 24, 6)):
        lps = np.array(mask.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(place(image, index), lps * [-1, -1, 1], atol=1e-4)


def test_slicer_finds_several_labels(mask, tmp_path, opened):
    mask[2:9, 3:9, 1:3] = 2
    write_mask(tmp_path / "m.seg.nrrd", mask, (HEMORRHAGE, EDEMA))
    segmentation = opened(tmp_path / "m.seg.nrrd")
    assert [segmentation.GetNthSegment(n).GetName() for n in (0, 1)] == ["Hemorrhage", "Perihematomal edema"]
    assert [labelmap(segmentation, n)[0].sum() for n in (0, 1)] == [4 * 13 * 11, 7 * 6 * 2]


def test_slicer_opens_an_empty_mask(mask, tmp_path, opened):
    write_mask(tmp_path / "m.seg.nrrd", mask * 0)
    segmentation = opened(tmp_path / "m.seg.nrrd")
    assert segmentation.GetNthSegment(0).GetName() == "Hemorrhage"


def test_slicers_terminology_module_understands_the_term(slicer):
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    entry = slicer.vtkSlicerTerminologyEntry()
    assert logic.DeserializeTerminologyEntry(terminology_entry(HEMORRHAGE), entry)
    assert entry.GetTypeObject().GetCodeValue() == "50960005"
    assert entry.GetCategoryObject().GetCodeMeaning() == "Morphologically Altered Structure"


def test_a_segmentation_without_voxels_of_a_label_says_so_by_its_extent(mask, tmp_path):
    write_mask(tmp_path / "m.seg.nrrd", mask, (HEMORRHAGE, EDEMA))
    fields = sitk.ReadImage(str(tmp_path / "m.seg.nrrd"))
    assert fields.GetMetaData("Segment0_Extent") == "30 40 12 24 3 6"
    assert fields.GetMetaData("Segment1_Extent") == "0 -1 0 -1 0 -1"
