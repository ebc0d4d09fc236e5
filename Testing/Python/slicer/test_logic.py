"""One call from parameters to outcome, and what it leaves alone when something is wrong."""

import numpy as np
import pytest

from HTSegmentationLib.errors import Cancelled, HTSegError, ParameterError, UsageError
from HTSegmentationLib.methods import METHOD_NAMES
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.parameters import AdaptiveParameters, GlobalParameters, SdImage
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule


def rows(table):
    names = [table.GetTable().GetColumnName(n) for n in range(table.GetNumberOfColumns())]
    return [
        {name: table.GetTable().GetColumnByName(name).GetValue(row) for name in names}
        for row in range(table.GetNumberOfRows())
    ]


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_of_the_registry_runs_through_the_same_call(logic, case, method):
    case.method = method
    outcome = logic.apply(case)
    assert outcome.result.method == method
    assert outcome.measurement.mask.volume_ml == pytest.approx(7.0, rel=0.1)
    (row,) = rows(logic.tableNode())
    assert row["Method"] == method
    # A method that does without a window in HU leaves these cells empty.
    window = outcome.result.details.as_dict().get("threshold_hu") or [float("nan")] * 2
    assert [row["LowerHu"], row["UpperHu"]] == pytest.approx(window, nan_ok=True)


def test_the_methods_are_offered_in_the_registrys_order(logic):
    assert [method.name for method in logic.methods()] == list(METHOD_NAMES)


def test_the_result_is_the_librarys_own(logic, case):
    outcome = logic.apply(case)
    scan = logic.scanFromVolume(case.inputVolume)
    own = AdaptiveThreshold().run(scan, logic.roi(case, case.inputVolume))
    assert own.volume_ml() == outcome.result.volume_ml()
    assert own.details == outcome.result.details


def test_progress_runs_from_start_to_end_and_may_stop_the_work_at_any_stage(logic, case, scene):
    told = []
    logic.apply(case, lambda stage, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0
    # The last call comes when all is written.
    for stop in range(len(told) - 1):
        logic.close()
        case.outputSegmentation = None
        seen = []

        def cancel(stage, fraction, seen=seen, stop=stop):
            seen.append(fraction)
            if len(seen) > stop:
                raise Cancelled

        before = scene.GetNumberOfNodes()
        with pytest.raises(Cancelled):
            logic.apply(case, cancel)
        assert scene.GetNumberOfNodes() == before
        assert case.outputSegmentation is None


def test_a_scene_closed_while_running_ends_in_one_sentence(logic, case, scene):
    def close(stage, fraction):
        scene.Clear(0)

    with pytest.raises(HTSegError, match="removed from the scene"):
        logic.apply(case, close)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"smoothingInPlane": 9.0}, "smoothing_in_plane_mm: 9.0 must be from 0 to 5 mm"),
        ({"firstLower": 90.0}, "first threshold: the lower bound"),
        ({"sdImage": "both"}, "sd_image"),
        ({"rules": "{"}, "reset it"),
        ({"rules": "[1]"}, "reset it"),
        ({"manualThreshold": True, "manualLower": 80.0, "manualUpper": 60.0}, "manual threshold"),
    ],
)
def test_a_parameter_out_of_range_is_told_and_nothing_is_changed(logic, case, scene, fields, words):
    for name, value in fields.items():
        setattr(case, name, value)
    before = scene.GetNumberOfNodes()
    with pytest.raises(ParameterError, match=words) as found:
        logic.apply(case)
    assert "\n" not in str(found.value)
    assert scene.GetNumberOfNodes() == before


def test_an_unknown_method_of_an_old_scene_is_told(logic, case):
    case.method = "magic"
    with pytest.raises(UsageError, match="known are"):
        logic.apply(case)


def test_the_parameters_of_the_module_are_the_librarys_defaults(parameters):
    from HTSegmentationModule.parameters import toLibrary

    assert toLibrary(parameters()) == AdaptiveParameters()
    assert toLibrary(parameters(), "global") == GlobalParameters()


def test_every_parameter_reaches_the_library(parameters):
    from HTSegmentationModule.parameters import setRules, toLibrary

    node = parameters(
        smoothingInPlane=0.5,
        smoothingThroughPlane=0.25,
        sharpening=2.0,
        sharpeningAmount=1.5,
        closingDiameter=7,
        firstLower=45.0,
        firstUpper=85.0,
        sdImage="enhanced",
        manualThreshold=True,
        manualLower=51.0,
        manualUpper=71.0,
        globalLower=52.0,
        globalUpper=72.0,
    )
    table = (Rule(3.0, 40.0, 70.0, "low"), Rule(float("inf"), 50.0, 80.0))
    setRules(node, table)
    made = toLibrary(node)
    assert made == AdaptiveParameters(0.5, 0.25, 2.0, 1.5, 7, 45.0, 85.0, SdImage.ENHANCED, table, 51.0, 71.0)
    assert toLibrary(node, "global") == GlobalParameters(0.5, 0.25, 2.0, 1.5, 7, 52.0, 72.0)


