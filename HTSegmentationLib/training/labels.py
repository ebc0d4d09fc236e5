"""What the values of references mean, and which class of the network each becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.fields import Fields, quoted
from HTSegmentationLib.inference.models.label_description import label_from_json
from HTSegmentationLib.segmenter import Label

_MOST_LABELS = 63
"""The networks have up to 64 classes, the background among them."""

_LARGEST_VALUE = 65535
"""The largest value of a reference."""


@dataclass(frozen=True)
class LabelMap:
    """Which value of the references becomes which class.

    Args:
        pairs: (value, class); class 0 is background.

    Example:
        >>> LabelMap(((255, 1),)).classes(np.array([0, 255], np.uint8)).tolist()
        [0, 1]
    """

    pairs: tuple[tuple[int, int], ...]

    def classes(self, values: np.ndarray) -> np.ndarray:
        """The class of each voxel, uint8, the shape of ``values``.

        Raises:
            ParameterError: A value is in no pair.
        """
        largest = int(values.max(initial=0))
        table = np.full(largest + 1, -1)
        table[0] = 0
        for value, made in self.pairs:
            if value <= largest:
                table[value] = made
        held = np.flatnonzero(np.bincount(values.ravel(), minlength=largest + 1))
        unknown = [int(value) for value in held if table[value] < 0]
        if unknown:
            raise ParameterError(f"the reference holds {listed_values(unknown)}, which label_map {self.pairs} does not name")
        return table.astype(np.uint8)[values]


def label_map_for(values: Sequence[int], labels: Sequence[Label], given: tuple[tuple[int, int], ...] | None) -> LabelMap:
    """The map of a cohort.

    Args:
        values: All values above 0 that its references hold.
        labels: The network's classes.
        given: What the settings say; None: values are classes, or the only value is the only class.

    Raises:
        ParameterError: The values do not fit the classes.

    Example:
        >>> label_map_for([255], (HEMORRHAGE,), None).pairs   # doctest: +SKIP
        ((255, 1),)
    """
    if given is not None:
        missing = sorted(set(values) - {value for value, _ in given})
        if missing:
            text = f"the references hold {listed_values(missing)}, which label_map does not name"
            raise ParameterError(f"{text}; name the class of each value, 0 for background")
        return LabelMap(given)
    count = len(labels)
    if count == 1 and len(values) == 1:
        return LabelMap(((values[0], 1),))
    if set(values) <= set(range(1, count + 1)):
        return LabelMap(tuple((number, number) for number in range(1, count + 1)))
    named = ", ".join(f"{label.value} {label.name}" for label in labels)
    text = f"the references hold {listed_values(values)} and the network's classes are {named}"
    raise ParameterError(f"{text}; name the classes, or say by label_map which class each value is, as 1=1,2=0,3=0")


def labels_from_json(fields: Fields, key: str) -> tuple[Label, ...]:
    """Reads the classes of settings, and names the key that is wrong."""
    return fields.parts(key, label_from_json, most=_MOST_LABELS)


def label_map_from_json(values: Any, place: str) -> tuple[tuple[int, int], ...] | None:
    """Reads pairs (value, class), and names the key that is wrong; None where there are none."""
    if values is None:
        return None
    fits = isinstance(values, list | tuple) and all(_is_pair(pair) for pair in values)
    if not fits or len({pair[0] for pair in values}) != len(values) or not values:
        allowed = "pairs of a value in the references and its class, each value once, as [[1, 1], [3, 0]]"
        raise ParameterError(f"{place} is {quoted(values)}; allowed are {allowed}")
    return tuple((int(value), int(made)) for value, made in values)


def listed_values(values: Sequence[int]) -> str:
    """Values in a sentence."""
    return f"the value{'s' if len(values) > 1 else ''} {', '.join(map(str, values))}"


def _is_pair(pair: Any) -> bool:
    fits = isinstance(pair, list | tuple) and len(pair) == 2  # noqa: PLR2004
    whole = fits and all(isinstance(number, int) and not isinstance(number, bool) for number in pair)
    return whole and 1 <= pair[0] <= _LARGEST_VALUE and 0 <= pair[1] <= _MOST_LABELS
