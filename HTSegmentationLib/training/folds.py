"""Which cases are trained on and which are held out: by patient, even in type and volume."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from HTSegmentationLib.errors import UsageError

_SPLIT_FOLDS = 5
"""One split holds out a fifth of the patients."""

_LEAST_PATIENTS = 2
"""One to train on, one held out."""

_SHOWN = 3
"""Names in a message."""


class FoldCase(Protocol):
    """What is known of a case; :class:`HTSegmentationLib.training.cases.TrainingCase` has it."""

    case_id: str
    patient: str
    ht_type: str
    volume_ml: float
    fold: str


@dataclass(frozen=True)
class Fold:
    """One part of a cross-validation.

    Args:
        number: From 0.
        training: Ids of the cases that are trained on.
        validation: Ids of those that early stopping watches; without such, those that are held out.
        held_out: Ids of those that the trained network is tested on.
    """

    number: int
    training: tuple[str, ...]
    validation: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def watches_held_out(self) -> bool:
        """Whether early stopping saw the cases that the results are of, so that these are a little too good."""
        return bool(set(self.validation) & set(self.held_out))


def make_folds(cases: Sequence[FoldCase], folds: int, seed: int, *, validation_share: float = 0.0) -> tuple[Fold, ...]:
    """Deals the patients out to folds.

    All cases of a patient come into the same fold. Within each type the patients are ranked by volume and dealt out in
    groups of as many as there are folds, so that each fold gets small and large bleeds of each type; in which order is a
    matter of the seed. Numbers of patients differ by one at most, over all and in each type. Where the cases have a column
    ``fold``, that is taken, and ``folds`` and the seed do not count.

    Args:
        cases: All cases.
        folds: How many, 2 or more; 0: one split that holds out a fifth of the patients.
        seed: The same seed gives the same folds, whatever the order of the cases.
        validation_share: Share of the patients of a fold's training part that is set aside to watch for gain, dealt out in
            the same way; at least one, unless it is 0.

    Returns:
        The folds; each case is held out in one of them, with ``folds=0`` in at most one.

    Raises:
        UsageError: There are fewer patients than folds, a patient is in two folds of the column, or a part has no case.

    Example:
        >>> [fold.held_out for fold in make_folds(cases, 5, seed=0)][0]   # doctest: +SKIP
        ('hi2-03', 'ph-07')
    """
    patients = _patients(cases)
    if any(case.fold for case in cases):
        places = _places_of_column(cases)
        count = len(set(places.values()))
        _require(count >= _LEAST_PATIENTS, "the column fold names one fold; it needs two or more")
        held = list(range(count))
    else:
        count = folds or _SPLIT_FOLDS
        least = folds or _LEAST_PATIENTS
        _require(
            len(patients) >= least,
            f"{len(patients)} patients are too few for {folds or 'one split into two parts, of which each needs one'}"
            f"{' folds' if folds else ''}; add cases or ask for fewer folds",
        )
        places = _dealt(patients, min(count, len(patients)), seed)
        held = list(range(count)) if folds else [0]
    return tuple(_fold(cases, number, places, validation_share, seed) for number in held)


def split_of(cases: Sequence[FoldCase], held_out: Collection[str], seed: int, *, validation_share: float = 0.0) -> Fold:
    """One split with named cases held out.

    Args:
        cases: All cases.
        held_out: Ids of the cases that are held out; all cases of their patients must be among them.
        seed: As for :func:`make_folds`.
        validation_share: As for :func:`make_folds`.

    Raises:
        UsageError: An id is not known, a patient would be on both sides, or a side is empty.
    """
    unknown = sorted(set(held_out) - {case.case_id for case in cases})
    _require(not unknown, f"there is no case {_listed(unknown)} to hold out; take case_ids of the table")
    places = {}
    for case in cases:
        place = 0 if case.case_id in held_out else 1
        text = f"patient {case.patient!r} has cases on both sides of the split; hold out all of them or none"
        _require(places.setdefault(case.patient, place) == place, text)
    return _fold(cases, 0, places, validation_share, seed)


def _fold(cases: Sequence[FoldCase], number: int, places: dict[str, int], share: float, seed: int) -> Fold:
    held_out = tuple(case.case_id for case in cases if places[case.patient] == number)
    rest = [case for case in cases if places[case.patient] != number]
    _require(bool(held_out), f"fold {number} holds out no case")
    _require(bool(rest), f"fold {number} has no case to train on")
    watched: set[str] = set()
    if share > 0:
        patients = _patients(rest)
        text = (
            f"fold {number} has one patient to train on and none to watch for gain; add cases or set validation_share to 0"
        )
        _require(len(patients) >= _LEAST_PATIENTS, text)
        count = min(max(round(share * len(patients)), 1), len(patients) - 1)
        # As many parts as make the first one that large.
        parts = _dealt(patients, max(len(patients) // count, _LEAST_PATIENTS), seed + 1 + number)
        watched = {patient for patient, part in parts.items() if part == 0}
    training = [case for case in rest if case.patient not in watched]
    _require(any(case.volume_ml > 0 for case in training), f"fold {number} has no case with a lesion to train on; add cases")
    validation = tuple(case.case_id for case in rest if case.patient in watched) or held_out
    return Fold(number, tuple(case.case_id for case in training), validation, held_out)


def _patients(cases: Sequence[FoldCase]) -> dict[str, tuple[str, float]]:
    """Type and volume in mL of each patient, those of the largest bleed, in an order that the table's does not change."""
    largest: dict[str, tuple[float, str]] = {}
    for case in cases:
        largest[case.patient] = max(largest.get(case.patient, (-1.0, "")), (case.volume_ml, case.ht_type))
    return {patient: (kind, volume) for patient, (volume, kind) in sorted(largest.items())}


def _dealt(patients: dict[str, tuple[str, float]], count: int, seed: int) -> dict[str, int]:
    """The place, 0 to ``count`` - 1, of each patient."""
    random = np.random.default_rng(seed)
    ranked = sorted(patients, key=lambda patient: (*patients[patient], patient))
    shuffled: list[str] = []
    for kind in dict.fromkeys(patients[patient][0] for patient in ranked):
        members = [patient for patient in ranked if patients[patient][0] == kind]
        for start in range(0, len(members), count):
            group = members[start : start + count]
            shuffled += [group[n] for n in random.permutation(len(group))]
    # Which fold gets one patient more is a matter of the seed as well.
    order = random.permutation(count)
    # Each group goes on where the one before it ended: every run of patients, a type's as well, is dealt out evenly.
    return {patient: int(order[number % count]) for number, patient in enumerate(shuffled)}


def _places_of_column(cases: Sequence[FoldCase]) -> dict[str, int]:
    empty = [case.case_id for case in cases if not case.fold]
    _require(not empty, f"the column fold is empty for {_listed(empty)}; name a fold for every case or for none")
    names = sorted({case.fold for case in cases}, key=lambda name: (len(name), name))
    places: dict[str, int] = {}
    for case in cases:
        place = names.index(case.fold)
        first = places.setdefault(case.patient, place)
        text = f"patient {case.patient!r} is in the folds {names[first]} and {names[place]} of the column fold"
        _require(first == place, f"{text}; a network would be tested on whom it was trained on, name one fold")
    return places


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise UsageError(text)
