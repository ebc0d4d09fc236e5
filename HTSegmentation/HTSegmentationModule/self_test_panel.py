"""Self-tests of the panel: the ways of a user through it, and what may go wrong on them."""

# ruff: noqa: PT009  (Slicer runs these by unittest, and pytest is not part of it)
from __future__ import annotations

import slicer


class PanelStories:
    """Further stories of ``HTSegmentationTest``, which has ``_panel``, ``_case`` and ``_waitFor``."""

    def test_the_panel_previews_applies_and_follows_corrections(self) -> None:
        """The whole way of a user through the panel."""
        from HTSegmentationModule.self_test_scene import addReference

        panel = self._panel()
        parameters = self._case(panel)
        self._waitFor(lambda: panel.preview.segment.node is not None, "the preview")
        hidden = panel.preview.segment.node
        self.assertTrue(hidden.GetHideFromEditors())
        self.assertFalse(hidden.GetSaveWithScene())
        self._waitFor(lambda: "confidence" in panel.ui.previewVolumeLabel.text, "the confidence in what is previewed")
        self.assertIn("±", panel.ui.previewVolumeLabel.text)
        panel.ui.applyButton.click()
        self._waitFor(lambda: panel.results.rows, "the results")
        self.assertIsNone(panel.preview.segment.node)
        self.assertIn("±", panel.ui.volumeLabel.text)
        self.assertTrue(panel.ui.volumeLabel.text.endswith("mL"))
        self.assertTrue(panel.ui.confidenceLabel.text.startswith("Confidence 0."))
        self.assertFalse(panel.ui.confidenceLabel.isHidden())
        alone = len(panel.results.rows)
        parameters.referenceSegmentation, parameters.referenceSegmentID = addReference(parameters.inputVolume)
        self._waitFor(lambda: len(panel.results.rows) > alone, "the comparison with the reference")
        node = parameters.outputSegmentation
        segmentID = node.GetSegmentation().GetSegmentIdBySegmentName("Hemorrhage")
        corrected = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentID, parameters.inputVolume)
        corrected[: corrected.shape[0] // 2] = 0
        before = panel.ui.volumeLabel.text
        slicer.util.updateSegmentBinaryLabelmapFromArray(corrected, node, segmentID, parameters.inputVolume)
        self._waitFor(lambda: panel.ui.volumeLabel.text != before, "the corrected volume")
        self.assertNotIn("±", panel.ui.volumeLabel.text)
        self.assertTrue(panel.ui.confidenceLabel.isHidden())
        panel.exit()
        panel.enter()

    def test_the_panel_survives_whatever_goes(self) -> None:
        """ROI deleted while previewing, CT deleted, preparation stopped, scene closed under way."""
        panel = self._panel()
        parameters = self._case(panel)
        self._waitFor(lambda: panel.preview.segment.node is not None, "the preview")
        slicer.mrmlScene.RemoveNode(parameters.roiNodes[0])
        self._waitFor(lambda: not panel.ui.applyButton.enabled, "Apply to be disabled without ROI")
        self.assertIsNone(panel.preview.segment.node)
        self.assertIn("ROI", panel.ui.applyButton.toolTip)
        slicer.mrmlScene.RemoveNode(parameters.inputVolume)
        self._waitFor(lambda: "CT" in panel.ui.applyButton.toolTip, "Apply to ask for a CT")
        self._case(panel)
        self._waitFor(lambda: panel.preparation.running, "the preparation to start")
        panel.ui.cancelButton.click()
        self.assertFalse(panel.preparation.running)
        panel.ui.applyButton.click()
        slicer.mrmlScene.Clear(0)
        slicer.app.processEvents()
        self.assertFalse(panel.preparation.running)
        self.assertFalse(panel.apply.running)

    def test_a_click_after_curve_places_a_point_of_the_curve(self) -> None:
        """What a click in a slice view places is the new curve's point, not one of a point list."""
        panel = self._panel()
        parameters = self._case(panel)
        panel.ui.addCurveButton.click()
        selection = slicer.app.applicationLogic().GetSelectionNode()
        curve = slicer.mrmlScene.GetNodeByID(selection.GetActivePlaceNodeID())
        self.assertEqual(selection.GetActivePlaceNodeClassName(), "vtkMRMLMarkupsClosedCurveNode")
        self.assertIn(curve.GetID(), [node.GetID() for node in parameters.roiNodes])
        panel.ui.removeRoiButton.click()

    def test_the_panel_is_as_high_as_its_texts_need(self) -> None:
        """A long message squeezes nothing, and takes no place when it is gone."""
        import qt

        from HTSegmentationModule.fitted_height import FittedHeight

        widget = qt.QWidget()
        label = qt.QLabel()
        label.setWordWrap(True)
        qt.QVBoxLayout(widget).addWidget(label)
        widget.resize(300, 50)
        fitted, heights = FittedHeight(widget), []
        for text in ("short", "a message of many words " * 40, "short"):
            label.text = text
            fitted.fit()
            heights.append(widget.minimumHeight)
        self.assertGreater(heights[1], 4 * heights[0])
        self.assertEqual(heights[2], heights[0])

    def test_the_panel_takes_a_ct_that_comes_while_it_is_open(self) -> None:
        """As when a sample is asked for and the module is opened before it is there."""
        from HTSegmentationModule.self_test_scene import addHead

        self._panel()
        parameters = self.logic.getParameterNode()
        self.assertIsNone(parameters.inputVolume)
        volume = addHead()
        self._waitFor(lambda: parameters.inputVolume is volume, "the CT")

    def test_the_panel_compares_two_methods(self) -> None:
        """Choose a second method, press Compare, read how far they agree."""
        panel = self._panel()
        parameters = self._case(panel)
        parameters.globalLower = 62.0
        box = panel.ui.compareComboBox
        box.setCurrentIndex(box.findData("global"))
        self._waitFor(lambda: panel.ui.compareButton.enabled, "the comparison to be possible")
        panel.ui.compareButton.click()
        self._waitFor(lambda: "Dice" in panel.ui.comparisonLabel.text, "the comparison")
        self.assertIsNotNone(slicer.mrmlScene.GetFirstNodeByName("Test head comparison"))
        self._waitFor(lambda: panel.ui.applyButton.enabled, "Apply to be possible again")
        panel.exit()
        panel.enter()
