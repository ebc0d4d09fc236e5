"""Cohen's kappa: agreement of two raters beyond what chance would give."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.confusion import count_confusion
from HTSegmentationLib.measure.statistics.interval import Interval, normal_quantile
from HTSegmentationLib.measure.statistics.values import Result
from HTSegmentationLib.roi import Roi


@dataclass(frozen=True)
class Kappa(Result):
    """The agreement of two raters on categories.

    Args:
        kappa: -1 to 1; 0 is chance, 1 full agreement. None if nothing was rated, or if both raters named one and the same
            category throughout: then chance agrees fully, too.
        standard_error: Large-sample standard error; None where kappa is.
        interval: kappa +- quantile x standard error, cut at -1 and 1; None where kappa is.
        n: Objects that both rated (cases or voxels).
        missing: Objects that were left out.
    """

    kappa: float | None
    standard_error: float | None
    interval: Interval | None
    n: int
    missing: int = 0


def cohens_kappa(first: Iterable[Hashable | None], second: Iterable[Hashable | None], confidence: float = 0.95) -> Kappa:
    """Cohen's kappa of two raters' categories, unweighted.

    kappa = (p_o - p_e) / (1 - p_e), with p_o the share of objects on which they agree and p_e the one that chance gives:
    Cohen, Educ Psychol Meas 1960;20:37-46. Standard error: Fleiss, Cohen and Everitt, Psychol Bull 1969;72:323-327.

    Args:
        first: One rater's categories (words or numbers), one an object.
        second: The other rater's, of the same objects.
        confidence: Of the interval.

    Raises:
        UsageError: The two differ in length.
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> cohens_kappa(["PH", "PH", "HI", "HI"], ["PH", "HI", "HI", "HI"]).kappa
        0.5
    """
    one, other = list(first), list(second)
    if len(one) != len(other):
        raise UsageError(
            f"two raters must rate the same objects: there are {len(one)} of the first and {len(other)} of the second"
        )
    rated = [pair for pair in zip(one, other, strict=True) if not any(map(_is_missing, pair))]
    numbers: dict[Hashable, int] = {}
    rows = np.array([[numbers.setdefault(rating, len(numbers)) for rating in pair] for pair in rated], dtype=int)
    table = np.zeros((len(numbers), len(numbers)))
    np.add.at(table, tuple(rows.reshape(-1, 2).T), 1)
    return kappa_of_table(table, confidence, len(one) - len(rated))


def masks_kappa(
    mask: sitk.Image,
    reference: sitk.Image,
    *,
    label: int = 1,
    reference_label: int | None = None,
    roi: Roi | None = None,
    brain: sitk.Image | None = None,
    confidence: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two masks, voxel by voxel, as the paper on a CNN with deep supervision gives it for each pair of
    raters.

    On a whole head nearly every voxel is background to both, and kappa is all but Dice. The interval takes voxels for
    independent, which they are not: it is far too narrow, and is given because it is published so.

    Args:
        mask: Label values, (x, y, z), on the scan's grid.
        reference: The other rater's mask, on the same grid.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.
        roi: Counts voxels in the ROI alone.
        brain: Counts voxels in this mask (above zero) alone; at most one of ``roi`` and ``brain`` may be given.
        confidence: Of the interval.

    Raises:
        UsageError: The masks lie on different grids, or both an ROI and a brain mask are given.
        ROIError: The ROI was made for another grid.
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> mask = sitk.Image(8, 8, 1, sitk.sitkUInt8)
        >>> mask[0:4, 0:4, 0:1] = 1
        >>> masks_kappa(mask, mask).kappa
        1.0
    """
    found = count_confusion(mask, reference, label=label, reference_label=reference_label, roi=roi, brain=brain)
    table = [[found.both, found.mask_only], [found.reference_only, found.neither]]
    return kappa_of_table(table, confidence)


def kappa_of_table(table: ArrayLike, confidence: float = 0.95, missing: int = 0) -> Kappa:
    """Cohen's kappa from the counts of each pair of categories.

    Args:
        table: (k, k) counts; rows are the first rater's categories, columns the second's, in the same order.
        confidence: Of the interval.
        missing: Objects that were left out before, passed on to the result.

    Raises:
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> round(kappa_of_table([[20, 5], [10, 15]]).kappa, 3)
        0.4
    """
    quantile = normal_quantile(confidence)
    counts = np.asarray(table, dtype=np.float64)
    count = float(counts.sum())
    if count == 0:
        return Kappa(None, None, None, 0, missing)
    shares = counts / count
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    agreed, chance = float(np.trace(shares)), float(rows @ columns)
    if np.count_nonzero(rows) == np.count_nonzero(columns) == 1 and agreed == 1:
        return Kappa(None, None, None, int(count), missing)
    kappa = (agreed - chance) / (1 - chance)
    # Fleiss, Cohen and Everitt's equation 13: the diagonal, the rest of the table, and what both have in common.
    on_diagonal = float((np.diag(shares) * (1 - (rows + columns) * (1 - kappa)) ** 2).sum())
    elsewhere = shares * (columns[:, None] + rows[None, :]) ** 2
    beside = float(elsewhere.sum() - np.trace(elsewhere)) * (1 - kappa) ** 2
    variance = on_diagonal + beside - (kappa - chance * (1 - kappa)) ** 2
    error = float(np.sqrt(max(variance, 0.0) / count) / (1 - chance))
    low, high = max(kappa - quantile * error, -1.0), min(kappa + quantile * error, 1.0)
    return Kappa(kappa, error, Interval(low, high, confidence), int(count), missing)


def _is_missing(rating: Hashable | None) -> bool:
    return rating is None or (isinstance(rating, float | np.floating) and bool(np.isnan(rating)))
