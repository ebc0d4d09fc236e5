"""The Segment Statistics plugin keeps the contract of Slicer's module, and measures as the logic does."""

import importlib
import logging
import sys
import types
from typing import ClassVar

import numpy as np
import pytest

from HTSegmentationLib.export.slicer_segmentation import terminology_entry
from HTSegmentationLib.segmenter import HEMORRHAGE

from .conftest import rigid

EDEMA = "Segmentation category and type - 3D Slicer General Anatomy list~SCT^49755003^Morphologically Altered Structure~SCT^79654002^Edema~^^~Anatomic codes - DICOM master list~^^~^^"  # noqa: E501


class BasePlugin:
    """What a plugin sees of SegmentStatisticsPluginBase in Slicer 5.12, without its widgets."""

    def __init__(self):
        self.name, self.title, self.keys, self.defaultKeys, self.parameterNode = "", "", [], [], None
        self.optionsWidget = None

    @staticmethod
    def createCodedEntry(value, scheme, meaning, returnAsString=False):
        import slicer

        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning(value, scheme, meaning)
        return entry.GetAsString() if returnAsString else entry

    @staticmethod
    def createMeasurementInfo(
        name, title, description, units, quantityDicomCode=None, unitsDicomCode=None, measurementMethodDicomCode=None
    ):
        codes = {"Quantity": quantityDicomCode, "Units": unitsDicomCode, "MeasurementMethod": measurementMethodDicomCode}
        info = {"name": name, "title": title, "description": description, "units": units}
        return info | {f"DICOM.{key}Code": code for key, code in codes.items() if code}

    def toLongKey(self, key):
        return f"{type(self).__name__}.{key}"

    def getParameterNode(self):
        return self.parameterNode

    def getRequestedKeys(self):
        return [key for key in self.keys if self.parameterNode.GetParameter(f"{self.toLongKey(key)}.enabled") == "True"]

    def setDefaultParameters(self, parameterNode, overwriteExisting=False):
        parameterNode.SetParameter(f"{type(self).__name__}.enabled", "True")
        for key in self.keys:
            parameterNode.SetParameter(f"{self.toLongKey(key)}.enabled", str(key in self.defaultKeys))


class StatisticsLogic:
    registeredPlugins: ClassVar[list] = []

    @staticmethod
    def registerPlugin(plugin):
        assert isinstance(plugin, BasePlugin)
        StatisticsLogic.registeredPlugins.append(type(plugin))


@pytest.fixture
def module(slicer, monkeypatch):
    """The plugin's module, on what stands for Slicer's Segment Statistics."""
    base, statistics = types.ModuleType("SegmentStatisticsPlugins"), types.ModuleType("SegmentStatistics")
    base.SegmentStatisticsPluginBase, statistics.SegmentStatisticsLogic = BasePlugin, StatisticsLogic
    monkeypatch.setitem(sys.modules, "SegmentStatisticsPlugins", base)
    monkeypatch.setitem(sys.modules, "SegmentStatistics", statistics)
    monkeypatch.setattr(StatisticsLogic, "registeredPlugins", [])
    name = "HTSegmentationModule.statistics_plugin"
    sys.modules.pop(name, None)
    yield importlib.import_module(name)
    sys.modules.pop(name, None)


@pytest.fixture
def compute(module, scene):
    """Runs the plugin on a segment as Slicer does, all measurements requested."""

    def run(node, segmentID, reference=(None, ""), keys=None):
        plugin = module.HemorrhageSegmentStatisticsPlugin()
        plugin.parameterNode = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        plugin.setDefaultParameters(plugin.parameterNode)
        for key in plugin.keys:
            plugin.parameterNode.SetParameter(f"{plugin.toLongKey(key)}.enabled", str(keys is None or key in keys))
        plugin.parameterNode.SetParameter("Segmentation", node.GetID())
        if reference[0] is not None:
            plugin.parameterNode.SetParameter(module.REFERENCE_SEGMENTATION, reference[0].GetID())
            plugin.parameterNode.SetParameter(module.REFERENCE_SEGMENT, reference[1])
        return plugin.computeStatistics(segmentID)

    return run


def test_the_plugin_measures_as_the_logic_does_to_the_voxel(logic, case, compute, addSegment, phantom):
    case.referenceSegmentation, case.referenceSegmentID = addSegment(phantom[1], case.inputVolume)
    outcome = logic.apply(case)
    found = compute(outcome.segmentationNode, outcome.segmentID, (case.referenceSegmentation, case.referenceSegmentID))
    mask, overlap = outcome.measurement.mask, outcome.measurement.overlap
    assert found == pytest.approx(
        {
            "volume_ml": mask.volume_ml,
            "abc2_ml": mask.abc2_ml,
            "a_mm": mask.a_mm,
            "b_mm": mask.b_mm,
            "c_mm": mask.c_mm,
            "dice": overlap.dice,
            "volume_difference_ml": overlap.volume_difference_ml,
            "hd95_mm": outcome.measurement.hd95Mm,
        },
        rel=1e-9,
    )


def test_all_values_are_plain_floats(logic, case, compute, addSegment, phantom):
    reference = addSegment(phantom[1], case.inputVolume)
    outcome = logic.apply(case)
    found = compute(outcome.segmentationNode, outcome.segmentID, reference)
    assert {type(value) for value in found.values()} == {float}


