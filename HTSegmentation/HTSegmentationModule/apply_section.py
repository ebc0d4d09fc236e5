"""Apply and live preview: what can be done now, what is under way, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt
import slicer

from HTSegmentationModule.input_checks import requireInputs
from HTSegmentationModule.messages import sentenceOf
from HTSegmentationModule.preparation import Preparation
from HTSegmentationModule.preview import Preview, inputsOf
from HTSegmentationModule.progress_work import ProgressWork
from HTSegmentationModule.readiness import isNetwork, missing
from HTSegmentationModule.segmenting import finish, gather
from HTSegmentationModule.sureness import confidenceText, volumeText
from HTSegmentationModule.translation import tr as _


class ApplySection:
    """The checkbox, the progress bar, the message line and the button in the middle of the panel.

    Args:
        ui: The panel's widgets.
        logic: The module's logic.
        message: The message line.
        method: The method's section.
        results: The results' section.
    """

    def __init__(self, ui: Any, logic: Any, message: Any, method: Any, results: Any) -> None:
        self._ui, self._logic, self._message, self._method, self._results = ui, logic, message, method, results
        self._node: Any = None
        self._failedInputs: Any = None
        self._told: Any = None
        self._refusedVolume = ""
        self._applied: tuple = (None, None, ())
        self.active = False
        self.running = False
        self._previewTip = ui.previewCheckBox.toolTip
        self.onReadiness: Callable[[], None] = _nothing
        self._work = ProgressWork(ui)
        self.preparation = Preparation(logic, self._work, self._onFailed, self._onCancelled)
        self.preview = Preview(logic, ui.previewCheckBox, self._onPreview, self._onFailed, self._onBack)
        ui.applyButton.connect("clicked()", self.run)
        ui.previewCheckBox.connect("toggled(bool)", self._onPreviewToggled)
        self._shortcuts = []
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = qt.QShortcut(qt.QKeySequence(keys), ui.applyButton.parent().parent())
            shortcut.setContext(qt.Qt.WidgetWithChildrenShortcut)
            shortcut.connect("activated()", self.run)
            self._shortcuts.append(shortcut)

    def update(self, parameterNode: Any) -> None:
        """Tells what can be done with the parameter node, and asks for a preview of it."""
        self._node = parameterNode
        reason = self._method.problem or missing(parameterNode)
        self._showButton(reason)
        self._showPreviewBox()
        failed = self._showMessage(reason)
        if self.running or not self.active or failed:
            return
        if not parameterNode.previewEnabled or parameterNode.inputVolume is None:
            self.preparation.stop()
            self.clearPreview()
            return
        if reason:
            self.clearPreview()
        # The CT is prepared as soon as it is chosen, while the ROI is still being drawn.
        if parameterNode.inputVolume.GetImageData() is not None:
            self.preparation.ensure(parameterNode, self._requestPreview)

    def run(self) -> None:
        """Segments and measures; the CT is prepared first if need be."""
        node = self._node
        if node is None or self._method.problem or missing(node):
            return
        started, gathered = time.monotonic(), []

        def gatherNow() -> Callable[..., Any]:
            gathered.append(gather(self._logic, node))
            return gathered[0].run

        def finishNow(result: Any) -> None:
            self._method.network.measured(time.monotonic() - started)
            self._finish(result, gathered[0])

        self._run(_("Segmenting"), gatherNow, finishNow, lambda: requireInputs(node))

    def runOther(self, title: str, gatherWork: Callable[[], Any], onDone: Callable[[Any], None]) -> None:
        """Runs other work on the prepared CT with the same bar, button and message line.

        Args:
            title: What is done, for the bar.
            gatherWork: Called when the CT is prepared; gives the work, which gets a progress callback and knows no node.
            onDone: Called in the main thread with what the work returns.
        """
        if self._node is not None:
            self._run(title, gatherWork, onDone, lambda: None)

    def tellOfInputs(self, text: str, severity: str) -> None:
        """Says something that stands until CT, ROIs or parameters are changed."""
        self._told = self._inputs()
        self._message.tell(text, severity)

    def currentResult(self, parameterNode: Any) -> Any:
        """The last run's result if nothing was changed since on which it depends; else None."""
        from HTSegmentationLib.errors import HTSegError

        try:
            return self._applied[1] if self.preview.isApplied(parameterNode) else None
        except HTSegError:
            return None

    def stop(self) -> None:
        """Gives up what is under way and forgets the scene."""
        self.running = False
        self._node = None
        self._failedInputs = self._told = None
        self._applied = (None, None, ())
        self.preparation.stop()
        self._work.stop()
        self.preview.forget()
        self._ui.previewVolumeLabel.setText("")

    def close(self) -> None:
        """Ends with the panel."""
        self.stop()
        self._work.close()
        self.preview.close()

    def clearPreview(self) -> None:
        """Shows no preview."""
        self.preview.clear()
        self._ui.previewVolumeLabel.setText("")

    def _run(self, title: str, gatherWork: Any, onDone: Any, check: Callable[[], None]) -> None:
        """Checks, prepares the CT, gathers, works in a thread, and ends in the main thread."""
        node = self._node
        if self.running:
            return
        self.running = True
        self._failedInputs = self._told = None
        self.clearPreview()
        self._showButton("")
        self._message.clear()

        def start() -> None:
            try:
                function = gatherWork()
            except Exception as error:  # the panel says it, whatever it is
                self._onFailed(error)
                return
            self._work.start(title, function, done, self._onFailed, self._onCancelled)

        def done(value: Any) -> None:
            if self._node is None:
                return
            self._message.clear()
            try:
                with slicer.util.WaitCursor():
                    onDone(value)
            except Exception as error:  # as above
                self._onFailed(error)
                return
            self.running = False
            self._showButton("")

        try:
            check()
        except Exception as error:  # as above
            self._onFailed(error)
            return
        self.preparation.ensure(node, start, asked=True)

    def _finish(self, result: Any, gathered: Any) -> None:
        node = self._node
        outcome = finish(self._logic, node, result)
        self._applied = (gathered, result, outcome.remarks)
        self._method.showResult(gathered, result)
        self._results.show(node, outcome)
        self.preview.applied(node)

    def _requestPreview(self) -> None:
        node = self._node
        if node is None or self.running or not self.active or not node.previewEnabled:
            return
        if not (self._method.problem or missing(node) or isNetwork(node)):
            self.preview.request(node)

    def _onPreview(self, result: Any, gathered: Any) -> None:
        label, volume = self._ui.previewVolumeLabel, volumeText(result.volume_ml(), result.uncertainty_ml)
        # Beside a box that says what it is of; a longer text is cut in a narrow panel.
        label.setText(f"<b>{volume}</b>")
        label.toolTip = _("Volume of the live preview, not applied yet.")
        if result.confidence is not None:
            label.setText(label.text + _(", confidence {value:.2f}").format(value=result.confidence.value))
            label.toolTip += " " + _("Confidence {sure}.").format(sure=confidenceText(result.confidence))
        self._method.showResult(gathered, result)
        self._results.showRemarks(result.remarks, outdated=True)

    def _onBack(self) -> None:
        """Everything is again as it was applied."""
        self._ui.previewVolumeLabel.setText("")
        self._method.showResult(*self._applied[:2])
        self._results.showRemarks(self._applied[2], outdated=False)

    def _onFailed(self, error: Exception) -> None:
        from HTSegmentationLib.errors import InputError

        self.running = False
        self.clearPreview()
        self._method.showResult(None, None)
        node = self._node
        if isinstance(error, InputError) and node is not None and node.inputVolume is not None:
            self._refusedVolume = node.inputVolume.GetID()
        self._failedInputs, self._told = self._inputs(), None
        self._showButton("")
        self._message.tell(sentenceOf(error), "warning")

    def _onCancelled(self) -> None:
        self.running = False
        self._failedInputs = self._inputs()
        self._showButton("")
        again = _("press Apply") if self._method.isNetwork else _("press Apply or tick Live preview again")
        self._message.tell(_("Stopped; nothing was changed. To go on, {again}.").format(again=again), "note")

    def _onPreviewToggled(self, on: bool) -> None:
        self.preparation.retry()
        self._failedInputs = None

    def _showPreviewBox(self) -> None:
        """A network takes too long to be run at every movement of the hand."""
        box, network = self._ui.previewCheckBox, self._method.isNetwork
        box.enabled = not network
        if network:
            self.clearPreview()
            box.toolTip = _("Networks take too long for a live preview; press Apply to run one.")
        else:
            box.toolTip = self._previewTip

    def _showButton(self, reason: str) -> None:
        button, node = self._ui.applyButton, self._node
        reason = reason or (missing(node) if node is not None else "")
        button.enabled = node is not None and not reason and not self.running
        under_way = _("Segmenting; press Cancel to stop.")
        button.toolTip = under_way if self.running else reason or _("Segments and measures (Ctrl+Enter).")
        volumeNode = None if node is None else node.inputVolume
        refused = volumeNode is not None and (node.assumeHU or volumeNode.GetID() == self._refusedVolume)
        self._ui.assumeHUCheckBox.setVisible(refused)
        self.onReadiness()

    def _showMessage(self, reason: str) -> bool:
        """The next step. True if an error stays, because nothing changed that it may depend on."""
        if self._failedInputs is not None and self._failedInputs == self._inputs():
            return True
        self._failedInputs = None
        if self._told is not None and self._told == self._inputs():
            return False
        self._told = None
        if reason:
            self._message.tell(reason, "caution" if self._method.problem else "note")
        elif not self.running:
            self._message.clear()
        return False

    def _inputs(self) -> Any:
        from HTSegmentationLib.errors import HTSegError

        try:
            return inputsOf(self._node) if self._node is not None else None
        except HTSegError as error:
            return str(error)


def _nothing() -> None:
    """As long as nobody else depends on whether work is under way."""
