"""The panel: wires its sections to the logic and to the life of the scene."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import vtk
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from HTSegmentationModule.fitted_height import FittedHeight
from HTSegmentationModule.library_path import libraryProblem
from HTSegmentationModule.messages import MessageLine


class HTSegmentationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel. All state is in the parameter node; this class only wires."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None
        self._entered = False

    def setup(self) -> None:
        """Builds the panel; works without main window, layout manager and slice views."""
        ScriptedLoadableModuleWidget.setup(self)
        root = slicer.util.loadUI(self.resourcePath("UI/HTSegmentation.ui"))
        self.layout.addWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.fittedHeight = FittedHeight(root)
        self.message = MessageLine(self.ui.messageIconLabel, self.ui.messageLabel)
        self.ui.progressWidget.setVisible(False)
        problem = libraryProblem()
        if problem:
            self._disable(root, problem)
            return
        self._makeParts()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodeAdded)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodeRemoved)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Lets go of everything, before the application ends or the module is loaded again."""
        if self.logic is None:
            return
        self.fittedHeight.follow(False)
        self._updateTimer.stop()
        self._takeCTTimer.stop()
        self.apply.close()
        self.packages.close()
        self.results.close()
        self.setParameterNode(None)
        self.removeObservers()
        self.logic.close()
        self.logic = None

    def enter(self) -> None:
        """The user opened the module."""
        self._entered = True
        self.fittedHeight.follow(True)
        if self.logic is not None:
            self.apply.active = True
            self.initializeParameterNode()

    def exit(self) -> None:
        """The user went to another module: nothing is previewed there, but corrections by hand are still measured."""
        self._entered = False
        self.fittedHeight.follow(False)
        if self.logic is None:
            return
        self.apply.active = False
        self.apply.clearPreview()
        if not self.apply.running:
            self.preparation.stop()

    def onReload(self) -> None:
        """Loads the module's package and the library again, too, not only the module's own file."""
        import sys

        for name in list(sys.modules):
            if name.split(".")[0] in ("HTSegmentationModule", "HTSegmentationLib"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        """The scene goes, and with it everything that is shown or under way."""
        self.apply.stop()
        self.results.clear()
        self.comparison.clear()
        self.method.showResult(None, None)
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        """An empty scene: start anew if somebody looks."""
        if self._entered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any, event: Any) -> None:
        """A scene was loaded, perhaps with a parameter node and a result of its own."""
        if self._entered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAdded(self, caller: Any, event: Any, node: Any) -> None:
        """A CT that comes while the panel is open and has none is taken, as one that was there before."""
        if self._entered and node.IsA("vtkMRMLScalarVolumeNode") and not caller.IsImporting():
            self._takeCTTimer.start()

    def onNodeRemoved(self, caller: Any, event: Any) -> None:
        """Something may be missing now."""
        self.updateSoon()

    def initializeParameterNode(self) -> None:
        """Takes the scene's parameter node, and its only CT if there is just one."""
        self.offerMethods()
        self.setParameterNode(self.logic.getParameterNode())
        self.takeOnlyCT()
        self.update()

    def takeOnlyCT(self) -> None:
        """Takes the scene's only CT as input unless there is one already."""
        node = self._parameterNode
        if node is not None and node.inputVolume is None:
            volumes = [volume for volume in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _mayBeCT(volume)]
            if len(volumes) == 1:
                node.inputVolume = volumes[0]

    def offerMethods(self) -> None:
        """Offers the methods that are there now; a model may have been installed or removed meanwhile."""
        methods = self.logic.methods()
        self.method.offer(methods)
        self.comparison.offer(methods)

    def setParameterNode(self, parameterNode: Any) -> None:
        """Shows and follows a parameter node; None lets go of the present one."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self._watched.removeObservers()
            self.removeObserver(self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateSoon)
        self._parameterNode = parameterNode
        self.roiList.show(parameterNode)
        self.method.show(parameterNode)
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateSoon)

    def updateSoon(self, caller: Any = None, event: Any = None) -> None:
        """Updates the panel when the present burst of events is over."""
        self._updateTimer.start()

    def update(self) -> None:
        """Makes the panel tell what the parameter node holds, and asks for a preview of it."""
        node = self._parameterNode
        if node is None or self.logic is None:
            return
        self._watched.follow(node)
        self.roiList.show(node)
        self.method.show(node)
        reference = node.referenceSegmentation
        self.reference.show(None if reference is None else reference.GetID(), node.referenceSegmentID)
        self.results.follow(node)
        self.comparison.follow(node)
        self.suggestion.follow(node)
        self.apply.update(node)

    def _makeParts(self) -> None:
        from HTSegmentationModule.apply_section import ApplySection
        from HTSegmentationModule.comparison_section import ComparisonSection
        from HTSegmentationModule.logic import HTSegmentationLogic
        from HTSegmentationModule.method_section import MethodSection
        from HTSegmentationModule.packages_section import PackagesSection
        from HTSegmentationModule.reference_selector import ReferenceSelector
        from HTSegmentationModule.results_section import ResultsSection
        from HTSegmentationModule.roi_list import RoiList
        from HTSegmentationModule.suggestion_section import SuggestionSection
        from HTSegmentationModule.watched_nodes import WatchedNodes

        self.logic = HTSegmentationLogic()
        self._updateTimer = qt.QTimer(self.ui.applyButton)
        self._updateTimer.setSingleShot(True)
        self._updateTimer.setInterval(0)
        self._updateTimer.connect("timeout()", self.update)
        self._takeCTTimer = qt.QTimer(self.ui.applyButton)
        self._takeCTTimer.setSingleShot(True)
        self._takeCTTimer.setInterval(0)
        self._takeCTTimer.connect("timeout()", self.takeOnlyCT)
        self._watched = WatchedNodes(self.updateSoon)
        self.roiList = RoiList(self.ui, self.updateSoon)
        self.reference = ReferenceSelector(self.ui.referenceSelector, self._onReferenceChosen)
        self.method = MethodSection(self.ui, self.logic.methods(), self.updateSoon)
        self.results = ResultsSection(self.ui, self.logic, self.message.tell)
        self.apply = ApplySection(self.ui, self.logic, self.message, self.method, self.results)
        self.comparison = ComparisonSection(self.ui, self.logic, self.apply, self.results.tellRemarks)
        told = self.message.tell, self._onInstalled, self.method.network.offerCards
        self.packages = PackagesSection(self.ui, self.logic.worker, *told)
        self.suggestion = SuggestionSection(self.ui, self.logic, self.apply, self.updateSoon)
        self.apply.onReadiness = self._showButtons
        self.preparation, self.preview = self.apply.preparation, self.apply.preview

    def _showButtons(self) -> None:
        """What else works on the prepared CT waits while work is under way."""
        self.comparison.showButton()
        self.suggestion.showButton()

    def _onInstalled(self) -> None:
        """Models or packages came: they are offered, and what was tried before may work now."""
        self.offerMethods()
        self.updateSoon()

    def _onReferenceChosen(self, nodeID: str, segmentID: str) -> None:
        if self._parameterNode is not None:
            self._parameterNode.referenceSegmentation = slicer.mrmlScene.GetNodeByID(nodeID) if nodeID else None
            self._parameterNode.referenceSegmentID = segmentID

    def _disable(self, root: Any, problem: str) -> None:
        for name in ("inputCollapsibleButton", "methodCollapsibleButton", "resultsCollapsibleButton", "previewCheckBox"):
            getattr(self.ui, name).setEnabled(False)
        self.ui.remarksCollapsibleButton.setVisible(False)
        sentence = problem[:1].upper() + problem[1:] + "."
        self.ui.applyButton.toolTip = sentence
        self.message.tell(sentence, "warning")


def _mayBeCT(volumeNode: Any) -> bool:
    """Whether a volume is one that a user could mean: shown in lists, and no labelmap or colour picture."""
    hidden = volumeNode.GetHideFromEditors()
    return not hidden and volumeNode.GetClassName() == "vtkMRMLScalarVolumeNode"
