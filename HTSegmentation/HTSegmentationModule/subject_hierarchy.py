"""Where results stand in the subject hierarchy."""

from __future__ import annotations

from typing import Any

import slicer


def placeBeside(node: Any, volumeNode: Any) -> None:
    """Puts a node under the patient and study of a volume, unless the user has filed it somewhere else already.

    Args:
        node: The node to place.
        volumeNode: The volume that it was made from.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volumeNode.GetScene())
    if hierarchy is None:
        return
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    if not volumeItem:
        return
    parent = hierarchy.GetItemParent(volumeItem)
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        hierarchy.CreateItem(parent, node)
    elif hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID():
        hierarchy.SetItemParent(item, parent)
