"""The plugin "Hemorrhage" of Slicer's Segment Statistics module, and its registration.

To be imported when Slicer has started, since it derives from a class of the Segment Statistics module.
"""

from __future__ import annotations

from typing import Any

import slicer
from SegmentStatisticsPlugins import SegmentStatisticsPluginBase

from HTSegmentationModule.hemorrhage_statistics import DEFAULT_KEYS, KEYS, VOLUME, statisticsOf
from HTSegmentationModule.statistics_texts import describe
from HTSegmentationModule.translation import tr as _

REFERENCE_SEGMENTATION = "HemorrhageSegmentStatisticsPlugin.ReferenceSegmentation"
"""The parameter that holds the ID of the reference's segmentation node; empty for no comparison."""

REFERENCE_SEGMENT = "HemorrhageSegmentStatisticsPlugin.ReferenceSegmentID"
"""The parameter that holds the ID of the reference's segment."""


class HemorrhageSegmentStatisticsPlugin(SegmentStatisticsPluginBase):
    """Measures segments that are hemorrhage and leaves all others alone."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "Hemorrhage"
        self.title = _("Hemorrhage")
        self.keys = list(KEYS)
        self.defaultKeys = list(DEFAULT_KEYS)
        self.referenceSelector = None

    def computeStatistics(self, segmentID: str) -> dict[str, float]:
        """The requested measurements of a segment; empty for one that is no hemorrhage."""
        parameters = self.getParameterNode()
        if parameters is None:
            return {}
        node = slicer.mrmlScene.GetNodeByID(parameters.GetParameter("Segmentation"))
        return {} if node is None else statisticsOf(node, segmentID, self.getRequestedKeys(), self._reference())

    def getMeasurementInfo(self, key: str) -> dict[str, Any] | None:
        """Name, title, description, unit and DICOM codes of a measurement; None for another plugin's."""
        if key not in self.keys:
            return None
        name, title, description, unit = describe(key)
        codes = {}
        if key == VOLUME:
            codes = {
                "quantityDicomCode": self.createCodedEntry("118565006", "SCT", "Volume", True),
                "unitsDicomCode": self.createCodedEntry("cm3", "UCUM", "cubic centimeter", True),
                "measurementMethodDicomCode": self.createCodedEntry("126030", "DCM", "Sum of segmented voxel volumes", True),
            }
        return self.createMeasurementInfo(name, title, description, unit, **codes)

    def createDefaultOptionsWidget(self) -> None:
        """Adds the choice of the reference to the usual check boxes."""
        super().createDefaultOptionsWidget()
        from HTSegmentationModule.reference_selector import addReferenceSelector

        self.referenceSelector = addReferenceSelector(self.optionsWidget, self._onReferenceChosen)

    def updateGuiFromParameterNode(self, caller: Any = None, event: Any = None) -> None:
        """Shows what the parameter node says."""
        super().updateGuiFromParameterNode(caller, event)
        if self.referenceSelector is not None and self.getParameterNode() is not None:
            self.referenceSelector.show(
                *(self.getParameterNode().GetParameter(n) for n in (REFERENCE_SEGMENTATION, REFERENCE_SEGMENT))
            )

    def _reference(self) -> tuple[Any, str] | None:
        parameters = self.getParameterNode()
        nodeID = parameters.GetParameter(REFERENCE_SEGMENTATION)
        if not nodeID:
            return None
        return slicer.mrmlScene.GetNodeByID(nodeID), parameters.GetParameter(REFERENCE_SEGMENT)

    def _onReferenceChosen(self, nodeID: str, segmentID: str) -> None:
        parameters = self.getParameterNode()
        if parameters is None:
            return
        with slicer.util.NodeModify(parameters):
            parameters.SetParameter(REFERENCE_SEGMENTATION, nodeID)
            parameters.SetParameter(REFERENCE_SEGMENT, segmentID)


def registerStatisticsPlugin() -> None:
    """Adds the plugin to Segment Statistics; one of an earlier load of this module makes way."""
    from SegmentStatistics import SegmentStatisticsLogic

    own = HemorrhageSegmentStatisticsPlugin
    registered = SegmentStatisticsLogic.registeredPlugins
    registered[:] = [known for known in registered if known.__name__ != own.__name__]
    SegmentStatisticsLogic.registerPlugin(own())
