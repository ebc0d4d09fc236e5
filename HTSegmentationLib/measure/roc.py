"""The area under the ROC curve, from ranks."""

from __future__ import annotations

import numpy as np


def area_under_curve(positives: np.ndarray, values: np.ndarray) -> float | None:
    """How probably a voxel of the reference has a higher value than one outside it; equal values count half.

    That is the area under the ROC curve: Hanley and McNeil, Radiology 1982;143:29-36. It is Mann and Whitney's U over the
    number of pairs, and no threshold has to be chosen.

    Args:
        positives: The values (as probabilities) of the reference's voxels, finite.
        values: The values of all voxels, those of the reference among them, finite.

    Returns:
        0 to 1; None if there is no voxel of the reference, or no other.

    Example:
        >>> area_under_curve(np.array([0.9, 0.4]), np.array([0.9, 0.4, 0.4, 0.1]))
        0.875
    """
    count, others = positives.size, values.size - positives.size
    if count == 0 or others == 0:
        return None
    # Most of a head is less probable than any voxel of the reference: it is counted, only the rest is sorted.
    lowest = positives.min()
    above = np.sort(values[values > lowest])
    at_lowest = np.count_nonzero(values == lowest)
    below = values.size - above.size - at_lowest
    higher = np.sort(positives[positives > lowest])
    # Twice the number of values below each positive one, ties counted once: whole numbers stay exact.
    won = 2 * below * count + at_lowest * (count + higher.size)
    for side in ("left", "right"):
        won += int(np.searchsorted(above, higher, side=side).sum())
    # Among themselves, the positive ones win half of count x count.
    return float((won - count * count) / (2 * count * others))
