"""Self-tests of Suggest ROI: the bleed of the sample is found, a healthy head gets no box, the user's own boxes stay."""

# ruff: noqa: PT009  (Slicer runs these by unittest, and pytest is not part of it)
from __future__ import annotations

from typing import Any

import slicer


class SuggestionStories:
    """Further stories of ``HTSegmentationTest``, which has ``logic``, ``_panel``, ``_case`` and ``_waitFor``."""

    def test_suggest_finds_the_bleed_of_the_sample(self) -> None:
        """The case that Sample Data offers: the first box holds the bleed, and the threshold finds it there."""
        from HTSegmentationModule.sample_data import loadSimulatedCase

        case = loadSimulatedCase()
        parameters = self.logic.getParameterNode()
        parameters.inputVolume = case.volume
        parameters.referenceSegmentation, parameters.referenceSegmentID = case.reference, case.referenceSegmentID
        suggested = self.logic.suggestRois(parameters)
        self.assertTrue(suggested.nodes)
        self.assertEqual(list(parameters.roiNodes), list(suggested.nodes))
        center = case.reference.GetSegmentCenterRAS(case.referenceSegmentID)
        self.assertTrue(suggested.nodes[0].IsPointInROIWorld(center))
        outcome = self.logic.apply(parameters)
        self.assertGreater(outcome.measurement.overlap.dice, 0.6)
        self.assertIn("roi-automatic", [remark.code for remark in outcome.remarks])

    def test_suggest_leaves_a_healthy_head_alone(self) -> None:
        """Nothing stands out: no box, and a remark that this excludes nothing."""
        from HTSegmentationModule.self_test_scene import addHead

        parameters = self.logic.getParameterNode()
        parameters.inputVolume = addHead(bleeding=False)
        suggested = self.logic.suggestRois(parameters)
        self.assertEqual(suggested.nodes, ())
        self.assertEqual(list(parameters.roiNodes), [])
        self.assertIn("no-region-found", [remark.code for remark in suggested.found.remarks])

    def test_the_panel_suggests_and_keeps_what_was_moved(self) -> None:
        """Press Suggest ROI, read why, press again, move the box, press again."""
        panel = self._panel()
        parameters = self._case(panel)
        self._suggest(panel)
        own, box = parameters.roiNodes
        self.assertEqual(own.GetName(), "Test box")
        self.assertIn(box.GetName(), panel.message.text)
        self.assertIn("staining", panel.message.text)
        self._waitFor(lambda: panel.preview.segment.node is not None, "the preview in the box")
        self.assertIn(box.GetName(), panel.message.text)
        self._suggest(panel)
        self.assertEqual(len(parameters.roiNodes), 2)
        box = parameters.roiNodes[1]
        box.SetCenterWorld(*(value + 2 for value in box.GetCenterWorld()))
        self._waitFor(lambda: not panel.message.text, "the message to go with what it tells of")
        self._suggest(panel)
        self.assertIs(parameters.roiNodes[1], box)
        self.assertEqual(len(parameters.roiNodes), 3)
        self._waitFor(lambda: panel.ui.roiTable.rowCount == len(parameters.roiNodes), "the list to show all")
        self.assertEqual(panel.ui.roiTable.currentRow(), 2)
        panel.ui.removeRoiButton.click()
        self.assertEqual([node.GetName() for node in parameters.roiNodes], [own.GetName(), box.GetName()])
        panel.exit()
        panel.enter()

    def test_a_search_can_be_stopped(self) -> None:
        """Cancel gives it up, and no box comes later."""
        panel = self._panel()
        parameters = self._case(panel)
        self._waitFor(lambda: panel.logic.isPrepared(parameters.inputVolume), "the preparation")
        panel.ui.suggestRoiButton.click()
        self.assertTrue(panel.apply.running)
        self.assertFalse(panel.ui.suggestRoiButton.enabled)
        panel.ui.cancelButton.click()
        self.assertFalse(panel.apply.running)
        self.assertTrue(panel.ui.suggestRoiButton.enabled)
        slicer.app.processEvents()
        self.assertEqual(len(parameters.roiNodes), 1)

    def _suggest(self, panel: Any) -> None:
        self._waitFor(lambda: panel.ui.suggestRoiButton.enabled, "Suggest ROI to be possible")
        panel.ui.suggestRoiButton.click()
        self._waitFor(lambda: not panel.apply.running, "the search")
