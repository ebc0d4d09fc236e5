"""How far measured volumes lie from those of a reference or another rater."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from HTSegmentationLib.measure.statistics.values import Result, finite_pairs, sample_sd


@dataclass(frozen=True)
class AbsoluteError(Result):
    """How far two measurements lie apart on average.

    Args:
        mean: Mean of the absolute differences (MAE), in the measurement's unit; None without a pair.
        sd: Sample standard deviation (n - 1) of the absolute differences; None for fewer than two pairs.
        n: Pairs that were counted.
        missing: Pairs that were left out.
    """

    mean: float | None
    sd: float | None
    n: int
    missing: int = 0


@dataclass(frozen=True)
class Disagreement(Result):
    """How far two raters' volumes lie apart, relative to their mean.

    Args:
        rate: Mean of (Vi - Vj) / ((Vi + Vj) / 2), -2 to 2: differences of both signs cancel. None without a pair.
        absolute_rate: Mean of |Vi - Vj| / ((Vi + Vj) / 2), 0 to 2: nothing cancels.
        n: Pairs that were counted.
        missing: Pairs that were left out.
    """

    rate: float | None
    absolute_rate: float | None
    n: int
    missing: int = 0


def mean_absolute_error(first: ArrayLike, second: ArrayLike) -> AbsoluteError:
    """The mean absolute error: mean |first - second|, as the cascaded U-Net paper gives it for volumes in mL.

    Args:
        first: One measurement of each case.
        second: The other measurement of the same cases.

    Raises:
        UsageError: The two differ in length.

    Example:
        >>> mean_absolute_error([10, 20], [12, 19]).mean
        1.5
    """
    one, other, missing = finite_pairs(first, second)
    if one.size == 0:
        return AbsoluteError(None, None, 0, missing)
    apart = np.abs(one - other)
    return AbsoluteError(float(apart.mean()), sample_sd(apart), apart.size, missing)


def disagreement_rate(first: ArrayLike, second: ArrayLike) -> Disagreement:
    """The disagreement of two raters: mean of (Vi - Vj) / ((Vi + Vj) / 2) over the cases.

    The measure of the paper on a CNN with deep supervision, section "Performance evaluation metrics". As it is printed
    there, differences of both signs cancel; the absolute form, in which they do not, is given beside it. Two volumes of 0 mL
    agree: 0.

    Args:
        first: Volumes Vi, 0 or more, one a case.
        second: Volumes Vj of the same cases.

    Raises:
        UsageError: The two differ in length.

    Example:
        >>> found = disagreement_rate([10, 30, 0], [30, 10, 0])
        >>> found.rate, round(found.absolute_rate, 4)
        (0.0, 0.6667)
    """
    one, other, missing = finite_pairs(first, second)
    if one.size == 0:
        return Disagreement(None, None, 0, missing)
    middle = (one + other) / 2
    relative = np.divide(one - other, middle, out=np.zeros_like(middle), where=middle != 0)
    return Disagreement(float(relative.mean()), float(np.abs(relative).mean()), one.size, missing)
