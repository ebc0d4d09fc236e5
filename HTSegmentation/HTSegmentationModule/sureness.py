"""How sure a volume is, in the panel's words: its uncertainty in mL and the method's confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from HTSegmentationModule.translation import tr as _

if TYPE_CHECKING:
    from HTSegmentationLib.segmenter import Confidence


def volumeText(ml: float, uncertaintyMl: float | None = None) -> str:
    """A volume with its uncertainty, if that is known.

    Example:
        >>> volumeText(12.345, 0.8)
        '12.35 ± 0.80 mL'
    """
    if uncertaintyMl is None:
        return _("{ml:.2f} mL").format(ml=ml)
    return _("{ml:.2f} ± {uncertainty:.2f} mL").format(ml=ml, uncertainty=uncertaintyMl)


def confidenceText(confidence: Confidence) -> str:
    """A method's confidence with its reason.

    Example:
        >>> confidenceText(Confidence(0.55, "touches the skull"))
        '0.55 (moderate): touches the skull'
    """
    words = {"low": _("low"), "moderate": _("moderate"), "high": _("high")}
    return _("{value:.2f} ({word}): {reason}").format(
        value=confidence.value, word=words[confidence.word], reason=confidence.reason
    )


def confidenceMeaning() -> str:
    """What the number means, for a tooltip."""
    return _(
        "From 0 to 1: about the share of such masks that agree substantially (Dice 0.6 or more) with the truth, on "
        "simulated scans. Whatever it says, look at the mask."
    )
