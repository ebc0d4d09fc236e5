"""From the parameter node to the library's frozen parameters: the only place where the two meet.

Works on whatever has the fields of :class:`HTSegmentationModule.parameter_node.HTSegmentationParameterNode`.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from HTSegmentationLib.methods import Method
    from HTSegmentationLib.segmenter import Segmenter
    from HTSegmentationLib.threshold.parameters import ParameterTable
    from HTSegmentationLib.threshold.rules import Rule

FIELDS = {
    "smoothing_in_plane_mm": "smoothingInPlane",
    "smoothing_through_plane_mm": "smoothingThroughPlane",
    "sharpening_mm": "sharpening",
    "sharpening_amount": "sharpeningAmount",
    "closing_diameter_voxels": "closingDiameter",
    "first_lower_hu": "firstLower",
    "first_upper_hu": "firstUpper",
    "sd_image": "sdImage",
    "lower_hu": "globalLower",
    "upper_hu": "globalUpper",
    "least_contrast_hu": "robustLeastContrast",
    "most_contrast_hu": "robustMostContrast",
    "bound_share": "robustShare",
    "densest_hu": "robustDensest",
    "smoothing_mm": "robustSmoothing",
    "background_mm": "robustBackground",
    "part_gap_mm": "robustPartGap",
}
"""The library's name of each parameter, and the parameter node's."""


def toLibrary(parameterNode: Any, method: str | None = None) -> ParameterTable | None:
    """The library's parameters of a method.

    Args:
        parameterNode: The parameter node.
        method: Name in the library's registry; None for the one that the parameter node names.

    Returns:
        The method's own frozen dataclass; None for a network, whose settings are in its model folder.

    Raises:
        ParameterError: A number is out of its range, or the rule table is not usable.
        UsageError: There is no such method.

    Example:
        >>> toLibrary(logic.getParameterNode()).first_lower_hu   # doctest: +SKIP
        50.0
    """
    published = _published(parameterNode, method)
    if published is None:
        return None
    values: dict[str, Any] = {}
    for field in dataclasses.fields(published):
        if field.name in FIELDS:
            values[field.name] = getattr(parameterNode, FIELDS[field.name])
        elif field.name == "rules":
            values["rules"] = [rule.as_dict() for rule in rulesOf(parameterNode)]
        elif field.name in ("manual_lower_hu", "manual_upper_hu") and parameterNode.manualThreshold:
            values[field.name] = getattr(parameterNode, "manualLower" if "lower" in field.name else "manualUpper")
    return type(published).from_dict(values)


def parameterNames(method: Method) -> frozenset[str]:
    """The library's names of a method's parameters; none for a network, whose settings are in its model folder.

    Example:
        >>> "rules" in parameterNames(method("adaptive"))   # doctest: +SKIP
        True
    """
    if method.is_network:
        return frozenset()
    return frozenset(field.name for field in dataclasses.fields(method.make(None).parameters))


def storeParameters(parameterNode: Any, parameters: ParameterTable) -> None:
    """Sets a parameter node to the library's parameters; what they do not have stays as it is.

    Args:
        parameterNode: The parameter node.
        parameters: The parameters of one method.
    """
    for field in dataclasses.fields(parameters):
        value = getattr(parameters, field.name)
        if field.name in FIELDS:
            setattr(parameterNode, FIELDS[field.name], value.value if isinstance(value, enum.Enum) else value)
        elif field.name == "rules":
            setRules(parameterNode, value)
    if not hasattr(parameters, "manual_lower_hu"):
        return
    lower, upper = parameters.manual_lower_hu, parameters.manual_upper_hu
    parameterNode.manualThreshold = lower is not None
    if lower is not None and upper is not None:
        parameterNode.manualLower, parameterNode.manualUpper = lower, upper


def segmenterOf(parameterNode: Any, method: str | None = None) -> Segmenter:
    """The library's method with the parameter node's parameters, for this process; see ``HTSegmentationLogic.segmenter``.

    Raises:
        ParameterError: A parameter is out of its range.
        UsageError: There is no such method.
    """
    from HTSegmentationLib import methods

    parameters = toLibrary(parameterNode, method)
    made = methods.method(method or parameterNode.method).make(None, device=parameterNode.device)
    return made if parameters is None else type(made)(parameters)


def rulesOf(parameterNode: Any) -> tuple[Rule, ...]:
    """The rule table as the library has it; the published one as long as none was set.

    The numbers are not checked, so that a half-edited table can be shown.

    Raises:
        ParameterError: The stored text is no rule table.
    """
    from HTSegmentationLib.errors import ParameterError
    from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule

    if not parameterNode.rules:
        return PUBLISHED_RULES
    try:
        rows = json.loads(parameterNode.rules)
        return tuple(
            Rule(
                sd_up_to=float("inf") if row.get("sd_up_to") is None else float(row["sd_up_to"]),
                lower_hu=float(row["lower_hu"]),
                upper_hu=float(row["upper_hu"]),
                classification=str(row.get("classification", "")),
            )
            for row in rows
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ParameterError("rules: the scene's rule table cannot be read; reset it to the published one") from error


def setRules(parameterNode: Any, rules: Sequence[Rule] | None) -> None:
    """Stores a rule table, checked or not; None or the published one is stored as nothing.

    Args:
        parameterNode: The parameter node.
        rules: The rows in order; ``sd_up_to`` of the last is infinity.
    """
    from HTSegmentationLib.threshold.rules import PUBLISHED_RULES

    published = rules is None or tuple(rules) == PUBLISHED_RULES
    parameterNode.rules = "" if published else json.dumps([rule.as_dict() for rule in rules])


def _published(parameterNode: Any, method: str | None) -> Any:
    """The published parameters of a threshold; None for a network, of which nothing is made here."""
    from HTSegmentationLib import methods

    chosen = methods.method(method or parameterNode.method)
    return None if chosen.is_network else chosen.make(None).parameters
