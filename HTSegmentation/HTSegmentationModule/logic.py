"""The logic: nodes in, nodes out; it needs no widget, no main window and no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from HTSegmentationModule.network_worker import NetworkWorker

if TYPE_CHECKING:
    from HTSegmentationLib.ct.scan import CTScan
    from HTSegmentationLib.methods import Method
    from HTSegmentationLib.progress import Progress
    from HTSegmentationLib.roi import Roi
    from HTSegmentationLib.segmenter import PreparedScan, SegmentationResult, Segmenter
    from HTSegmentationModule.comparison import Comparison
    from HTSegmentationModule.outcome import Measurement, Outcome, SegmentMeasurement
    from HTSegmentationModule.suggested_rois import SuggestedRois


class HTSegmentationLogic(ScriptedLoadableModuleLogic):
    """Segments and measures hemorrhage in the nodes that a parameter node names.

    All runs in the main thread, except :meth:`prepareScan`, which knows no node, and networks, which have their own process.
    All errors that a user can mend are ``HTSegError`` with one sentence; the scene is changed when all computing is done.

    Example:
        >>> logic = HTSegmentationLogic()                                    # doctest: +SKIP
        >>> parameters = logic.getParameterNode()                            # doctest: +SKIP
        >>> parameters.inputVolume = slicer.util.getNode("head")             # doctest: +SKIP
        >>> parameters.roiNodes = [slicer.util.getNode("R")]                 # doctest: +SKIP
        >>> logic.apply(parameters).measurement.mask.volume_ml               # doctest: +SKIP
    """

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleLogic.__init__(self, parent)
        # The base class takes the name from the class of whoever derives from this one.
        self.moduleName = "HTSegmentation"
        self._cache = None
        self.worker = NetworkWorker()

    def getParameterNode(self):
        """The parameter node that the module's panel shows; made when there is none."""
        from HTSegmentationModule.parameter_node import HTSegmentationParameterNode

        return HTSegmentationParameterNode(super().getParameterNode())

    def addParameterNode(self, name: str = "HTSegmentation"):
        """A further parameter node beside the panel's, saved with the scene as well: for scripts with several cases."""
        from HTSegmentationModule.parameter_node import HTSegmentationParameterNode

        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", slicer.mrmlScene.GenerateUniqueName(name))
        node.SetAttribute("ModuleName", self.moduleName)
        return HTSegmentationParameterNode(node)

    def methods(self) -> list[Method]:
        """All methods that can be offered here, in their order: the thresholds, then the models that are installed."""
        from HTSegmentationLib.methods import installed_methods

        return installed_methods()

    def segmenter(self, parameterNode, methodName: str | None = None) -> Segmenter:
        """A method with the parameter node's parameters; a network's work is done by the worker process.

        Args:
            parameterNode: The parameter node.
            methodName: Name in the library's registry; None for the one that the parameter node names.

        Raises:
            HTSegError: There is no such method, or a parameter is out of its range.
        """
        from HTSegmentationLib.methods import method
        from HTSegmentationModule.parameters import segmenterOf

        chosen = method(methodName or parameterNode.method)
        if chosen.is_network:
            return self.worker.segmenter(chosen, parameterNode.device)
        return segmenterOf(parameterNode, chosen.name)

    def isPrepared(self, volumeNode, assumeHU: bool = True) -> bool:
        """Whether the volume's preparation is there and up to date; ``assumeHU`` as for :meth:`prepared`."""
        return self.prepared(volumeNode, assumeHU) is not None

    def prepared(self, volumeNode, assumeHU: bool = True) -> PreparedScan | None:
        """The cached preparation of the volume; None if there is none, or it is out of date.

        Args:
            volumeNode: The CT.
            assumeHU: False: not one that was made of values that were taken for HU in spite of their look.
        """
        return None if volumeNode is None else self._scans().get(volumeNode, assumeHU)

    def prepare(self, volumeNode, progress: Progress | None = None, assumeHU: bool = False) -> PreparedScan:
        """The volume's preparation, from the cache if possible.

        Args:
            volumeNode: The CT.
            progress: Told of each stage; raises ``Cancelled`` to stop.
            assumeHU: Whether to take the values for HU whatever they look like.

        Raises:
            HTSegError: The volume is no CT, or no brain was found in it.
        """
        found = self.prepared(volumeNode, assumeHU)
        if found is None:
            scan = self.scanFromVolume(volumeNode, assumeHU)
            found = self.prepareScan(scan, progress)
            self.storePrepared(volumeNode, found)
        return found

    def scanFromVolume(self, volumeNode, assumeHU: bool = False) -> CTScan:
        """The volume as the library's scan, in world space (LPS mm); for the main thread.

        Args:
            volumeNode: The CT; it may lie under transforms of any kind.
            assumeHU: Whether to take the values for HU whatever they look like.

        Raises:
            InputError: There is no volume, it is empty, not scalar, or its values are not HU.
        """
        from HTSegmentationModule.volume_conversion import scanFromVolume

        scan = scanFromVolume(volumeNode, assumeHU)
        self._scans().taken(volumeNode, scan)
        return scan

    def prepareScan(self, scan: CTScan, progress: Progress | None = None) -> PreparedScan:
        """What does not depend on the ROI; knows no node and may run in a Python thread.

        Raises:
            SegmentationError: No brain was found.
        """
        from HTSegmentationLib import methods
        from HTSegmentationLib.progress import silent

        return methods.method(methods.DEFAULT_METHOD).make(None).prepare(scan, progress or silent)

    def storePrepared(self, volumeNode, prepared: PreparedScan) -> None:
        """Keeps a preparation that was made elsewhere, until the volume changes or goes; for the main thread.

        Raises:
            UsageError: The volume was changed, moved or removed since the scan was taken from it.
        """
        self._scans().store(volumeNode, prepared)

    def roi(self, parameterNode, volumeNode) -> Roi:
        """The union of the parameter node's ROI markups and ROI segment on the volume's grid.

        Raises:
            ROIError: There is none, one is not usable, or none holds a voxel of the scan.
        """
        from HTSegmentationModule.roi_conversion import roiOnGrid
        from HTSegmentationModule.volume_conversion import gridOfVolume

        prepared = self.prepared(volumeNode)
        grid = gridOfVolume(volumeNode) if prepared is None else prepared.scan.image
        return roiOnGrid(parameterNode, grid)

    def suggestRois(self, parameterNode, progress: Progress | None = None) -> SuggestedRois:
        """Searches the CT for what may be a bleed and lists an ROI box for each region that it proposes, a place to look at.

        Args:
            parameterNode: Names the CT; its list of ROIs gets the boxes instead of those of before that nobody moved.
            progress: As for :meth:`apply`.

        Raises:
            HTSegError: The volume is no CT, or no brain was found in it.
        """
        from HTSegmentationModule.suggested_rois import suggestRois

        return suggestRois(self, parameterNode, progress)

    def segment(self, parameterNode) -> SegmentationResult:
        """The result with the parameters as they are now, from the cached preparation; no node is touched.

        Raises:
            UsageError: The volume is not prepared.
            HTSegError: A parameter is out of its range, or the ROI is not usable.
        """
        from HTSegmentationLib.progress import silent
        from HTSegmentationModule.segmenting import gather
        from HTSegmentationModule.volume_conversion import requireVolume

        requireVolume(parameterNode.inputVolume)
        return gather(self, parameterNode).run(silent)

    def apply(self, parameterNode, progress: Progress | None = None) -> Outcome:
        """Prepares if needed, segments, writes the segments, measures them, and updates the table.

        Args:
            parameterNode: Names all inputs; gets the output segmentation if it named none.
            progress: Told of each stage; raises ``Cancelled`` to stop, and then nothing was changed.

        Raises:
            HTSegError: An input is missing or not usable; one sentence.
        """
        from HTSegmentationModule.segmenting import applyMethod

        return applyMethod(self, parameterNode, progress)

    def writeSegment(self, parameterNode, result: SegmentationResult) -> str:
        """Writes the result as segments, one a class; existing ones of the same name are replaced, others are left alone.

        Returns:
            The ID of the hemorrhage's segment in the parameter node's output segmentation, which is made when there is none.

        Raises:
            UsageError: The volume is gone, or the output segmentation cannot take the result.
        """
        from HTSegmentationModule.segmentation_output import outputSegmentation, writeSegments

        volumeNode = parameterNode.inputVolume
        node = outputSegmentation(volumeNode, result, parameterNode.outputSegmentation)
        segmentID = writeSegments(node, volumeNode, result)
        parameterNode.outputSegmentation = node
        return segmentID

    def measure(self, parameterNode, segmentID: str | None = None) -> Measurement:
        """Measures a segment of the output segmentation as it is now, and compares it with the reference if there is one.

        Args:
            parameterNode: Names volume, output segmentation and reference.
            segmentID: The segment; None for the one that the last result's hemorrhage was written to.

        Raises:
            HTSegError: A node or segment is missing.
        """
        from HTSegmentationModule.measuring import measureSegment
        from HTSegmentationModule.roi_conversion import usableRoi

        prepared = self.prepared(parameterNode.inputVolume)
        scan = self.scanFromVolume(parameterNode.inputVolume, assumeHU=True) if prepared is None else prepared.scan
        reference = parameterNode.referenceSegmentation
        if reference is None:
            return measureSegment(parameterNode.outputSegmentation, segmentID, scan.image)
        compared = reference, parameterNode.referenceSegmentID
        roi = usableRoi(parameterNode, scan.image)
        return measureSegment(parameterNode.outputSegmentation, segmentID, scan.image, compared, roi)

    def compare(self, parameterNode, otherMethod: str, progress: Progress | None = None) -> Comparison:
        """Runs two methods on the same scan and ROI, and writes what each found and what only one of them found."""
        from HTSegmentationModule.comparison import compareMethods

        return compareMethods(self, parameterNode, otherMethod, progress)

    def tableNode(self, create: bool = True):
        """The table "Hemorrhage measurements" of the scene; None if there is none and none shall be made."""
        from HTSegmentationModule.results_table import resultsTable

        return resultsTable(slicer.mrmlScene, create)

    def updateTable(self, parameterNode, outcome: Outcome) -> None:
        """Writes the case's rows, one a class: those of this volume and output segmentation, or new ones."""
        from HTSegmentationModule.results_table import updateRows

        updateRows(self.tableNode(), parameterNode.inputVolume, outcome)

    def remeasure(self, parameterNode, segmentID: str | None = None) -> Measurement:
        """Measures after a correction by hand, and updates the segment's row if the scene has the table."""
        from HTSegmentationModule.results_table import updateRow
        from HTSegmentationModule.segmentation_output import hemorrhageSegmentID

        measurement = self.measure(parameterNode, segmentID)
        table, node = self.tableNode(create=False), parameterNode.outputSegmentation
        if table is not None:
            updateRow(table, parameterNode.inputVolume, node, segmentID or hemorrhageSegmentID(node), measurement)
        return measurement

    def remeasureFurther(self, parameterNode) -> list[SegmentMeasurement]:
        """The same for the last result's classes after the hemorrhage; empty for a method of one class."""
        from HTSegmentationModule.measuring import measureFurther
        from HTSegmentationModule.results_table import updateRow

        further = measureFurther(parameterNode.outputSegmentation, self.prepared(parameterNode.inputVolume))
        table = self.tableNode(create=False)
        for one in further if table is not None else ():
            updateRow(table, parameterNode.inputVolume, parameterNode.outputSegmentation, one.segmentID, one.measurement)
        return further

    def close(self) -> None:
        """Frees all prepared scans, ends the worker and stops watching the scene; the logic can still be used."""
        self.worker.close()
        self._freeScans()

    def _freeScans(self) -> None:
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def _scans(self):
        """The cache, made when it is first needed and again when the application has another scene."""
        from HTSegmentationModule.scan_cache import ScanCache

        if self._cache is None or self._cache.scene is not slicer.mrmlScene:
            self._freeScans()
            self._cache = ScanCache(slicer.mrmlScene)
        return self._cache
