"""The simulated case in Sample Data: its nodes on real MRML, and how it is offered."""

import sys
import types

import numpy as np
import pytest
import SimpleITK as sitk

from ..phantom import as_scan, box_roi


@pytest.fixture
def case(phantom):
    """What the simulation gives, as far as nodes are made of it, from the phantom."""
    array, bleed = phantom
    scan = as_scan(array)
    truth = sitk.GetImageFromArray(bleed.astype(np.uint8))
    truth.CopyInformation(scan.image)
    return types.SimpleNamespace(scan=scan, hemorrhage=truth, roi=box_roi(scan), true_volume_ml=7.0)


@pytest.fixture
def nodes(scene, case):
    from HTSegmentationModule.sample_data import addToScene

    return addToScene(case)


@pytest.fixture
def sampleData(slicer, monkeypatch):
    """Stands for Slicer's module Sample Data: keeps what is registered, by category."""
    modules = types.SimpleNamespace(sampleDataSources={})

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataSource(category, **values):
            modules.sampleDataSources.setdefault(category, []).append(types.SimpleNamespace(**values))

    monkeypatch.setattr(slicer, "modules", modules, raising=False)
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=SampleDataLogic))
    return modules.sampleDataSources


def test_the_volume_holds_the_scan_where_it_is(nodes, case):
    from HTSegmentationModule.volume_conversion import scanFromVolume

    image = scanFromVolume(nodes.volume).image
    assert (sitk.GetArrayFromImage(image) == sitk.GetArrayFromImage(case.scan.image)).all()
    assert np.allclose(image.GetOrigin(), case.scan.image.GetOrigin())
    assert np.allclose(image.GetSpacing(), case.scan.image.GetSpacing())


def test_ct_is_shown_in_the_brain_window(nodes):
    display = nodes.volume.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel()) == (80, 40)


def test_roi_and_reference_work_with_the_logic(nodes, logic, parameters):
    node = parameters(
        nodes.volume,
        roiSegmentation=nodes.roiSegmentation,
        roiSegmentID=nodes.roiSegmentID,
        referenceSegmentation=nodes.reference,
        referenceSegmentID=nodes.referenceSegmentID,
    )
    assert logic.apply(node).measurement.overlap.dice > 0.98


def test_reference_is_hemorrhage_by_its_code_and_has_another_colour_than_results(nodes):
    from HTSegmentationLib.segmenter import HEMORRHAGE

    segment = nodes.reference.GetSegmentation().GetSegment(nodes.referenceSegmentID)
    assert "SCT^50960005^Hemorrhage" in segment.GetTerminology()
    assert not np.allclose(np.array(segment.GetColor()) * 255, HEMORRHAGE.color, atol=1)
    assert segment.GetName() != HEMORRHAGE.name, "Apply would replace it"


def test_a_second_case_gets_names_of_its_own(scene, case, nodes):
    from HTSegmentationModule.sample_data import addToScene

    second = addToScene(case)
    assert second.volume.GetName() != nodes.volume.GetName()
    assert second.reference.GetName() != nodes.reference.GetName()


def test_the_case_is_offered_once_however_often_the_module_is_loaded(sampleData):
    from HTSegmentationModule.sample_data import registerSampleData

    sampleData["HTSegmentation"] = [types.SimpleNamespace(thumbnailFileName="other.png")]
    registerSampleData()
    registerSampleData()
    own, *others = sorted(sampleData["HTSegmentation"], key=lambda source: source.thumbnailFileName == "other.png")
    assert len(others) == 1
    assert own.uris == []


def test_the_thumbnail_is_there(sampleData):
    from pathlib import Path

    from HTSegmentationModule.sample_data import registerSampleData

    registerSampleData()
    (source,) = sampleData["HTSegmentation"]
    assert Path(source.thumbnailFileName).read_bytes().startswith(b"\x89PNG")


def test_without_sample_data_nothing_happens(slicer, monkeypatch):
    from HTSegmentationModule.sample_data import registerSampleData

    monkeypatch.setitem(sys.modules, "SampleData", None)
    registerSampleData()


def test_a_click_without_a_window_loads_the_case_at_once(slicer, monkeypatch, case, scene):
    from HTSegmentationModule import sample_data

    monkeypatch.setattr(sample_data, "loadSimulatedCase", lambda: sample_data.addToScene(case))
    monkeypatch.setattr(slicer.util, "mainWindow", lambda: None)
    monkeypatch.setattr(slicer, "app", types.SimpleNamespace(layoutManager=lambda: None), raising=False)
    sample_data.onSampleChosen()
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1
