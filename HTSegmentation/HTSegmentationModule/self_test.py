"""The module's stories from end to end, in Slicer itself; no network is needed."""

# ruff: noqa: PT009, PT027  (Slicer runs these by unittest, and pytest is not part of it)
from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from HTSegmentationModule.self_test_methods import MethodStories
from HTSegmentationModule.self_test_panel import PanelStories
from HTSegmentationModule.self_test_robust import RobustStories
from HTSegmentationModule.self_test_suggestion import SuggestionStories

_WAIT_S = 60.0
"""The longest that the panel may take to prepare the test's small head, also on a busy computer."""


class HTSegmentationTest(MethodStories, PanelStories, RobustStories, SuggestionStories, ScriptedLoadableModuleTest):
    """Each method tells one story on a small head with a ball of blood of known volume."""

    def setUp(self) -> None:
        """Starts with an empty scene and a logic of its own."""
        from HTSegmentationModule.logic import HTSegmentationLogic

        slicer.mrmlScene.Clear(0)
        self.logic = HTSegmentationLogic()

    def tearDown(self) -> None:
        """Frees what was prepared."""
        self.logic.close()

    @classmethod
    def tearDownClass(cls) -> None:
        """Leaves an empty scene."""
        slicer.mrmlScene.Clear(0)

    def runTest(self) -> None:
        """All stories, one after the other, as the button Reload and Test wants it."""
        try:
            for name in sorted(name for name in dir(self) if name.startswith("test_")):
                self.setUp()
                try:
                    getattr(self, name)()
                finally:
                    self.tearDown()
        finally:
            self.tearDownClass()
        self.delayDisplay("All tests passed")

    def test_box_roi_gives_the_bleed(self) -> None:
        """A box, Apply: the segment is there, with the ball's volume, name, terminology and colour."""
        parameters = self._case()
        outcome = self.logic.apply(parameters)
        node = parameters.outputSegmentation
        segment = node.GetSegmentation().GetSegment(outcome.segmentID)
        self.assertEqual(segment.GetName(), "Hemorrhage")
        self.assertIn("50960005", segment.GetTerminology())
        self.assertAlmostEqual(outcome.measurement.mask.volume_ml, self._ballMl(), delta=0.05 * self._ballMl())
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        self.assertEqual(node.GetNodeReferenceID(role), parameters.inputVolume.GetID())
        self.assertEqual(self._voxels(node, outcome.segmentID, parameters.inputVolume), outcome.measurement.mask.voxel_count)

    def test_applying_again_replaces_the_segment_and_leaves_others_alone(self) -> None:
        """A segment that somebody else drew survives."""
        parameters = self._case()
        first = self.logic.apply(parameters)
        node = parameters.outputSegmentation
        node.GetSegmentation().AddEmptySegment("", "Edema")
        second = self.logic.apply(parameters)
        self.assertEqual(first.segmentID, second.segmentID)
        names = [node.GetSegmentation().GetSegment(i).GetName() for i in node.GetSegmentation().GetSegmentIDs()]
        self.assertEqual(sorted(names), ["Edema", "Hemorrhage"])
        self.assertEqual(first.measurement.mask.voxel_count, second.measurement.mask.voxel_count)
        self.assertEqual(self.logic.tableNode().GetNumberOfRows(), 1)

    def test_a_closed_curve_bounds_the_bleed(self) -> None:
        """A curve around the ball finds what the box finds, a small curve inside it less."""
        from HTSegmentationModule.self_test_scene import addCurve

        parameters = self._case()
        whole = self.logic.apply(parameters).measurement.mask.voxel_count
        parameters.roiNodes = [addCurve(2.5, radius=20.0)]
        around = self.logic.apply(parameters).measurement.mask.voxel_count
        parameters.roiNodes = [addCurve(2.5, radius=8.0)]
        inside = self.logic.apply(parameters).measurement.mask.voxel_count
        self.assertAlmostEqual(around, whole, delta=0.03 * whole)
        self.assertLess(inside, 0.8 * whole)
        self.assertGreater(inside, 0.2 * whole)

    def test_a_transform_moves_everything_alike(self) -> None:
        """CT and ROI under one transform: the same voxels, elsewhere in the world."""
        parameters = self._case()
        before = self.logic.apply(parameters).measurement.mask
        turn = vtk.vtkTransform()
        turn.Translate(30, -20, 15)
        turn.RotateX(20)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        node.SetMatrixTransformToParent(turn.GetMatrix())
        for moved in (parameters.inputVolume, *parameters.roiNodes):
            moved.SetAndObserveTransformNodeID(node.GetID())
        parameters.outputSegmentation = None
        outcome = self.logic.apply(parameters)
        self.assertAlmostEqual(outcome.measurement.mask.volume_ml, before.volume_ml, delta=0.02 * before.volume_ml)
        center = parameters.outputSegmentation.GetSegmentCenterRAS(outcome.segmentID)
        from HTSegmentationModule.self_test_scene import CENTER_RAS

        for found, expected in zip(center, turn.TransformPoint(*CENTER_RAS), strict=True):
            self.assertAlmostEqual(found, expected, delta=3.0)

    def test_a_reference_gives_dice(self) -> None:
        """The exact ball as reference: nearly perfect agreement."""
        from HTSegmentationModule.self_test_scene import addReference

        parameters = self._case()
        parameters.referenceSegmentation, parameters.referenceSegmentID = addReference(parameters.inputVolume)
        measurement = self.logic.apply(parameters).measurement
        self.assertGreater(measurement.overlap.dice, 0.95)
        self.assertLess(abs(measurement.overlap.volume_difference_ml), 0.5)
        self.assertLess(measurement.hd95Mm, 3.0)
        self.assertGreater(measurement.agreement.auc, 0.95)

    def test_the_table_has_a_row_and_becomes_csv(self) -> None:
        """The table's volume is the panel's, also in the file."""
        from HTSegmentationModule.other_modules import writeCsv

        volume = self.logic.apply(self._case()).measurement.mask.volume_ml
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.csv"
            self.assertTrue(writeCsv(self.logic.tableNode(), str(path)))
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 1)
        self.assertAlmostEqual(float(rows[0]["VolumeMl"]), volume, places=4)

    def test_segment_statistics_agrees_to_the_voxel(self) -> None:
        """The plugin's volume is that of Apply."""
        from SegmentStatistics import SegmentStatisticsLogic

        from HTSegmentationModule.statistics_plugin import registerStatisticsPlugin

        registerStatisticsPlugin()
        parameters = self._case()
        outcome = self.logic.apply(parameters)
        statistics = SegmentStatisticsLogic()
        statistics.getParameterNode().SetParameter("Segmentation", parameters.outputSegmentation.GetID())
        statistics.getParameterNode().SetParameter("ScalarVolume", parameters.inputVolume.GetID())
        statistics.computeStatistics()
        found = statistics.getStatistics()
        measured = outcome.measurement.mask
        self.assertAlmostEqual(
            found[outcome.segmentID, "HemorrhageSegmentStatisticsPlugin.volume_ml"], measured.volume_ml, places=6
        )
        self.assertAlmostEqual(
            found[outcome.segmentID, "HemorrhageSegmentStatisticsPlugin.abc2_ml"], measured.abc2_ml, places=6
        )
        self.assertEqual(found[outcome.segmentID, "LabelmapSegmentStatisticsPlugin.voxel_count"], measured.voxel_count)

    def test_choices_are_saved_with_the_scene(self) -> None:
        """Numbers, rule table and nodes come back."""
        from HTSegmentationLib.threshold.rules import Rule
        from HTSegmentationModule.parameters import rulesOf, setRules

        parameters = self._case()
        parameters.firstLower = 47.5
        parameters.closingDiameter = 2
        rules = (Rule(4.0, 42.0, 72.0, "own"), Rule(float("inf"), 52.0, 82.0))
        setRules(parameters, rules)
        text = self._savedScene()
        slicer.mrmlScene.Clear(0)
        self.assertEqual(self.logic.getParameterNode().firstLower, 50.0)
        self._loadScene(text)
        restored = self.logic.getParameterNode()
        self.assertEqual((restored.firstLower, restored.closingDiameter, rulesOf(restored)), (47.5, 2, rules))
        self.assertEqual(restored.roiNodes[0].GetName(), "Test box")
        self.assertEqual(restored.inputVolume.GetName(), "Test head")

    def test_bad_input_is_one_sentence(self) -> None:
        """No CT, no ROI, one outside, one without size, an MR, a wrong threshold: a sentence each, nothing changed."""
        from HTSegmentationModule.self_test_scene import addBox, addMr

        parameters = self._case()
        box = parameters.roiNodes[0]
        cases = [
            {"inputVolume": None},
            {"inputVolume": addMr()},
            {"roiNodes": []},
            {"roiNodes": [addBox(center=(400.0, 0.0, 0.0))]},
            {"roiNodes": [addBox(size=(0.0, 0.0, 0.0))]},
            {"firstLower": 90.0},
        ]
        volumeNode = parameters.inputVolume
        for case in cases:
            for name, value in case.items():
                setattr(parameters, name, value)
            self._assertOneSentence(lambda: self.logic.apply(parameters))
            parameters.inputVolume, parameters.roiNodes, parameters.firstLower = volumeNode, [box], 50.0
        self.assertIsNone(parameters.outputSegmentation)
        self.assertIsNone(self.logic.tableNode(create=False))

    def test_what_was_prepared_goes_with_its_scene(self) -> None:
        """A closed scene leaves nothing behind."""
        parameters = self._case()
        self.logic.prepare(parameters.inputVolume)
        self.assertTrue(self.logic.isPrepared(parameters.inputVolume))
        slicer.mrmlScene.Clear(0)
        self.assertFalse(self.logic.isPrepared(parameters.inputVolume))

    def test_the_simulated_case_of_sample_data(self) -> None:
        """The case that Sample Data offers: Apply finds blood where it is, and the table says the same."""
        from HTSegmentationModule.sample_data import loadSimulatedCase

        case = loadSimulatedCase()
        parameters = self.logic.getParameterNode()
        parameters.inputVolume = case.volume
        parameters.roiSegmentation, parameters.roiSegmentID = case.roiSegmentation, case.roiSegmentID
        parameters.referenceSegmentation, parameters.referenceSegmentID = case.reference, case.referenceSegmentID
        measurement = self.logic.apply(parameters).measurement
        self.assertAlmostEqual(measurement.overlap.reference_volume_ml, case.trueVolumeMl, delta=0.1 * case.trueVolumeMl)
        self.assertGreater(measurement.overlap.dice, 0.3)
        table = self.logic.tableNode().GetTable()
        self.assertEqual(table.GetColumnByName("VolumeMl").GetValue(0), measurement.mask.volume_ml)
        self.assertEqual(table.GetColumnByName("Dice").GetValue(0), measurement.overlap.dice)

    def _case(self, panel: Any = None) -> Any:
        """The parameter node with head and box; the panel's own if one is given."""
        from HTSegmentationModule.self_test_scene import addBox, addHead

        if panel is not None:
            panel.initializeParameterNode()
        parameters = self.logic.getParameterNode()
        parameters.inputVolume = addHead()
        parameters.roiNodes = [addBox()]
        return parameters

    def _panel(self) -> Any:
        panel = slicer.modules.htsegmentation.widgetRepresentation().self()
        panel.enter()
        return panel

    def _waitFor(self, condition: Any, what: str) -> None:
        end = time.monotonic() + _WAIT_S
        while not condition():
            self.assertLess(time.monotonic(), end, f"waited in vain for {what}")
            slicer.app.processEvents()
            time.sleep(0.01)

    def _assertOneSentence(self, call: Any) -> None:
        from HTSegmentationLib.errors import HTSegError

        with self.assertRaises(HTSegError) as caught:
            call()
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn(" ", str(caught.exception))

    def _loadScene(self, text: str) -> None:
        """Opens what ``_savedScene`` gave, in place of the present scene."""
        slicer.mrmlScene.Clear(0)
        slicer.mrmlScene.SetLoadFromXMLString(1)
        slicer.mrmlScene.SetSceneXMLString(text)
        slicer.mrmlScene.Import()
        slicer.mrmlScene.SetLoadFromXMLString(0)

    def _savedScene(self) -> str:
        slicer.mrmlScene.SetSaveToXMLString(1)
        slicer.mrmlScene.Commit()
        slicer.mrmlScene.SetSaveToXMLString(0)
        return slicer.mrmlScene.GetSceneXMLString()

    def _voxels(self, segmentationNode: Any, segmentID: str, volumeNode: Any) -> int:
        return int(slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentID, volumeNode).sum())

    def _ballMl(self) -> float:
        from HTSegmentationModule.self_test_scene import SPACING_MM, headArray

        x, y, z = SPACING_MM
        return float(headArray()[1].sum()) * x * y * z / 1000
