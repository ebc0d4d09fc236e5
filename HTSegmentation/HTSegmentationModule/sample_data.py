"""A simulated case in the module Sample Data: made on this computer, nothing is downloaded."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer

from HTSegmentationModule.translation import tr as _

if TYPE_CHECKING:
    from HTSegmentationLib.simulate.case import SimulatedCase
    from HTSegmentationLib.simulate.parameters import SimulationParameters

CATEGORY = "HTSegmentation"
"""The heading in the module Sample Data."""

SAMPLE_NAME = "SimulatedHemorrhage"
"""The sample's name for programs, and of its thumbnail."""

_SEED = 8
"""The seed of the simulated patient; another one would be another patient."""


@dataclass(frozen=True)
class SampleNodes:
    """The nodes of the simulated case.

    Args:
        volume: The CT.
        roiSegmentation: The segmentation with the region of interest, drawn as by hand.
        roiSegmentID: Its segment.
        reference: The segmentation with the exact hemorrhage.
        referenceSegmentID: Its segment.
        trueVolumeMl: The hemorrhage's volume in mL, as it was simulated.
    """

    volume: Any
    roiSegmentation: Any
    roiSegmentID: str
    reference: Any
    referenceSegmentID: str
    trueVolumeMl: float


def registerSampleData() -> None:
    """Offers the case in Sample Data; once, however often the module is reloaded."""
    try:
        from SampleData import SampleDataLogic
    except ImportError:
        logging.info("HTSegmentation: the module Sample Data is not there, so the simulated case is not offered")
        return
    unregisterSampleData()
    # Nothing is downloaded, so there are no addresses and no files.
    SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=_("Simulated hemorrhage (PH)"),
        uris=[],
        fileNames=[],
        nodeNames=[],
        thumbnailFileName=str(_thumbnail()),
        customDownloader=onSampleChosen,
    )


def unregisterSampleData() -> None:
    """Takes the case out of Sample Data."""
    sources = getattr(slicer.modules, "sampleDataSources", {})
    if CATEGORY in sources:
        own = str(_thumbnail())
        sources[CATEGORY] = [source for source in sources[CATEGORY] if source.thumbnailFileName != own]


def loadSimulatedCase() -> SampleNodes:
    """Simulates the case, which takes some seconds, and adds it to the scene.

    Example:
        >>> nodes = loadSimulatedCase()   # doctest: +SKIP
        >>> nodes.volume.GetName()        # doctest: +SKIP
        'Simulated CT'
    """
    from HTSegmentationLib.simulate.head import simulate_head

    return addToScene(simulate_head(sampleParameters()))


def sampleParameters() -> SimulationParameters:
    """What is simulated: a parenchymal hematoma of the published mean volume, in slices of 5 mm."""
    from HTSegmentationLib.simulate.parameters import SimulationParameters

    return SimulationParameters(seed=_SEED)


def addToScene(case: SimulatedCase) -> SampleNodes:
    """Makes nodes of a simulated case.

    Args:
        case: A case with a hemorrhage.
    """
    from HTSegmentationLib.segmenter import HEMORRHAGE
    from HTSegmentationModule.nodes_from_images import (
        REFERENCE_COLOR,
        ROI_COLOR,
        segmentationOfVolume,
        segmentFromMask,
        volumeFromImage,
    )

    volume = volumeFromImage(case.scan.image, slicer.mrmlScene.GenerateUniqueName(_("Simulated CT")))
    reference = segmentationOfVolume(volume, _("{name} reference").format(name=volume.GetName()))
    referenceID = segmentFromMask(reference, case.hemorrhage, _("Reference"), REFERENCE_COLOR, HEMORRHAGE)
    reference.GetDisplayNode().SetVisibility2DFill(False)
    roi = segmentationOfVolume(volume, _("{name} ROI").format(name=volume.GetName()))
    roiID = segmentFromMask(roi, case.roi.on_grid(case.scan.image), _("ROI"), ROI_COLOR)
    roi.GetDisplayNode().SetVisibility2DFill(False)
    return SampleNodes(volume, roi, roiID, reference, referenceID, case.true_volume_ml)


def onSampleChosen(_source: Any = None) -> None:
    """Somebody clicked the sample: simulates in the background and shows the case.

    Args:
        _source: What Sample Data calls it with; there is only one.
    """
    if slicer.util.mainWindow() is None:
        _show(loadSimulatedCase())
        return
    from HTSegmentationModule.sample_progress import SampleProgress

    SampleProgress(sampleParameters(), lambda case: _show(addToScene(case))).start()


def _show(nodes: SampleNodes) -> None:
    """Puts the middle of the bleed into all slice views."""
    if slicer.app.layoutManager() is None:
        return
    slicer.util.setSliceViewerLayers(background=nodes.volume, fit=True)
    center = nodes.reference.GetSegmentCenterRAS(nodes.referenceSegmentID)
    if center is not None:
        slicer.modules.markups.logic().JumpSlicesToLocation(*center, True)


def _thumbnail() -> Path:
    return Path(__file__).resolve().parent.parent / "Resources" / "Icons" / f"{SAMPLE_NAME}.png"
