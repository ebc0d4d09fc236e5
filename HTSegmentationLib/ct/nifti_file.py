"""Reading NIfTI-1 and NIfTI-2.

Written here instead of left to ITK, which refuses sheared grids and NIfTI-2, and fills what a cut-off file lacks with
zeros. Layout: https://nifti.nimh.nih.gov (nifti1.h, nifti2.h).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from HTSegmentationLib.ct.volume import Volume
from HTSegmentationLib.ct.volume_limits import require_axes, require_plausible
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark, Severity

_FIELDS = {
    348: {
        "size": (0, "i"),
        "magic": (344, "4s"),
        "dim": (40, "8h"),
        "datatype": (70, "h"),
        "pixdim": (76, "8f"),
        "offset": (108, "f"),
        "slope": (112, "2f"),
        "units": (123, "B"),
        "codes": (252, "2h"),
        "quatern": (256, "6f"),
        "srow": (280, "12f"),
    },
    540: {
        "size": (0, "i"),
        "magic": (4, "4s"),
        "dim": (16, "8q"),
        "datatype": (12, "h"),
        "pixdim": (104, "8d"),
        "offset": (168, "q"),
        "slope": (176, "2d"),
        "units": (500, "i"),
        "codes": (344, "2i"),
        "quatern": (352, "6d"),
        "srow": (400, "12d"),
    },
}
"""Offset and struct format of the header fields that are read, by the header's own size (NIfTI-1: 348, NIfTI-2: 540)."""

_MAGIC = {348: b"n+1\0", 540: b"n+2\0"}
"""What a header that its values follow in the same file is marked with."""

_TYPES = {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 1024: "i8", 1280: "u8", 16: "f4", 64: "f8"}
"""NumPy's name of each NIfTI datatype code that has one number for a voxel."""

_TO_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in each spatial unit of ``xyzt_units``: unknown, metre, millimetre, micron."""

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI's points are RAS, this library's LPS."""

_SPACE, _INT_BYTES = 3, 4
"""Axes of space; bytes of the integer that a header begins with."""

_LATEST_START = 2**26
"""Extensions between header and values are text; 64 MB of them are none."""

_AGREEMENT_VOXELS = 1.0
"""Where the two transforms of a header place a corner further apart than this, they disagree."""


def read_nifti(path: Path) -> Volume:
    """Reads a ``.nii`` or ``.nii.gz`` file.

    The sform places the volume if there is one, else the qform, as is usual in neuroimaging.

    Raises:
        InputError: It is no NIfTI file, is cut short, or holds no plausible volume of one number a voxel.
    """
    try:
        with _opened(path) as file:
            header, order = _header(file, path)
            return _volume(file, path, header, order)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(path, "it is cut short or damaged (gzip)", "copy or download it again") from error


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


_Header = dict[str, tuple]


def _header(file: IO[bytes], path: Path) -> tuple[_Header, str]:
    start = file.read(540)
    for order in "<>":
        size = struct.unpack(f"{order}i", start[:4])[0] if len(start) >= _INT_BYTES else 0
        if size in _FIELDS and len(start) >= size:
            fields = {name: struct.unpack_from(order + kind, start, at) for name, (at, kind) in _FIELDS[size].items()}
            if fields["magic"][0] == _MAGIC[size]:
                return fields, order
    raise InputError(
        path, "it is no NIfTI file, whatever its name says", "give a NIfTI file, or give the file its true name"
    )


def _volume(file: IO[bytes], path: Path, header: _Header, order: str) -> Volume:
    shape = _shape(header, path)
    if header["datatype"][0] not in _TYPES:
        problem = f"its voxels are of NIfTI type {header['datatype'][0]}, which is no single number (colour or complex?)"
        raise InputError(path, problem, "give the CT itself, not a picture of it")
    kind = np.dtype(order + _TYPES[header["datatype"][0]])
    matrix, remarks = _matrix(header, shape)
    require_plausible(path, shape[:3], np.linalg.norm(matrix[:3, :3], axis=0), kind.itemsize)
    require_axes(path, matrix)
    file.seek(_values_start(header, path))
    pixels = np.empty(shape[2::-1], dtype=kind)
    found = _fill(file, pixels)
    if found < pixels.nbytes:
        problem = f"it is cut short: {found} bytes of values, its header says {pixels.nbytes}"
        raise InputError(path, problem, "copy or download it again")
    while file.read(1 << 20):
        continue  # a gzip file's checksum is compared at its end
    if len(shape) > _SPACE:
        remarks.append(
            Remark("single-volume-of-series", f"The file has {len(shape)} dimensions, of which one volume is filled.")
        )
    return Volume(_scaled(pixels, header), matrix, tuple(remarks))


