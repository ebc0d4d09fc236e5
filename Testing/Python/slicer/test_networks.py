"""Networks run in a process of their own, and their classes become segments and rows of the table."""

import itertools
import threading

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import Cancelled, HTSegError, UsageError
from HTSegmentationLib.methods import METHOD_NAMES, Method
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.segmenter import HEMORRHAGE, Label, SegmentationResult, Segmenter

from ..inference.model_folders import write_model
from ..needs import deep_learning
from ..phantom import as_scan
from .test_batch import StorageFiles
from .test_logic import rows

LABELS = (
    Label(1, "Intraparenchymal hemorrhage", "50960005", "Hemorrhage", (188, 65, 28)),
    Label(2, "Perilesional edema", "79654002", "Edema", (96, 150, 214)),
    Label(3, "Intraventricular hemorrhage", "50960005", "Hemorrhage", (214, 112, 196)),
)


class Shells(Segmenter):
    """Finds the blood by its HU, and a shell of voxels around it as edema; nothing in the ventricles."""

    name = "shells"
    title = "Shells"

    def prepare(self, scan, progress):
        raise AssertionError("the logic prepares scans itself")

    def segment(self, prepared, roi, progress):
        progress("network", 0.5)
        blood = sitk.And(prepared.scan.image > 50, prepared.tissue_mask)
        around = sitk.BinaryDilate(blood, (2, 2, 0))
        mask = sitk.Cast(blood, sitk.sitkUInt8) + 2 * sitk.Cast(around > blood, sitk.sitkUInt8)
        told = Remark("device-fallback", "No graphics card can be used: it ran on the processor.", Severity.CAUTION)
        return SegmentationResult(
            self.name, mask, LABELS, {}, prepared.brain_volume_ml, (*prepared.remarks, told), prepared.stage_seconds
        )


@pytest.fixture
def shells(monkeypatch, logic):
    """A method of three classes that needs no ROI, beside the library's own."""
    from HTSegmentationLib import methods

    made = Method("shells", "Shells", needs_roi=False, labels=LABELS, make=lambda file=None, *, device="auto": Shells())
    known = methods.method
    monkeypatch.setattr(methods, "method", lambda name: made if name == "shells" else known(name))
    for module in ("comparison", "input_checks"):
        monkeypatch.setattr(f"HTSegmentationModule.{module}.method", methods.method)
    monkeypatch.setattr("HTSegmentationLib.inference.environment.packages.is_there", lambda module: True)
    monkeypatch.setattr(logic.worker, "segmenter", lambda method, device: method.make(device=device))
    return made


@pytest.fixture
def tiny(store):
    """A small network of the store, which knows nothing."""
    deep_learning()
    return write_model(store / "tiny")


def test_with_no_models_the_thresholds_are_offered_alone(logic):
    assert [method.name for method in logic.methods()] == list(METHOD_NAMES)


def test_an_installed_model_is_offered_and_a_damaged_one_is_not(logic, tiny, store):
    (store / "broken").mkdir()
    (store / "broken" / "model.json").write_text("{", encoding="utf-8")
    assert [method.name for method in logic.methods()] == [*METHOD_NAMES, "tiny"]


def test_every_class_becomes_a_segment_with_its_term_and_a_row_of_the_table(logic, case, shells):
    case.method, case.roiNodes = "shells", []
    outcome = logic.apply(case)
    segmentation = outcome.segmentationNode.GetSegmentation()
    segments = [segmentation.GetSegment(number) for number in segmentation.GetSegmentIDs()]
    assert [segment.GetName() for segment in segments] == [label.name for label in LABELS]
    assert [label.code in segment.GetTerminology() for label, segment in zip(LABELS, segments, strict=True)] == [True] * 3
    found = {label.name: outcome.result.volume_ml(label) for label in LABELS}
    told = {row["Segment"]: row["VolumeMl"] for row in rows(logic.tableNode())}
    assert told == pytest.approx(found)
    assert found["Perilesional edema"] > 1
    assert {row["Method"] for row in rows(logic.tableNode())} == {"shells"}
    assert [further.name for further in outcome.further] == ["Perilesional edema", "Intraventricular hemorrhage"]


def test_the_hemorrhage_is_the_first_class_whatever_it_is_called(logic, case, shells):
    case.method, case.roiNodes = "shells", []
    outcome = logic.apply(case)
    assert outcome.measurement.mask.volume_ml == pytest.approx(outcome.result.volume_ml(LABELS[0]))
    assert logic.remeasure(case).mask.volume_ml == outcome.measurement.mask.volume_ml


def test_running_again_keeps_one_row_a_class(logic, case, shells):
    case.method, case.roiNodes = "shells", []
    logic.apply(case)
    logic.apply(case)
    assert len(rows(logic.tableNode())) == len(LABELS)


