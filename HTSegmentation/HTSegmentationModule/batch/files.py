"""Slicer's own readers and writers, as the batch needs them; nothing but these needs a running Slicer."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import SimpleITK as sitk
import slicer

from HTSegmentationLib.errors import InputError, OutputError
from HTSegmentationLib.files import require_writable


class SlicerFiles:
    """Reads nodes from files and writes them; files are written whole or not at all.

    Example:
        >>> node = SlicerFiles().volume("head.nrrd", "case-1")   # doctest: +SKIP
    """

    def volume(self, path: str, name: str) -> Any:
        """A volume file as a volume node.

        Raises:
            InputError: It is not there, or Slicer cannot read it as a scalar volume.
        """
        requireHeader(path)
        node = self._read(path, "VolumeFile", {"name": name, "singleFile": True, "show": False})[0]
        if not node.IsA("vtkMRMLScalarVolumeNode") or node.IsA("vtkMRMLVectorVolumeNode"):
            raise InputError(path, "it is no volume with one number a voxel", "give a CT in HU")
        return node

    def markups(self, path: str) -> list[Any]:
        """All markups nodes of a file.

        Raises:
            InputError: It is not there, or is no markups file.
        """
        return self._read(path, "MarkupsFile", {})

    def saveSegmentation(self, node: Any, path: Path) -> None:
        """Writes a segmentation in Slicer's own format.

        Raises:
            OutputError: It cannot be written.
        """
        with whole(path) as temporary:
            self._wrote(slicer.util.saveNode(node, str(temporary), {}), path)
        node.GetStorageNode().SetFileName(str(path))

    def saveScene(self, path: Path) -> None:
        """Writes the scene with all its data as .mrb.

        Raises:
            OutputError: It cannot be written.
        """
        with whole(path) as temporary:
            self._wrote(slicer.util.saveScene(str(temporary), {}), path)

    def _read(self, path: str, kind: str, properties: dict[str, Any]) -> list[Any]:
        requireFile(path)
        # The dictionary is Slicer's from here on: it writes into it.
        try:
            nodes = [node for node in slicer.util.loadNodesFromFile(path, kind, properties) if node is not None]
        except RuntimeError as error:
            raise InputError(path, "3D Slicer cannot read it", "check that it is whole and of the right kind") from error
        if not nodes:
            raise InputError(path, "3D Slicer finds nothing in it", "check that it is whole and of the right kind")
        return nodes

    @staticmethod
    def _wrote(success: bool, path: Path) -> None:
        if not success:
            raise OutputError(path, "3D Slicer could not write it", "free space or choose another place")


def requireFile(path: str) -> None:
    """Checks that a file is there.

    Raises:
        InputError: It is not, or is a folder.
    """
    if not Path(path).is_file():
        problem = "it is a folder" if Path(path).is_dir() else "there is no such file"
        raise InputError(path, problem, "check its name")


def requireHeader(path: str) -> None:
    """Looks at an image's header before Slicer does, which tries all its readers and writes a page on each failure.

    Raises:
        InputError: It cannot be read.
    """
    requireFile(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(path, "its header cannot be read, it is damaged or no image", "export it anew") from error


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives a name in a folder of its own beside ``path``; the file becomes ``path`` when the block ends without an error.

    The file's name is that of ``path``, since Slicer writes it into scenes.

    Raises:
        OutputError: The folder cannot be written to, or no file was made.
    """
    require_writable(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".htseg-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            os.replace(temporary, path)
    except OSError as error:
        raise OutputError(path, (error.strerror or str(error)).lower(), "free space or choose another place") from error
