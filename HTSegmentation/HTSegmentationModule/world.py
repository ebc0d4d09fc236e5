"""Where nodes lie in the world: MRML's matrices and transforms in the library's coordinates.

MRML's world is RAS, the library's is LPS; both in mm. This is the only file of the module that turns one into the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From RAS to LPS and back."""


def asArray(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    """A VTK matrix as an array (4, 4)."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def asVtk(matrix: np.ndarray) -> vtk.vtkMatrix4x4:
    """An array (4, 4) as a VTK matrix."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=float).ravel().tolist())
    return result


def linearToWorld(node: Any) -> np.ndarray | None:
    """The matrix (4, 4), RAS to RAS, from a node's own coordinates to the world; None if the way is not linear."""
    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        return None
    matrix = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(matrix)
    return asArray(matrix)


def transformToWorld(node: Any) -> vtk.vtkGeneralTransform:
    """The transform of any kind from a node's own coordinates to the world, RAS to RAS."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, transform)
    return transform


def pointsToWorld(node: Any, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) in a node's own RAS coordinates as LPS points of the world, mm."""
    transform = transformToWorld(node)
    moved = np.array([transform.TransformPoint(*point) for point in np.asarray(points, dtype=float)])
    return moved * np.diag(RAS_TO_LPS)[:3]


def placeKey(node: Any) -> tuple:
    """Something that differs as soon as a node lies elsewhere in the world, and cheap to compare."""
    parent = node.GetParentTransformNode()
    matrix = linearToWorld(node)
    if matrix is not None:
        return tuple(np.round(matrix, 9).ravel().tolist())
    return (parent.GetID(), parent.GetTransformToWorldMTime())
