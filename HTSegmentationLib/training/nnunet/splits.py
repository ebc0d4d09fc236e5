"""The folds of a training here as the file in which nnU-Net keeps its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from HTSegmentationLib.cohort.manifest import Case
from HTSegmentationLib.training.cases import fold_of, patient_of
from HTSegmentationLib.training.folds import Fold, make_folds


@dataclass(frozen=True)
class _FoldCase:
    """What the folds are made by."""

    case_id: str
    patient: str
    ht_type: str
    volume_ml: float
    fold: str


def folds_of(cases: Sequence[Case], volumes_ml: Sequence[float], folds: int, seed: int) -> tuple[Fold, ...]:
    """The same folds that ``htseg train`` makes of these cases.

    Args:
        cases: All cases.
        volumes_ml: Volume of each case's lesion in mL, all labels together.
        folds: How many, unless the table has a column ``fold``.
        seed: The same seed gives the same folds.

    Raises:
        UsageError: As :func:`HTSegmentationLib.training.folds.make_folds`.
    """
    known = [
        _FoldCase(
            case.case_id,
            patient_of(case),
            case.ht_type,
            volume_ml,
            fold_of(case),
        )
        for case, volume_ml in zip(cases, volumes_ml, strict=True)
    ]
    return make_folds(known, folds, seed)


def splits(folds: Sequence[Fold], names: Mapping[str, str]) -> list[dict[str, list[str]]]:
    """The content of ``splits_final.json``.

    Args:
        folds: The folds.
        names: nnU-Net's name of each case by its case_id.

    Example:
        >>> splits([Fold(0, ("a",), ("b",), ("b",))], {"a": "HT_001", "b": "HT_002"})
        [{'train': ['HT_001'], 'val': ['HT_002']}]
    """
    return [
        {"train": [names[case_id] for case_id in fold.training], "val": [names[case_id] for case_id in fold.held_out]}
        for fold in folds
    ]
