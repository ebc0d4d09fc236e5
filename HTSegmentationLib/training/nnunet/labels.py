"""What the values of references mean, and which values nnU-Net gets for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 ._+-]{0,39}")
"""Names of labels become names of segments; nnU-Net takes any."""

_LARGEST_VALUE = 255
"""nnU-Net's label maps have one byte a voxel."""

IGNORED = "ignore"
"""nnU-Net's name for voxels that teach nothing; its value is the largest."""

_BACKGROUND = "background"
"""nnU-Net's name for the rest, always 0."""

ONLY_LABEL = "hemorrhage"
"""What references of a single value hold unless the user says otherwise."""


@dataclass(frozen=True)
class LabelScheme:
    """How values of references become nnU-Net's labels, which count from 1 without a gap.

    Args:
        names: nnU-Net's labels without background, the first has the value 1.
        values: The label's value of each value that references may hold; empty if all values above 0 are the only label.

    Example:
        >>> LabelScheme.parsed("1=ICH,2=PHE,5=IVH").values
        {1: 1, 2: 2, 5: 3}
    """

    names: tuple[str, ...] = (ONLY_LABEL,)
    values: Mapping[int, int] | None = None

    @classmethod
    def parsed(cls, text: str) -> LabelScheme:
        """Reads ``1=ICH,2=PHE,3=IVH``; several values may have one name, which makes them one label.

        Raises:
            UsageError: It is written in another way, or nnU-Net could not use it.
        """
        named: dict[int, str] = {}
        for part in text.split(","):
            value, equals, name = (word.strip() for word in part.partition("="))
            if not (equals and re.fullmatch(r"[1-9]\d{0,2}", value) and int(value) <= _LARGEST_VALUE):
                raise UsageError(
                    f"--labels {text!r}: {part!r} is not VALUE=NAME with a value from 1 to 255; as 1=ICH,2=PHE,3=IVH"
                )
            if not _NAME.fullmatch(name) or name.lower() == _BACKGROUND:
                allowed = "up to 40 letters, digits, spaces, '.', '_', '+' and '-', beginning with a letter"
                raise UsageError(
                    f"--labels {text!r}: {name!r} cannot be a label's name; use {allowed}, and not 'background'"
                )
            if int(value) in named:
                raise UsageError(f"--labels {text!r}: the value {value} has two names; give it one")
            named[int(value)] = IGNORED if name.lower() == IGNORED else name
        names = sorted(dict.fromkeys(named.values()), key=lambda name: name == IGNORED)
        if names == [IGNORED]:
            raise UsageError(f"--labels {text!r}: nothing is left to be learned; name a label besides 'ignore'")
        return cls(tuple(names), {value: names.index(name) + 1 for value, name in named.items()})

    def problem(self, found: Sequence[int]) -> str | None:
        """What keeps a reference from being exported; None if nothing does.

        Args:
            found: The values above 0 that it holds.
        """
        listed = ", ".join(map(str, found))
        if self.values is None:
            advice = "say what they are, as --labels 1=ICH,2=PHE,3=IVH"
            return f"its reference holds the values {listed}; {advice}" if len(found) > 1 else None
        unknown = ", ".join(str(value) for value in found if value not in self.values)
        known = ", ".join(map(str, self.values))
        return f"its reference holds the values {unknown}, and --labels names {known}; name them all" if unknown else None

    def applied(self, array: np.ndarray) -> np.ndarray:
        """A reference's array with nnU-Net's values, ``uint8``."""
        if self.values is None:
            return (array > 0).astype(np.uint8)
        table = np.zeros(int(array.max()) + 1, np.uint8)
        for value, label in self.values.items():
            if value < len(table):
                table[value] = label
        return table[array]

    def as_json(self) -> dict[str, int]:
        """The labels as ``dataset.json`` has them."""
        return {_BACKGROUND: 0, **{name: number for number, name in enumerate(self.names, start=1)}}
