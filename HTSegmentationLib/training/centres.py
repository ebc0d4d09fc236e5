"""Draws the voxels around which the patches of a case are taken."""

from __future__ import annotations

import zlib

import numpy as np

from HTSegmentationLib.training.cached_case import CachedCase
from HTSegmentationLib.training.sampling import Sampling

_TRIES = 100
"""Draws for a background voxel; a box in which a hundred draws find none has none."""


def generator_for(seed: int, *place: int | str) -> np.random.Generator:
    """Random numbers of their own for each place: what is drawn elsewhere, and in which order, changes nothing.

    Example:
        >>> generator_for(0, "patches", "ph-01").random() == generator_for(0, "patches", "ph-01").random()
        True
    """
    numbers = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in place]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *numbers])))


def draw_centres(case: CachedCase, sampling: Sampling, count: int, random: np.random.Generator) -> np.ndarray:
    """Draws centres with replacement, as many from each place as the shares say.

    Shares that come to no whole number are rounded up or down at random, so that they hold over many draws even where a case
    gives one patch in an epoch. Lesion voxels are drawn from each class alike. A place without a voxel leaves its share to
    the region.

    Args:
        case: The case.
        sampling: The shares.
        count: How many.
        random: Decides.

    Returns:
        int32 (count, 3): indices (z, y, x), the lesion's first.

    Example:
        >>> draw_centres(case, SAMPLINGS["border"], 3000, np.random.default_rng(0)).shape   # doctest: +SKIP
        (3000, 3)
    """
    lesions = case.lesion_places
    wanted = _rounded(sampling.lesion_share * count, random) if lesions else 0
    drawn = []
    if wanted:
        classes = random.integers(len(lesions), size=wanted)
        drawn = [_from(case.candidates(name), int((classes == n).sum()), random) for n, name in enumerate(lesions)]
    left = background = count - wanted
    for place in ("border", "centre", "hyperintense"):
        held = case.candidates(place)
        taken = min(_rounded(getattr(sampling, f"{place}_share") * background, random), left) if held.size else 0
        drawn.append(_from(held, taken, random))
        left -= taken
    drawn.append(_from_region(case, sampling, left, random))
    flat = np.concatenate(drawn)
    return np.stack(np.unravel_index(flat, case.shape), axis=1).astype(np.int32)


def _rounded(share: float, random: np.random.Generator) -> int:
    return int(share + random.random())


def _from(held: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """So many of the candidates."""
    if not count:
        return np.zeros(0, np.int64)
    return np.asarray(held[random.integers(held.size, size=count)], dtype=np.int64)


def _from_region(case: CachedCase, sampling: Sampling, count: int, random: np.random.Generator) -> np.ndarray:
    """Background of the region; without a share for the lesion, of all of the region."""
    brain = case.candidates("brain")
    if sampling.within == "brain" and brain.size:
        if sampling.lesion_share > 0:
            return _from(brain, count, random)
        everything = np.concatenate([brain, *(case.candidates(name) for name in case.lesion_places)])
        return _from(everything, count, random)
    voxels = int(np.prod(case.shape))
    found = random.integers(voxels, size=count)
    if sampling.lesion_share > 0 and case.has_lesion:
        target = case.target.reshape(-1)
        for _ in range(_TRIES):
            wrong = np.flatnonzero(target[found])
            if not wrong.size:
                break
            found[wrong] = random.integers(voxels, size=wrong.size)
    return found
