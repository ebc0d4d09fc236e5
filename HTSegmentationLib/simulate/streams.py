"""Sources of randomness, one for each part of a case."""

from __future__ import annotations

import numpy as np

_STREAMS = (
    "pose", "skull", "bend", "brain", "dense", "face", "texture", "lesion", "infarct", "blood", "noise", "hand",
    "edema", "ventricle", "calcification", "staining", "streaks", "motion",
)  # fmt: skip
"""Independent random streams; only ever add to the end, or all seeds give other heads."""


def random_streams(seed: int) -> dict[str, np.random.Generator]:
    """A source of randomness for each part, so that what changes one part leaves the others as they were.

    Args:
        seed: The case's seed.

    Example:
        >>> random_streams(1)["skull"].random() == random_streams(1)["skull"].random()
        True
    """
    children = np.random.SeedSequence(int(seed)).spawn(len(_STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}
