"""All the state of the module, saved and restored with the scene."""

from slicer import vtkMRMLMarkupsNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import parameterNodeWrapper

from HTSegmentationModule.parameters import rulesOf, segmenterOf, setRules, toLibrary

__all__ = ["HTSegmentationParameterNode", "rulesOf", "segmenterOf", "setRules", "toLibrary"]


@parameterNodeWrapper
class HTSegmentationParameterNode:
    """What the user chose; several instances can live in one scene.

    Nothing is restricted here, so that every scene can be opened: the library checks all numbers when they are used
    (:func:`HTSegmentationModule.parameters.toLibrary`). The defaults are the paper's, those of the robust threshold the
    fitted ones.

    inputVolume: the CT, in HU.
    roiNodes: ROI boxes and closed curves; their union counts.
    roiSegmentation, roiSegmentID: a segment that counts as ROI, too.
    referenceSegmentation, referenceSegmentID: the segment that results are compared with.
    outputSegmentation: where the segment "Hemorrhage" goes; a new one is made when there is none.
    method: name in the library's registry.
    assumeHU: whether the volume's values are taken for HU whatever they look like.
    previewEnabled: whether the result is shown while the user changes something.
    smoothingInPlane, smoothingThroughPlane, sharpening: sigma in mm; sharpeningAmount has no unit.
    closingDiameter: voxels.
    firstLower, firstUpper, manualLower, manualUpper, globalLower, globalUpper: HU, both bounds included.
    manualThreshold: whether manualLower and manualUpper override the rule table.
    sdImage: "original" or "enhanced".
    rules: the rule table in JSON, empty for the published one; see ``rulesOf`` and ``setRules``.
    robustLeastContrast, robustMostContrast: HU above the tissue around, the limits of the lower bound.
    robustShare: the lower bound as a share of the bleed's contrast, no unit; robustDensest: the upper bound, HU.
    robustSmoothing, robustBackground: sigma in mm; robustPartGap: mm between parts of one bleed.
    device: where networks run, as ``htseg --device`` has it.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    roiNodes: list[vtkMRMLMarkupsNode]
    roiSegmentation: vtkMRMLSegmentationNode
    roiSegmentID: str
    referenceSegmentation: vtkMRMLSegmentationNode
    referenceSegmentID: str
    outputSegmentation: vtkMRMLSegmentationNode
    method: str = "adaptive"
    assumeHU: bool = False
    previewEnabled: bool = True
    smoothingInPlane: float = 1.0
    smoothingThroughPlane: float = 1.0
    sharpening: float = 1.0
    sharpeningAmount: float = 0.5
    closingDiameter: int = 4
    firstLower: float = 50.0
    firstUpper: float = 80.0
    sdImage: str = "original"
    rules: str = ""
    manualThreshold: bool = False
    manualLower: float = 50.0
    manualUpper: float = 80.0
    globalLower: float = 50.0
    globalUpper: float = 80.0
    robustLeastContrast: float = 9.0
    robustMostContrast: float = 17.0
    robustShare: float = 0.36
    robustDensest: float = 100.0
    robustSmoothing: float = 0.9
    robustBackground: float = 5.0
    robustPartGap: float = 10.0
    device: str = "auto"