def test_without_a_reference_its_keys_are_left_out(logic, case, compute):
    outcome = logic.apply(case)
    assert set(compute(outcome.segmentationNode, outcome.segmentID)) == {"volume_ml", "abc2_ml", "a_mm", "b_mm", "c_mm"}


def test_only_requested_keys_are_given(logic, case, compute):
    outcome = logic.apply(case)
    assert set(compute(outcome.segmentationNode, outcome.segmentID, keys=["volume_ml"])) == {"volume_ml"}
    assert compute(outcome.segmentationNode, outcome.segmentID, keys=[]) == {}


@pytest.mark.parametrize(
    ("name", "terminology", "counts"),
    [
        ("Hemorrhage", "", True),
        ("Hemorrhage", None, True),
        ("Segment_1", None, False),
        ("hemorrhage ", "", True),
        ("bleed", terminology_entry(HEMORRHAGE), True),
        ("Hemorrhage", EDEMA, False),
        ("Segment_1", "", False),
        ("Segment_1", "~~~", False),
        ("Hemorrhage", "broken", True),
    ],
)
def test_a_hemorrhage_is_known_by_its_term_and_without_one_by_its_name(
    compute, addSegment, volume, phantom, name, terminology, counts
):
    node, segmentID = addSegment(phantom[1], volume, name=name, terminology=terminology)
    assert bool(compute(node, segmentID)) == counts


def test_an_empty_hemorrhage_has_a_volume_of_zero_and_nothing_else(compute, addSegment, volume, phantom):
    node, segmentID = addSegment(np.zeros_like(phantom[1]), volume, name="Hemorrhage")
    assert compute(node, segmentID) == {"volume_ml": 0.0}
    reference = addSegment(phantom[1], volume)
    found = compute(node, segmentID, reference)
    assert set(found) == {"volume_ml", "dice", "volume_difference_ml"}
    assert found["dice"] == 0.0


def test_a_reference_that_is_gone_costs_only_its_own_keys(logic, case, compute, addSegment, scene, phantom):
    outcome = logic.apply(case)
    node, _ = addSegment(phantom[1], case.inputVolume)
    assert "dice" not in compute(outcome.segmentationNode, outcome.segmentID, (node, "gone"))
    scene.RemoveNode(node)
    assert "volume_ml" in compute(outcome.segmentationNode, outcome.segmentID, (outcome.segmentationNode, "gone"))


def test_an_error_goes_to_the_log_and_not_into_the_table(monkeypatch, compute, addSegment, volume, phantom, caplog):
    from HTSegmentationModule import measuring

    def fail(*args):
        raise RuntimeError("broken")

    monkeypatch.setattr(measuring, "measureSegment", fail)
    node, segmentID = addSegment(phantom[1], volume, name="Hemorrhage")
    with caplog.at_level(logging.ERROR):
        assert compute(node, segmentID) == {}
    assert "could not be measured" in caplog.text


def test_a_hardened_copy_as_slicer_makes_it_is_compared_with_a_transformed_reference(
    logic,
    case,
    compute,
    scene,
    addLinear,
):
    transform = addLinear(rigid())
    for node in (case.inputVolume, *case.roiNodes):
        node.SetAndObserveTransformNodeID(transform.GetID())
    outcome = logic.apply(case)
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "copy")
    copy.CopyContent(outcome.segmentationNode)
    copy.SetAndObserveTransformNodeID(transform.GetID())
    copy.HardenTransform()
    found = compute(copy, outcome.segmentID, (outcome.segmentationNode, outcome.segmentID))
    assert found["dice"] == 1.0
    assert found["volume_ml"] == pytest.approx(outcome.result.volume_ml())


def test_every_key_is_described_without_a_dot_in_it(module):
    plugin = module.HemorrhageSegmentStatisticsPlugin()
    names = set()
    for key in plugin.keys:
        info = plugin.getMeasurementInfo(key)
        assert info["title"]
        assert info["description"]
        assert "." not in key
        names.add(info["name"])
    assert len(names) == len(plugin.keys)
    assert set(plugin.defaultKeys) <= set(plugin.keys)
    assert plugin.getMeasurementInfo("volume_cm3") is None


def test_the_volume_has_slicers_dicom_codes(module):
    info = module.HemorrhageSegmentStatisticsPlugin().getMeasurementInfo("volume_ml")
    assert "118565006" in info["DICOM.QuantityCode"]
    assert "cm3" in info["DICOM.UnitsCode"]
    assert "126030" in info["DICOM.MeasurementMethodCode"]


def test_registering_again_after_a_reload_leaves_one_plugin(module):
    StatisticsLogic.registeredPlugins.append(object)
    module.registerStatisticsPlugin()
    first = StatisticsLogic.registeredPlugins[-1]
    again = importlib.reload(module)
    again.registerStatisticsPlugin()
    again.registerStatisticsPlugin()
    assert StatisticsLogic.registeredPlugins == [object, again.HemorrhageSegmentStatisticsPlugin]
    assert first is not again.HemorrhageSegmentStatisticsPlugin
