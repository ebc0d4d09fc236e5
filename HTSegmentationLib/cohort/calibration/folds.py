"""Cross-validation: how good a table is on cases that it was not fitted on, and how many rows it should have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HTSegmentationLib.cohort.calibration.search import FittedTable, best_tables

MOST_ROWS = 5
"""Fitted rows at most: as many as the published table has."""

_INNER_FOLDS = 5
"""Folds of the inner cross-validation that chooses the number of rows."""

_ERRORS_TO_LEAVE_THE_PUBLISHED = 2
"""Standard errors by which fitted rows must be better than none: the best of many tables is good by chance, too."""


def stratified_folds(groups: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """The fold of each case: every group is dealt out evenly, in an order by the seed.

    Args:
        groups: The group of each case, as its type of hemorrhage.
        folds: How many folds.
        seed: The same seed gives the same folds.

    Example:
        >>> sorted(stratified_folds(["HI2", "PH", "HI2", "PH"], 2, 0).tolist())
        [0, 0, 1, 1]
    """
    random = np.random.default_rng(seed)
    names = np.array(groups)
    found = np.zeros(len(names), dtype=int)
    dealt = 0
    for name in np.unique(names):
        members = random.permutation(np.flatnonzero(names == name))
        # The next group goes on where this one ended, so that the folds are of one size as far as can be.
        found[members] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return found


class Cases:
    """What all cases of a calibration give, as arrays.

    Args:
        sds_hu: SD of each case's first mask; shape (n,).
        dice: Dice of each window in each case; shape (n, windows).
        published: Number of the published table's window for each case; shape (n,).
        groups: The group of each case.
    """

    def __init__(self, sds_hu: np.ndarray, dice: np.ndarray, published: np.ndarray, groups: Sequence[str]) -> None:
        self.sds_hu = sds_hu
        self.dice = dice
        self.published = published
        self.groups = np.array(groups)

    def part(self, which: np.ndarray) -> Cases:
        """Some of the cases, by booleans or numbers."""
        return Cases(self.sds_hu[which], self.dice[which], self.published[which], self.groups[which].tolist())

    def dice_with(self, table: FittedTable) -> np.ndarray:
        """Dice of each case with a table; shape (n,)."""
        windows = table.windows(self.sds_hu, self.published)
        return self.dice[np.arange(len(windows)), windows]


def fitted(cases: Cases, seed: int) -> FittedTable:
    """The table for these cases, with as many fitted rows as an inner cross-validation supports.

    For each number of rows the tables of the inner folds are tried on the cases left out. Of all numbers whose mean Dice is
    within one standard error of the best one's, the smallest is taken; to leave the published table takes two.
    """
    held_out = np.zeros((MOST_ROWS + 1, len(cases.sds_hu)))
    parts = stratified_folds(cases.groups.tolist(), min(_INNER_FOLDS, len(cases.sds_hu)), seed)
    for part in np.unique(parts):
        inner, left_out = cases.part(parts != part), cases.part(parts == part)
        for rows, table in enumerate(_tables(inner)):
            held_out[rows, parts == part] = left_out.dice_with(table)
    return _tables(cases)[_fewest_as_good(held_out)]


def _tables(cases: Cases) -> list[FittedTable]:
    return best_tables(cases.sds_hu, cases.dice, cases.published, MOST_ROWS)


def _fewest_as_good(held_out: np.ndarray) -> int:
    """The smallest number of rows that is no more than a standard error worse than the best; ``held_out`` is (rows, n)."""
    best = held_out[held_out.mean(axis=1).argmax()]
    for rows, dice in enumerate(held_out):
        behind = best - dice
        error = behind.std(ddof=1) / np.sqrt(behind.size) if behind.size > 1 else 0.0
        if behind.mean() <= error * (_ERRORS_TO_LEAVE_THE_PUBLISHED if rows == 0 else 1):
            return rows
    return len(held_out) - 1
