"""A confidence interval, and the quantiles that intervals are made with."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import special

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.statistics.values import Result


@dataclass(frozen=True)
class Interval(Result):
    """A two-sided confidence interval.

    Args:
        low: Its lower end.
        high: Its upper end.
        confidence: The share of such intervals that hold the true value, as 0.95.
    """

    low: float
    high: float
    confidence: float

    @classmethod
    def around(cls, middle: float, half_width: float, confidence: float) -> Interval:
        """The interval that reaches as far to both sides.

        Example:
            >>> Interval.around(2.0, 0.5, 0.95)
            Interval(low=1.5, high=2.5, confidence=0.95)
        """
        return cls(float(middle - half_width), float(middle + half_width), confidence)


def normal_quantile(confidence: float) -> float:
    """How many standard errors a two-sided interval reaches to each side under the normal distribution (1.96 for 0.95).

    Raises:
        ParameterError: The confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    return float(special.ndtri((1 + confidence) / 2))


def t_quantile(confidence: float, degrees: int) -> float:
    """The same under Student's t distribution with that many degrees of freedom.

    Raises:
        ParameterError: The confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    return float(special.stdtrit(degrees, (1 + confidence) / 2))


def t_p_value(t: float, degrees: int) -> float:
    """The two-sided p-value of Student's t."""
    return float(2 * special.stdtr(degrees, -abs(t)))


def require_confidence(confidence: float) -> None:
    """Checks that a confidence can be had.

    Raises:
        ParameterError: It is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence is {confidence}; it must lie between 0 and 1, as 0.95")
