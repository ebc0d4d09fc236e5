"""What the header of a volume may claim before memory is set aside for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from HTSegmentationLib.errors import InputError

MOST_VOXELS = 2**30
"""Ten times the largest head CT: 1024 x 1024 x 1000. A header that claims more is wrong or hostile."""

_SPACING_MM = (0.05, 50.0)
"""Voxel edges of head CT lie far within this; below, the unit may be metres or centimetres instead of mm."""

_LARGEST_FIELD_MM = 2500.0
"""Longer than any patient."""

_BEST_COMPRESSION = 1100
"""No deflated data grow by more than 1032 when they are unpacked; a header that needs more cannot be true."""


_LEAST_VOLUME = 1e-3
"""Axes span space if the cube of their unit vectors has at least this volume; three right angles have 1."""


def require_axes(path: Path, matrix: np.ndarray) -> None:
    """Checks that a grid's axes are three directions in space.

    Args:
        path: The file.
        matrix: 4x4, from index (x, y, z, 1) to LPS point in mm.

    Raises:
        InputError: They are not, or numbers are missing.
    """
    edges = matrix[:3, :3]
    lengths = np.linalg.norm(edges, axis=0)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(edges)) < _LEAST_VOLUME * np.prod(lengths) or not lengths.all():
        raise InputError(path, "its axes are not three directions in space", "export it again")


def require_plausible(path: Path, size: Sequence[int], spacing: Sequence[float] | np.ndarray, voxel_bytes: int) -> None:
    """Checks a header's claims.

    Args:
        path: The file.
        size: Voxels along x, y, z.
        spacing: Voxel edges in mm along x, y, z.
        voxel_bytes: Bytes of one voxel.

    Raises:
        InputError: The claims cannot be true of this file, or of a head CT.
    """
    voxels = float(np.prod([float(n) for n in size]))
    shown = " x ".join(str(n) for n in size)
    if min(size) <= 1:
        raise InputError(path, f"it is no volume: its size is {shown}", "give the whole scan")
    if voxels > MOST_VOXELS:
        raise InputError(path, f"its header claims {shown} voxels, at most {MOST_VOXELS} are read", "export it again")
    if voxels * voxel_bytes > path.stat().st_size * _BEST_COMPRESSION:
        problem = f"its header claims {shown} voxels, which its {path.stat().st_size} bytes cannot hold"
        raise InputError(path, problem, "copy or export it again")
    for mm in spacing:
        if not np.isfinite(mm) or not _SPACING_MM[0] <= mm <= _SPACING_MM[1]:
            listed = " x ".join(f"{value:g}" for value in spacing)
            problem = f"its voxel size {listed} mm is not between {_SPACING_MM[0]:g} and {_SPACING_MM[1]:g} mm"
            raise InputError(path, problem, "export it again with its spacing in mm")
    longest = max(n * mm for n, mm in zip(size, spacing, strict=True))
    if longest > _LARGEST_FIELD_MM:
        raise InputError(path, f"it would be {longest / 1000:.1f} m long", "export it again with its spacing in mm")
