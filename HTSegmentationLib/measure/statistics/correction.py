"""P-values of many tests at once: the false discovery rate of Benjamini and Hochberg."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HTSegmentationLib.errors import ParameterError


def false_discovery(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """The p-values adjusted for their number by the step-up procedure of Benjamini and Hochberg.

    J R Stat Soc B 1995;57:289-300. Of the m p-values in rising order, the i-th becomes the smallest of p_j m / j over j >=
    i, at most 1. Those of at most 0.05 hold no more than 5% false discoveries, on average.

    Args:
        p_values: 0 to 1; None and NaN stay None and do not count.

    Returns:
        The adjusted p-values in the order given.

    Raises:
        ParameterError: A p-value is not between 0 and 1.

    Example:
        >>> false_discovery([0.01, None, 0.04, 0.03])
        (0.03, None, 0.04, 0.04)
    """
    values = np.array(list(p_values), dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    outside = values[known][(values[known] < 0) | (values[known] > 1)]
    if outside.size:
        raise ParameterError(f"p-value is {outside[0]}; it must lie between 0 and 1")
    rising = known[np.argsort(values[known], kind="stable")]
    scaled = values[rising] * known.size / np.arange(1, known.size + 1)
    values[rising] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return tuple(None if np.isnan(value) else float(value) for value in values)