def _values_start(header: _Header, path: Path) -> int:
    """Where the values begin: after the header and the four bytes that tell of extensions, at the earliest."""
    offset = header["offset"][0]
    if not 0 <= offset <= _LATEST_START:
        raise InputError(path, f"its header says that its values begin at byte {offset:g}", "export it again")
    return max(int(offset), header["size"][0] + 4)


def _shape(header: _Header, path: Path) -> list[int]:
    count, *lengths = header["dim"]
    if not 1 <= count <= len(lengths) or min(lengths[:count]) < 1:
        raise InputError(path, f"its header gives impossible dimensions {tuple(lengths)}", "export it again")
    shape = [int(n) for n in lengths[:count]]
    if len(shape) < _SPACE or 1 in shape[:_SPACE]:
        raise InputError(path, f"it is no volume: its size is {' x '.join(map(str, shape))}", "give the whole scan")
    if np.prod(shape[3:], dtype=float) > 1:
        problem = f"it holds {int(np.prod(shape[3:], dtype=float))} volumes (4D), one is expected"
        raise InputError(path, problem, "give a file of a single volume")
    return shape


def _fill(file: IO[bytes], pixels: np.ndarray) -> int:
    view = memoryview(pixels).cast("B")
    found = 0
    while found < len(view):
        count = file.readinto(view[found : found + (1 << 24)])  # type: ignore[attr-defined]
        if not count:
            break
        found += count
    return found


def _scaled(pixels: np.ndarray, header: _Header) -> np.ndarray:
    slope, inter = header["slope"]
    if not np.isfinite(slope) or slope == 0 or not np.isfinite(inter) or (slope, inter) == (1, 0):
        return pixels if pixels.dtype.isnative else pixels.astype(pixels.dtype.newbyteorder("="))
    scaled = pixels.astype(np.float32)
    scaled *= np.float32(slope)
    scaled += np.float32(inter)
    return scaled


def _matrix(header: _Header, shape: list[int]) -> tuple[np.ndarray, list[Remark]]:
    """From index to LPS mm."""
    to_mm = np.diag([_TO_MM.get(header["units"][0] & 7, 1.0)] * 3 + [1.0])
    qform_code, sform_code = header["codes"]
    sform = np.vstack([np.reshape(header["srow"], (3, 4)), [0, 0, 0, 1]]).astype(float)
    qform = _qform(header)
    remarks = []
    if sform_code <= 0 and qform_code <= 0:
        text = "The file does not say how its axes lie in the patient; an RAS grid was assumed: check the sides."
        remarks.append(Remark("orientation-unknown", text, Severity.WARNING))
        return _RAS_TO_LPS @ to_mm @ np.diag([*np.abs(header["pixdim"][1:4]), 1.0]), remarks
    if sform_code > 0 and qform_code > 0:
        last = np.array([*shape[:3], 1.0])
        apart = max(np.abs((sform - qform) @ last).max(), np.abs(sform - qform)[:3, 3].max())
        if apart > _AGREEMENT_VOXELS * np.linalg.norm(sform[:3, :3], axis=0).max():
            mirrored = np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0
            text = f"The file's two transforms (sform, qform) place it up to {apart:.0f} mm apart; the sform was used"
            text += "; one mirrors the head against the other: check the sides." if mirrored else "."
            remarks.append(Remark("transforms-differ", text, Severity.WARNING if mirrored else Severity.CAUTION))
    return _RAS_TO_LPS @ to_mm @ (sform if sform_code > 0 else qform), remarks


def _qform(header: _Header) -> np.ndarray:
    """The matrix of the quaternion, as nifti1.h defines it."""
    b, c, d, *offset = (float(value) for value in header["quatern"])
    a = np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    factor = -1.0 if header["pixdim"][0] < 0 else 1.0
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * (np.array(header["pixdim"][1:4], dtype=float) * [1.0, 1.0, factor])
    matrix[:3, 3] = offset
    return matrix
