"""Self-tests of what goes beyond one threshold: several classes, the comparison of methods, the list of methods."""

# ruff: noqa: PT009  (Slicer runs these by unittest, and pytest is not part of it)
from __future__ import annotations

import os
import tempfile
from typing import Any

import SimpleITK as sitk
import slicer


class MethodStories:
    """Further stories of ``HTSegmentationTest``, which has ``logic`` and ``_case``."""

    def test_every_class_of_a_result_becomes_a_segment(self) -> None:
        """A result of three classes, as a network gives it: three segments with their terms, three rows."""
        from HTSegmentationModule.segmenting import finish, gather

        parameters = self._case()
        self.logic.prepare(parameters.inputVolume)
        result = _threeClasses(gather(self.logic, parameters).run(lambda stage, fraction: None))
        outcome = finish(self.logic, parameters, result)
        segmentation = outcome.segmentationNode.GetSegmentation()
        segments = [segmentation.GetSegment(segmentID) for segmentID in segmentation.GetSegmentIDs()]
        self.assertEqual([segment.GetName() for segment in segments], [label.name for label in result.labels])
        for segment, label in zip(segments, result.labels, strict=True):
            self.assertIn(label.code, segment.GetTerminology())
            for found, expected in zip(segment.GetColor(), label.color, strict=True):
                self.assertAlmostEqual(found, expected / 255, places=3)
        table = self.logic.tableNode().GetTable()
        volumes = {
            table.GetColumnByName("Segment").GetValue(row): table.GetColumnByName("VolumeMl").GetValue(row)
            for row in range(table.GetNumberOfRows())
        }
        self.assertEqual(set(volumes), {label.name for label in result.labels})
        for label in result.labels:
            self.assertAlmostEqual(volumes[label.name], result.volume_ml(label), places=6)
        self.assertEqual([further.name for further in outcome.further], [label.name for label in result.labels[1:]])

    def test_two_methods_are_compared(self) -> None:
        """Adaptive against a narrow global threshold: four segments, whose voxels add up."""
        parameters = self._case()
        parameters.globalLower, parameters.globalUpper = 62.0, 90.0
        comparison = self.logic.compare(parameters, "global")
        segmentation = comparison.segmentationNode.GetSegmentation()
        voxels = [
            int(slicer.util.arrayFromSegmentBinaryLabelmap(comparison.segmentationNode, segmentID).sum())
            for segmentID in segmentation.GetSegmentIDs()
        ]
        self.assertEqual(len(voxels), 4)
        first, second, onlyFirst, onlySecond = voxels
        self.assertEqual(first - onlyFirst, second - onlySecond)
        self.assertGreater(onlyFirst, 0)
        self.assertAlmostEqual(comparison.dice, 2 * (first - onlyFirst) / (first + second), places=9)
        self.assertIsNone(parameters.outputSegmentation)

    def test_each_threshold_shows_its_own_parameters(self) -> None:
        """What a method has not is hidden, and each of them segments from the panel."""
        from HTSegmentationLib.methods import METHOD_NAMES, method
        from HTSegmentationModule.parameters import parameterNames

        panel = self._panel()
        parameters = self._case(panel)
        for name in METHOD_NAMES:
            parameters.method = name
            self._waitFor(lambda name=name: panel.ui.methodComboBox.currentData == name, "the method to be shown")
            names = parameterNames(method(name))
            self.assertEqual(panel.ui.adaptiveWidget.isHidden(), "rules" not in names)
            self.assertEqual(panel.ui.globalWidget.isHidden(), "lower_hu" not in names)
            self.assertEqual(panel.ui.filtersGroupBox.isHidden(), "smoothing_in_plane_mm" not in names)
            for widget in (panel.ui.robustWidget, panel.ui.robustGroupBox):
                self.assertEqual(widget.isHidden(), "bound_share" not in names)
            self._waitFor(lambda: panel.ui.applyButton.enabled, "Apply to be possible")
            panel.ui.applyButton.click()
            self._waitFor(lambda: not panel.apply.running, "the result")
            self.assertFalse(panel.ui.outcomeLabel.isHidden())
        parameters.method = METHOD_NAMES[0]
        panel.exit()
        panel.enter()

    def test_without_models_the_thresholds_are_offered(self) -> None:
        """An empty folder of models: the thresholds, what comes with the library, and the panel opens with them."""
        from HTSegmentationLib.methods import METHOD_NAMES

        before = os.environ.get("HTSEG_MODELS")
        with tempfile.TemporaryDirectory() as folder:
            os.environ["HTSEG_MODELS"] = folder
            try:
                methods = self.logic.methods()
                self.assertEqual([method.name for method in methods if not method.is_network], list(METHOD_NAMES))
                panel = self._panel()
                self.assertEqual(panel.ui.methodComboBox.count, len(methods))
                self.assertTrue(panel.ui.networkWidget.isHidden())
            finally:
                del os.environ["HTSEG_MODELS"]
                if before is not None:
                    os.environ["HTSEG_MODELS"] = before


def _threeClasses(result: Any) -> Any:
    """The result with a shell around the bleed as edema, and a class that is nowhere."""
    import dataclasses

    from HTSegmentationLib.segmenter import Label

    around = sitk.BinaryDilate(result.mask, (2, 2, 0)) > result.mask
    labels = (
        Label(1, "Intraparenchymal hemorrhage", "50960005", "Hemorrhage", (188, 65, 28)),
        Label(2, "Perilesional edema", "79654002", "Edema", (96, 150, 214)),
        Label(3, "Intraventricular hemorrhage", "50960005", "Hemorrhage", (214, 112, 196)),
    )
    return dataclasses.replace(result, mask=result.mask + 2 * around, labels=labels)
