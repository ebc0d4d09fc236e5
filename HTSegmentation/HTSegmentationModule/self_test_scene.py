"""What the self-tests need in the scene: a small head with a ball of blood of known place and volume, made on the spot."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from HTSegmentationModule.translation import tr as _

CENTER_RAS = (-25.0, -10.0, 5.0)
"""The middle of the ball of blood, in mm."""

RADIUS_MM = 12.0
BLOOD_HU = 62.0
_BRAIN_HU = 32.0

SPACING_MM = (1.3, 1.2, 5.0)
_SIZE = (140, 160, 16)


def headArray() -> tuple[np.ndarray, np.ndarray]:
    """HU and blood of the head, shape (z, y, x), in LPS order: scalp 45, bone 1000, brain 32 HU, noise of 3 HU."""
    x, y, z = (np.arange(n) * s - (n - 1) * s / 2 for n, s in zip(_SIZE, SPACING_MM, strict=True))
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    radius = np.sqrt((xx / 72) ** 2 + (yy / 84) ** 2 + (zz / 62) ** 2)
    array = np.full(xx.shape, -1000.0)
    for border, hu in ((1.08, 45.0), (1.02, 1000.0), (0.93, _BRAIN_HU)):
        array[radius < border] = hu
    center = -CENTER_RAS[0], -CENTER_RAS[1], CENTER_RAS[2]
    blood = sum((grid - middle) ** 2 for grid, middle in zip((xx, yy, zz), center, strict=True)) < RADIUS_MM**2
    array[blood] = BLOOD_HU
    array += np.random.default_rng(0).normal(0, 3.0, array.shape)
    return np.rint(array).astype(np.int16), blood


def addHead(*, bleeding: bool = True) -> Any:
    """The head as a volume node, with the ball of blood or without."""
    array, blood = headArray()
    if not bleeding:
        array[blood] -= round(BLOOD_HU - _BRAIN_HU)
    return _volume(array, _("Test head"))


def addReference(volumeNode: Any) -> tuple[Any, str]:
    """The ball of blood as a segment of a segmentation of its own.

    Returns:
        The segmentation node and the segment's ID.
    """
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _("Test reference"))
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    segmentID = node.GetSegmentation().AddEmptySegment("", _("Expert"))
    slicer.util.updateSegmentBinaryLabelmapFromArray(headArray()[1].astype(np.uint8), node, segmentID, volumeNode)
    return node, segmentID


def addMr() -> Any:
    """A volume of noise from 0 to 900, as no CT has it."""
    return _volume((np.random.default_rng(0).random(_SIZE[::-1]) * 900).astype(np.int16), _("Test MR"))


def addBox(center: tuple[float, float, float] = CENTER_RAS, size: tuple[float, float, float] = (40.0, 40.0, 34.0)) -> Any:
    """An ROI box, RAS mm."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", _("Test box"))
    node.SetSize(*size)
    node.SetCenter(*center)
    return node


def addCurve(superior: float, radius: float = 20.0) -> Any:
    """A closed curve around the blood on the slice at this height, RAS mm."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", _("Test curve"))
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        right, anterior = CENTER_RAS[0] + radius * np.cos(angle), CENTER_RAS[1] + radius * np.sin(angle)
        node.AddControlPointWorld(float(right), float(anterior), superior)
    return node


def _volume(array: np.ndarray, name: str) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    # From the array's LPS to Slicer's RAS: the first two axes run the other way.
    x, y, z = (length * (count - 1) / 2 for length, count in zip(SPACING_MM, _SIZE, strict=True))
    node.SetSpacing(*SPACING_MM)
    node.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    node.SetOrigin(x, y, -z)
    slicer.util.updateVolumeFromArray(node, array)
    node.CreateDefaultDisplayNodes()
    return node
