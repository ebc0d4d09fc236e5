"""Prepared scans by volume node, kept until the volume changes or goes."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Any

import slicer
import vtk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.volume_conversion import ijkToRas
from HTSegmentationModule.world import placeKey

_MOST_SCANS = 3
"""A prepared scan of 512 x 512 x 30 voxels takes about 25 MB, one of thin slices ten times that."""

_OVERRULED = "hu-assumed"
"""The remark on values that were taken for HU in spite of their look."""


class ScanCache:
    """The prepared scans of one scene.

    Nodes are known by their IDs only, so that none is kept alive; the scene's observers know the cache weakly and go with
    it. For the main thread.

    Args:
        scene: The scene to watch.

    Example:
        >>> cache = ScanCache(slicer.mrmlScene)   # doctest: +SKIP
        >>> cache.store(volumeNode, prepared)     # doctest: +SKIP
        >>> cache.get(volumeNode) is prepared     # doctest: +SKIP
        True
    """

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self._entries: OrderedDict[str, tuple[tuple, PreparedScan]] = OrderedDict()
        self._taken: dict[int, tuple[tuple, weakref.ref]] = {}
        watcher = weakref.ref(self)

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def onNodeRemoved(caller, event, node) -> None:
            cache = watcher()
            if cache is not None and node is not None:
                cache.forget(node)

        def onSceneClosed(caller, event) -> None:
            cache = watcher()
            if cache is not None:
                cache.clear()

        tags = [
            scene.AddObserver(slicer.vtkMRMLScene.NodeRemovedEvent, onNodeRemoved),
            scene.AddObserver(slicer.vtkMRMLScene.StartCloseEvent, onSceneClosed),
            scene.AddObserver(slicer.vtkMRMLScene.EndCloseEvent, onSceneClosed),
        ]
        self._release = weakref.finalize(self, _removeObservers, scene, tags)

    def get(self, volumeNode: Any, assumeHU: bool = True) -> PreparedScan | None:
        """The preparation of the volume as it is now.

        Args:
            volumeNode: The volume.
            assumeHU: False: not one of values that were taken for HU in spite of their look.
        """
        entry = self._entries.get(volumeNode.GetID() or "")
        if entry is None:
            return None
        key, prepared = entry
        if key != volumeKey(volumeNode):
            self.forget(volumeNode)
            return None
        if not assumeHU and any(remark.code == _OVERRULED for remark in prepared.scan.remarks):
            return None
        self._entries.move_to_end(volumeNode.GetID())
        return prepared

    def store(self, volumeNode: Any, prepared: PreparedScan) -> None:
        """Keeps a preparation; the one that was not used for longest goes when there are too many.

        Raises:
            UsageError: The volume was removed or changed since :meth:`taken` was told of its scan.
        """
        if volumeNode is None or volumeNode.GetScene() is not self.scene:
            raise UsageError(_("the CT was removed from the scene while it was prepared; load it again"))
        key = volumeKey(volumeNode)
        known = self._taken.pop(id(prepared.scan), None)
        if known is not None and known[1]() is prepared.scan and known[0] != key:
            raise UsageError(_("the CT was changed while it was prepared; start again"))
        self._entries[volumeNode.GetID()] = (key, prepared)
        self._entries.move_to_end(volumeNode.GetID())
        while len(self._entries) > _MOST_SCANS:
            self._entries.popitem(last=False)

    def taken(self, volumeNode: Any, scan: CTScan) -> None:
        """Remembers as what the volume was when the scan was taken from it."""
        self._taken = {number: entry for number, entry in self._taken.items() if entry[1]() is not None}
        self._taken[id(scan)] = (volumeKey(volumeNode), weakref.ref(scan))

    def forget(self, volumeNode: Any) -> None:
        """Frees what is kept of a volume."""
        self._entries.pop(volumeNode.GetID() or "", None)

    def clear(self) -> None:
        """Frees everything."""
        self._entries.clear()
        self._taken.clear()

    def close(self) -> None:
        """Frees everything and stops watching the scene."""
        self.clear()
        self._release()

    def __len__(self) -> int:
        return len(self._entries)


def volumeKey(volumeNode: Any) -> tuple:
    """Something that differs as soon as the volume's voxels or its place in the world do."""
    image = volumeNode.GetImageData()
    place = placeKey(volumeNode), tuple(ijkToRas(volumeNode).ravel().tolist())
    return (0 if image is None else image.GetMTime(), *place)


def _removeObservers(scene: Any, tags: list[int]) -> None:
    for tag in tags:
        scene.RemoveObserver(tag)