def test_the_published_rules_are_stored_as_nothing_and_others_come_back_as_they_were(parameters):
    from HTSegmentationModule.parameters import rulesOf, setRules

    node = parameters()
    assert rulesOf(node) == PUBLISHED_RULES
    half = (Rule(5.0, 80.0, 40.0, "edited <half>"), Rule(4.0, 1.0, 2.0))
    setRules(node, half)
    assert rulesOf(node) == half
    setRules(node, PUBLISHED_RULES)
    assert node.rules == ""
    setRules(node, half)
    setRules(node, None)
    assert rulesOf(node) == PUBLISHED_RULES


def test_a_case_has_one_row_and_a_second_run_updates_it(logic, case):
    first = logic.apply(case)
    case.manualThreshold, case.manualLower, case.manualUpper = True, 58.0, 64.0
    second = logic.apply(case)
    table = logic.tableNode()
    assert table.GetName() == "Hemorrhage measurements"
    (row,) = rows(table)
    assert row["VolumeMl"] == second.measurement.mask.volume_ml != first.measurement.mask.volume_ml
    assert (row["LowerHu"], row["UpperHu"]) == (58.0, 64.0)
    assert row["Volume"] == "head"
    assert row["Method"] == "adaptive"
    assert np.isnan(row["Dice"])


def test_another_volume_or_segmentation_has_a_row_of_its_own(logic, case, addVolume, phantom):
    logic.apply(case)
    case.outputSegmentation = None
    logic.apply(case)
    case.inputVolume = addVolume(phantom[0], name="second")
    case.outputSegmentation = None
    logic.apply(case)
    assert [row["Volume"] for row in rows(logic.tableNode())] == ["head", "head", "second"]


def test_the_tables_columns_are_typed_titled_and_have_units(logic, case, slicer):
    logic.apply(case)
    table = logic.tableNode()
    kinds = {table.GetColumnName(n): table.GetTable().GetColumn(n).GetClassName() for n in range(table.GetNumberOfColumns())}
    assert kinds["Volume"] == "vtkStringArray"
    assert kinds["VolumeMl"] == "vtkDoubleArray"
    assert kinds["Components"] == "vtkIntArray"
    assert table.GetColumnUnitLabel("VolumeMl") == "mL"
    assert table.GetColumnTitle("VolumeMl") == "Volume [mL]"


def test_the_table_is_found_by_its_mark_when_the_user_renames_it(logic, scene):
    assert logic.tableNode(create=False) is None
    table = logic.tableNode()
    table.SetName("mine")
    assert logic.tableNode() is table
    scene.RemoveNode(table)
    assert logic.tableNode(create=False) is None


def test_a_reference_fills_its_columns_and_leaves_none_behind_when_it_is_taken_away(logic, case, addSegment, phantom):
    case.referenceSegmentation, case.referenceSegmentID = addSegment(phantom[1], case.inputVolume)
    logic.apply(case)
    (row,) = rows(logic.tableNode())
    assert row["Dice"] > 0.95
    assert row["Auc"] == (row["Sensitivity"] + row["Specificity"]) / 2 > 0.95
    case.referenceSegmentation = None
    logic.apply(case)
    (row,) = rows(logic.tableNode())
    assert np.isnan(row["Dice"])


@pytest.mark.parametrize("role", ["reference", "roi"])
def test_a_result_never_replaces_the_segment_that_it_is_compared_with_or_made_from(logic, case, addSegment, phantom, role):
    node, segmentID = addSegment(phantom[1], case.inputVolume, name="Hemorrhage")
    case.outputSegmentation = node
    setattr(case, f"{role}Segmentation", node)
    setattr(case, f"{role}SegmentID", segmentID)
    with pytest.raises(UsageError, match="would replace the"):
        logic.apply(case)
    assert not logic.isPrepared(case.inputVolume)
    node.GetSegmentation().GetSegment(segmentID).SetName("truth")
    assert logic.apply(case).segmentID != segmentID


def test_a_volume_that_goes_while_previewing_is_told(logic, case, scene):
    logic.prepare(case.inputVolume)
    scene.RemoveNode(case.inputVolume)
    with pytest.raises(UsageError, match="removed from the scene"):
        logic.segment(case)
    case.inputVolume = None
    with pytest.raises(UsageError, match="no CT is chosen"):
        logic.segment(case)


def test_a_stop_after_everything_is_written_comes_too_late(logic, case):
    def cancel(stage, fraction):
        if fraction >= 1.0:
            raise Cancelled

    assert logic.apply(case, cancel).measurement.mask.volume_ml > 5


@pytest.mark.parametrize("problem", ["no roi", "bad roi", "bad parameter"])
def test_what_can_be_known_at_once_is_told_before_the_scan_is_prepared(logic, case, problem):
    if problem == "no roi":
        case.roiNodes = []
    elif problem == "bad roi":
        case.roiNodes[0].SetInsideOut(True)
    else:
        case.sharpeningAmount = 9.0
    with pytest.raises(HTSegError):
        logic.apply(case)
    assert not logic.isPrepared(case.inputVolume)