def test_a_class_corrected_by_hand_is_measured_again(logic, case, shells, slicer):
    from HTSegmentationModule.segmentation_conversion import orientedImage
    from HTSegmentationModule.volume_conversion import ijkToRas

    case.method, case.roiNodes = "shells", []
    outcome = logic.apply(case)
    edema = outcome.further[0]
    half = sitk.GetArrayFromImage(outcome.result.mask == 2)
    half[: half.shape[0] // 2] = 0
    labelmap = orientedImage(half, ijkToRas(case.inputVolume), (0, 0, 0))
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(labelmap, outcome.segmentationNode, edema.segmentID)
    (again, _ventricles) = logic.remeasureFurther(case)
    assert 0 < again.measurement.mask.volume_ml < edema.measurement.mask.volume_ml
    told = {row["Segment"]: row["VolumeMl"] for row in rows(logic.tableNode())}
    assert told["Perilesional edema"] == again.measurement.mask.volume_ml


def test_the_rows_of_an_older_scene_are_taken_over(logic, case):
    logic.apply(case)
    table = logic.tableNode().GetTable()
    for name in ("Segment", "SegmentID"):
        table.RemoveColumnByName(name)
    outcome = logic.apply(case)
    (row,) = rows(logic.tableNode())
    assert (row["Segment"], row["SegmentID"]) == (HEMORRHAGE.name, outcome.segmentID)


def test_remarks_of_the_device_reach_the_outcome(logic, case, shells):
    case.method = "shells"
    assert "device-fallback" in {remark.code for remark in logic.apply(case).remarks}


def test_a_network_without_roi_is_ready_and_a_threshold_is_not(case, shells):
    from HTSegmentationModule.readiness import missing

    case.roiNodes = []
    assert "ROI" in missing(case)
    case.method = "shells"
    assert missing(case) == ""


def test_a_missing_package_is_told_before_any_work(case, tiny, monkeypatch):
    from HTSegmentationModule.readiness import missing

    monkeypatch.setattr("HTSegmentationLib.inference.environment.packages.is_there", lambda module: module != "torch")
    case.method = "tiny"
    assert missing(case) == "PyTorch is not installed: open Networks on this computer, and press Install."


def test_a_network_has_no_parameters_here_and_nothing_of_it_is_made(case, tiny):
    from HTSegmentationModule.parameters import toLibrary

    case.method = "tiny"
    assert toLibrary(case) is None


def test_a_model_that_is_gone_is_told_in_one_sentence(logic, case):
    case.method = "gone"
    with pytest.raises(UsageError, match="no method 'gone'"):
        logic.apply(case)


def test_a_real_network_runs_in_a_process_that_stays_for_the_next_case(logic, case, tiny):
    case.method, case.device = "tiny", "cpu"
    outcome = logic.apply(case)
    assert outcome.result.method == "tiny"
    assert "model-warning" in {remark.code for remark in outcome.remarks}
    assert "cpu" in outcome.result.details.as_dict()["device"]
    process = logic.worker._client._child
    logic.apply(case)
    assert logic.worker._client._child is process
    assert logic.worker.versions["torch"]
    logic.close()
    assert not logic.worker.running


def test_a_network_that_is_cancelled_ends_with_its_process_and_changes_nothing(logic, case, tiny, scene):
    case.method, case.device = "tiny", "cpu"
    logic.prepare(case.inputVolume)
    before, told = scene.GetNumberOfNodes(), itertools.count()

    def cancel(stage, fraction):
        if "worker" in stage or next(told) > 50:
            raise Cancelled

    with pytest.raises(Cancelled):
        logic.apply(case, cancel)
    assert not logic.worker.running
    assert scene.GetNumberOfNodes() == before


def test_a_worker_that_cannot_start_is_one_sentence(logic, case, tiny, monkeypatch):
    monkeypatch.setattr("HTSegmentationModule.network_worker.pythonProgram", lambda: "/nowhere/PythonSlicer")
    monkeypatch.setattr("HTSegmentationLib.inference.environment.packages.is_there", lambda module: True)
    case.method = "tiny"
    with pytest.raises(HTSegError, match="cannot be started") as found:
        logic.apply(case)
    assert "\n" not in str(found.value)


def test_slicer_itself_is_never_taken_for_its_python(monkeypatch):
    from HTSegmentationModule import network_worker

    monkeypatch.setattr(network_worker.shutil, "which", lambda name: None)
    monkeypatch.setattr(network_worker.sys, "executable", "/opt/Slicer/bin/SlicerApp-real")
    with pytest.raises(UsageError, match="PythonSlicer"):
        network_worker.pythonProgram()
    monkeypatch.setattr(network_worker.shutil, "which", lambda name: f"/opt/Slicer/bin/{name}")
    assert network_worker.pythonProgram() == "/opt/Slicer/bin/PythonSlicer"


def test_closing_a_logic_that_never_ran_a_network_starts_nothing(logic):
    before = threading.active_count()
    logic.close()
    assert threading.active_count() == before
    assert not logic.worker.running


def test_the_shells_are_what_their_volumes_say(logic, case, shells, phantom):
    case.method, case.roiNodes = "shells", []
    mask = sitk.GetArrayViewFromImage(outcome_mask := logic.apply(case).result.mask)
    assert outcome_mask.GetSize() == phantom[0].shape[::-1]
    assert set(np.unique(mask)) == {0, 1, 2}


def test_a_batch_of_a_network_needs_no_roi_and_tells_every_class(
    logic, shells, parameters, slicer, scene, phantom, tmp_path, monkeypatch
):
    from HTSegmentationModule.batch.arguments import Batch, Outputs
    from HTSegmentationModule.batch.cases import Case
    from HTSegmentationModule.batch.one_case import OneCase

    sitk.WriteImage(as_scan(phantom[0]).image, str(tmp_path / "head.nrrd"))
    monkeypatch.setattr(logic, "getParameterNode", parameters)
    batch = Batch((), None, "shells", None, assumeHU=False, offsetHU=0.0, debug=False, device="cpu")
    mask = tmp_path / "bleed.nii.gz"
    row = OneCase(batch, logic, StorageFiles(slicer, scene))(Case("a", str(tmp_path / "head.nrrd")), Outputs(mask=mask))
    assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(str(mask))))) == {0, 1, 2}
    assert row["Segment"] == "Intraparenchymal hemorrhage"
    assert row["VolumeMl Perilesional edema"] > 1
    assert row["VolumeMl Intraventricular hemorrhage"] == 0
    assert "No graphics card" in row["remarks"]
    assert "SegmentID" not in row
