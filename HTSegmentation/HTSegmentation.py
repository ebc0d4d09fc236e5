"""HTSegmentation: hemorrhagic transformation on non-contrast head CT, segmented and measured in 3D Slicer."""

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

from HTSegmentationModule.logic import HTSegmentationLogic
from HTSegmentationModule.parameter_node import HTSegmentationParameterNode
from HTSegmentationModule.self_test import HTSegmentationTest
from HTSegmentationModule.widget import HTSegmentationWidget

__all__ = [
    "HTSegmentation",
    "HTSegmentationLogic",
    "HTSegmentationParameterNode",
    "HTSegmentationTest",
    "HTSegmentationWidget",
]


class HTSegmentation(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Hemorrhagic Transformation Segmentation")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "SegmentStatistics", "Markups", "SubjectHierarchy", "Terminologies"]
        parent.contributors = ["HTSegmentation contributors"]
        parent.helpText = _(
            "Segments hemorrhagic transformation after stroke on non-contrast head CT and measures its volume. Choose the "
            "CT, draw a region of interest around the bleed, and press Apply. Not for clinical use."
        )
        parent.acknowledgementText = _("The method is published; the extension's documentation names the papers.")
        slicer.app.connect("startupCompleted()", onStartupCompleted)


def onStartupCompleted() -> None:
    """Adds what other modules show of this one: the statistics plugin and the sample data."""
    from HTSegmentationModule.sample_data import registerSampleData
    from HTSegmentationModule.statistics_plugin import registerStatisticsPlugin

    registerStatisticsPlugin()
    registerSampleData()
