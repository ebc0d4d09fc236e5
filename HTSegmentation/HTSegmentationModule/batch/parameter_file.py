"""Parameters of a file in the parameter node."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from HTSegmentationModule.parameters import _FIELDS, setRules

if TYPE_CHECKING:
    from HTSegmentationLib.threshold.parameters import EnhancementParameters


def storeParameters(parameterNode: Any, parameters: EnhancementParameters) -> None:
    """Sets the parameter node to the library's parameters; what they do not have stays as it is.

    Args:
        parameterNode: The parameter node.
        parameters: The parameters of one method.
    """
    for field in dataclasses.fields(parameters):
        value = getattr(parameters, field.name)
        if field.name in _FIELDS:
            setattr(parameterNode, _FIELDS[field.name], value.value if isinstance(value, enum.Enum) else value)
        elif field.name == "rules":
            setRules(parameterNode, value)
    lower, upper = (getattr(parameters, f"manual_{end}_hu", None) for end in ("lower", "upper"))
    parameterNode.manualThreshold = lower is not None
    if lower is not None and upper is not None:
        parameterNode.manualLower, parameterNode.manualUpper = lower, upper
