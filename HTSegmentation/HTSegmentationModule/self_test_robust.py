"""Self-tests of the robust threshold's own values in the panel: what they change, their limits, scene and histogram."""

# ruff: noqa: PT009  (Slicer runs these by unittest, and pytest is not part of it)
from __future__ import annotations

from typing import Any

import slicer


class RobustStories:
    """Further stories of ``HTSegmentationTest``, whose case and panel they use."""

    def test_the_robust_thresholds_values_move_the_preview_and_go_back(self) -> None:
        """A higher share gives a smaller preview, Reset brings the fitted values and the first preview back."""
        from HTSegmentationLib.threshold.robust.parameters import RobustParameters
        from HTSegmentationModule.parameters import toLibrary

        panel, parameters = self._robustCase()
        label = panel.ui.previewVolumeLabel
        self._waitFor(lambda: label.text, "the preview")
        first = label.text
        panel.ui.robustMostContrastSpinBox.value = 40.0
        panel.ui.robustShareSpinBox.value = 0.9
        panel.ui.robustPartGapSpinBox.value = 5.0
        changed = RobustParameters(most_contrast_hu=40.0, bound_share=0.9, part_gap_mm=5.0)
        self.assertEqual(toLibrary(parameters), changed)
        self._waitFor(lambda: label.text != first, "a smaller preview")
        self.assertLess(_ml(label.text), _ml(first))
        parameters.manualThreshold = True
        panel.ui.resetRobustButton.click()
        self.assertEqual(toLibrary(parameters), RobustParameters())
        self.assertTrue(parameters.manualThreshold)
        self._waitFor(lambda: label.text == first, "the first preview")
        self._leave(panel, parameters)

    def test_the_robust_thresholds_limits_are_the_librarys_and_never_cross(self) -> None:
        """Each box ends where the library does; least and most contrast stop at each other; a bad scene is told."""
        from HTSegmentationLib.threshold.robust.parameters import ROBUST_LIMITS, RobustParameters
        from HTSegmentationModule.parameters import FIELDS, toLibrary

        panel, parameters = self._robustCase()
        self._waitFor(lambda: panel.ui.robustShareSpinBox.maximum < 1, "the limits")
        for name in set(ROBUST_LIMITS) - {"least_contrast_hu", "most_contrast_hu"}:
            box = getattr(panel.ui, f"{FIELDS[name]}SpinBox")
            self.assertEqual((box.minimum, box.maximum), ROBUST_LIMITS[name][:2])
        least, most = panel.ui.robustLeastContrastSpinBox, panel.ui.robustMostContrastSpinBox
        fitted = RobustParameters().most_contrast_hu
        least.value = 30.0
        self.assertEqual(parameters.robustLeastContrast, fitted)
        self._waitFor(lambda: most.minimum == fitted, "the limits to follow")
        most.value = 6.0
        self.assertEqual(parameters.robustMostContrast, fitted)
        most.value = 100.0
        self._waitFor(lambda: least.maximum == ROBUST_LIMITS["least_contrast_hu"][1], "the limits to widen")
        least.value = 30.0
        self.assertEqual((parameters.robustLeastContrast, parameters.robustMostContrast), (20.0, 40.0))
        toLibrary(parameters)
        parameters.robustMostContrast = 6.0
        self._waitFor(lambda: "must not be above" in panel.ui.messageLabel.text, "the fault to be told")
        self.assertEqual((least.value, most.value), (20.0, 6.0))
        self._leave(panel, parameters)

    def test_the_robust_thresholds_values_are_saved_with_the_scene(self) -> None:
        """All seven come back, in the node and in the panel."""
        from HTSegmentationLib.threshold.robust.parameters import RobustParameters
        from HTSegmentationModule.parameters import storeParameters, toLibrary

        own = RobustParameters(1.2, 6.0, 18.0, 30.0, 0.5, 120.0, 20.0)
        parameters = self.logic.getParameterNode()
        parameters.method = "robust"
        storeParameters(parameters, own)
        text = self._savedScene()
        slicer.mrmlScene.Clear(0)
        self.assertEqual(toLibrary(self.logic.getParameterNode(), "robust"), RobustParameters())
        self._loadScene(text)
        restored = self.logic.getParameterNode()
        self.assertEqual(toLibrary(restored), own)
        panel = self._panel()
        panel.initializeParameterNode()
        ui = panel.ui
        self.assertEqual((ui.robustLeastContrastSpinBox.value, ui.robustMostContrastSpinBox.value), (18.0, 30.0))
        self.assertEqual((ui.robustDensestSpinBox.value, ui.robustPartGapSpinBox.value), (120.0, 20.0))
        self._leave(panel, restored)

    def test_the_histogram_says_what_it_shows_of_the_robust_threshold(self) -> None:
        """With the robust threshold the mask's voxels are marked, with the adaptive one the final threshold."""
        panel, parameters = self._robustCase()
        label = panel.ui.histogramLabel
        self._waitFor(lambda: not label.isHidden() and "tissue around" in label.toolTip, "the robust histogram")
        parameters.method = "adaptive"
        self._waitFor(lambda: "final threshold" in label.toolTip, "the adaptive histogram")
        self.assertNotIn("tissue around", label.toolTip)
        self._leave(panel, parameters)

    def _robustCase(self) -> tuple[Any, Any]:
        panel = self._panel()
        parameters = self._case(panel)
        parameters.method = "robust"
        self._waitFor(lambda: not panel.ui.robustWidget.isHidden(), "the robust threshold's values")
        return panel, parameters

    def _leave(self, panel: Any, parameters: Any) -> None:
        parameters.method = "adaptive"
        panel.exit()
        panel.enter()


def _ml(text: str) -> float:
    """The mL of the preview's line, which begins with a word in bold."""
    return float(text.partition("<b>")[2].split()[0])
