"""Reading NRRD and MetaImage through ITK, after what ITK does not check."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import index_to_point_matrix
from HTSegmentationLib.ct.quiet import quiet_itk
from HTSegmentationLib.ct.volume import Volume
from HTSegmentationLib.ct.volume_limits import require_axes, require_plausible
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark, Severity

_READERS = {"NRRD": "NrrdImageIO", "MetaImage": "MetaImageIO"}
"""ITK's reader by format: named, so that a file's content cannot choose another."""

_HEADER_BYTES = 1 << 20
"""Headers are text of a few kilobytes; where one does not end within a megabyte, it is hiding something."""

_DATA_KEYS = re.compile(rb"^\s*(?:data ?file|ElementDataFile)\s*[:=]\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
"""The line of a NRRD or MetaImage header that names the file of the values."""

_NEEDED = {
    "NRRD": (b"type", b"dimension", b"sizes", b"encoding"),
    "MetaImage": (b"NDims", b"DimSize", b"ElementType", b"ElementDataFile"),
}
"""What a header must have; ITK would say so on the terminal, past the caller."""

_PLACED = {
    "NRRD": re.compile(rb"^space:\s*[\"']?(left|right|LPS|LAS|RAS)", re.MULTILINE | re.IGNORECASE),
    "MetaImage": re.compile(rb"^(TransformMatrix|Rotation|Orientation)\s*=", re.MULTILINE),
}
"""The line without which a header does not say how the axes lie in the patient."""

_SPACE = 3
"""Axes of space."""


def read_itk(path: Path, kind: str) -> Volume:
    """Reads a file of format ``"NRRD"`` or ``"MetaImage"``, with its values in it or beside it.

    Raises:
        InputError: It cannot be read, names a file outside its folder, or holds no plausible volume of one number a voxel.
    """
    header = _header(path, kind)
    for name in _data_files(header):
        _require_beside(path, name)
    with quiet_itk():
        reader = sitk.ImageFileReader()
        reader.SetImageIO(_READERS[kind])
        reader.SetFileName(str(path))
        try:
            reader.ReadImageInformation()
        except RuntimeError as error:
            raise InputError(path, f"it cannot be read as {kind}: {_reason(error)}", "export it again") from error
        remarks = _require_volume(reader, path)
        if not _PLACED[kind].search(header):
            text = "The file does not say how its axes lie in the patient; an LPS grid was assumed: check the sides."
            remarks.append(Remark("orientation-unknown", text, Severity.WARNING))
        try:
            image = reader.Execute()
        except RuntimeError as error:
            problem = f"its values cannot be read, they are cut short, damaged or missing: {_reason(error)}"
            raise InputError(path, problem, "copy it again, with the file of its values") from error
    if image.GetDimension() > _SPACE:
        image = sitk.Extract(image, [*image.GetSize()[:_SPACE]] + [0] * (image.GetDimension() - _SPACE))
    matrix = index_to_point_matrix(image)
    require_axes(path, matrix)
    return Volume(sitk.GetArrayFromImage(image), matrix, tuple(remarks))


def _header(path: Path, kind: str) -> bytes:
    """The text that the file begins with, to where its values begin."""
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    end = re.search(rb"\n\r?\n" if kind == "NRRD" else rb"^\s*ElementDataFile\s*[:=]\s*LOCAL", start, re.MULTILINE)
    if end is None and len(start) == _HEADER_BYTES:
        raise InputError(path, f"it cannot be read as {kind}: its header does not end", "export it again")
    header = start[: end.start()] if end else start
    missing = next((key for key in _NEEDED[kind] if not re.search(rb"^\s*" + key + rb"\b", start, re.MULTILINE)), None)
    if missing is not None:
        problem = f"it cannot be read as {kind}: its header has no {missing.decode()}"
        raise InputError(path, problem, "export it again, or give the file its true name")
    return header


def _data_files(header: bytes) -> list[str]:
    """The names of the files that hold the values, if they are not in the file itself."""
    names = []
    for match in _DATA_KEYS.finditer(header):
        value = match.group(1).decode("utf-8", errors="replace").strip()
        if value.upper().startswith("LIST"):
            rest = header[match.end() :].decode("utf-8", errors="replace").splitlines()
            names += [line.strip() for line in rest if line.strip()]
        elif value:
            names += [value.split()[0], value]
    return names


def _require_beside(path: Path, name: str) -> None:
    """A header from elsewhere must not make this program open any file of the user's."""
    parts = PureWindowsPath(name).parts
    if name.startswith(("/", "\\", "~")) or PureWindowsPath(name).drive or ".." in parts:
        problem = "it names a file of values outside its own folder"
        raise InputError(path, problem, "put both files into one folder, and only the file's name into the header")


def _require_volume(reader: sitk.ImageFileReader, path: Path) -> list[Remark]:
    size, remarks = reader.GetSize(), []
    if reader.GetNumberOfComponents() != 1:
        problem = f"it has {reader.GetNumberOfComponents()} numbers for each voxel (colour or vector), one is expected"
        raise InputError(path, problem, "give the CT itself, not a picture of it")
    if len(size) < _SPACE:
        raise InputError(path, f"it is no volume: its size is {' x '.join(map(str, size))}", "give the whole scan")
    volumes = int(np.prod([float(n) for n in size[_SPACE:]]))
    if volumes > 1:
        raise InputError(path, f"it holds {volumes} volumes (4D), one is expected", "give a file of a single volume")
    if len(size) > _SPACE:
        remarks.append(
            Remark("single-volume-of-series", f"The file has {len(size)} dimensions, of which one volume is filled.")
        )
    voxel_bytes = np.dtype(_bytes_name(reader.GetPixelIDValue())).itemsize
    files = sorted(path.parent.iterdir()) if path.suffix.lower() in {".nhdr", ".mhd"} else [path]
    largest = max((file for file in files if file.is_file()), key=lambda file: file.stat().st_size)
    try:
        require_plausible(largest, size[:_SPACE], reader.GetSpacing()[:_SPACE], voxel_bytes)
    except InputError as error:
        raise InputError(path, error.problem, error.advice) from error
    return remarks


def _bytes_name(pixel_id: int) -> str:
    return {sitk.sitkUInt8: "u1", sitk.sitkInt8: "i1", sitk.sitkUInt16: "u2", sitk.sitkInt16: "i2"}.get(pixel_id, "f4")


def _reason(error: RuntimeError) -> str:
    """The last thing that ITK says, without where in its sources it says it."""
    text = str(error).split("ITK ERROR:")[-1]
    lines = [line.strip() for line in re.sub(r"\w+\(0x[0-9a-f]+\):", "", text).splitlines() if line.strip()]
    return re.sub(r"\[nrrd\]\s*\w*:?\s*", "", lines[-1])[:200] if lines else "unknown format"
