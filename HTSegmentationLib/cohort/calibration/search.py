"""The best rule table for given cases, found exactly by dynamic programming."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FEWEST_CASES = 5
"""A row is fitted to this many cases at least; with fewer, a window follows the whims of single cases."""

LEAST_GAIN = 0.01
"""A fitted row must better the published windows by more than this in mean Dice over its cases: less is not worth leaving
what was published and tried elsewhere."""

_BORDER_DIGITS = 2
"""Borders are rounded to 0.01 HU where cases lie far enough apart; nobody reads more."""


@dataclass(frozen=True)
class FittedRow:
    """A stretch of SDs that has a window of its own; all other SDs keep the published rows.

    Args:
        above_sd: The row fires above this SD in HU; minus infinity in a row for SD = 0.
        up_to_sd: And up to and including this one; infinity for the last.
        window: Number of its candidate window.
        cases: How many cases it was fitted on.
        gain: Mean gain in Dice of these cases over the published windows.
    """

    above_sd: float
    up_to_sd: float
    window: int
    cases: int
    gain: float

    def holds(self, sds_hu: np.ndarray) -> np.ndarray:
        """For which SDs the row fires; booleans."""
        return (sds_hu > self.above_sd) & (sds_hu <= self.up_to_sd)


@dataclass(frozen=True)
class FittedTable:
    """The best table with a given number of fitted rows at most.

    Args:
        rows: The fitted rows by rising SD; empty if the published table stays as it is.
        score: Sum over all cases of gain less :data:`LEAST_GAIN` where a fitted row fires, 0 elsewhere.
    """

    rows: tuple[FittedRow, ...] = ()
    score: float = 0.0

    def windows(self, sds_hu: np.ndarray, published: np.ndarray) -> np.ndarray:
        """The window that fires for each SD.

        Args:
            sds_hu: SDs of first masks in HU; shape (n,).
            published: The windows of the published table for them.
        """
        chosen = published.copy()
        for row in self.rows:
            chosen[row.holds(sds_hu)] = row.window
        return chosen


def best_tables(
    sds_hu: np.ndarray,
    dice: np.ndarray,
    published: np.ndarray,
    most_rows: int,
    *,
    fewest_cases: int = FEWEST_CASES,
    least_gain: float = LEAST_GAIN,
) -> list[FittedTable]:
    """The best tables with at most 0, 1, ... fitted rows.

    The cases are sorted by SD. A table cuts them into stretches, each of which has a fitted window or keeps the published
    ones; borders lie half-way between neighbouring SDs, and cases of equal SD are never parted. An SD of 0, an empty first
    mask, shares its row with nothing else, as in the published table. Maximised is the sum of Dice
    less ``least_gain`` for each case that leaves its published window. Bellman's recursion over the stretches' ends finds
    the maximum over all tables: no start, no local maximum, nothing random.

    Args:
        sds_hu: SD of each case's first mask in HU; shape (n,).
        dice: Dice of each candidate window in each case; shape (n, windows).
        published: Number of the window that the published table chooses for each case; shape (n,).
        most_rows: Largest number of fitted rows.
        fewest_cases: Cases that a fitted row needs.
        least_gain: Mean Dice by which it must better the published windows.

    Returns:
        ``most_rows + 1`` tables. Of equal windows the lower, then narrower one is taken; of equal tables that with fewer
        rows.

    Example:
        >>> best_tables(np.arange(6.0), np.tile([0.5, 0.8], (6, 1)), np.zeros(6, int), 1)[1].rows[0].window
        1
    """
    order = np.argsort(sds_hu, kind="stable")
    sds, own = sds_hu[order], dice[order, published[order]]
    sums = np.vstack([np.zeros(dice.shape[1]), np.cumsum(dice[order] - own[:, None] - least_gain, axis=0)])
    ends = np.flatnonzero(np.append(np.diff(sds) > 0, True)) + 1
    starts = np.append(0, ends[:-1])
    longest = np.where(sds[starts] == 0, ends, len(sds))
    gains, windows = _stretches(sums, starts, ends, longest, fewest_cases)
    return _tables(gains, windows, sds, starts, ends, most_rows=most_rows, least_gain=least_gain)


def _stretches(
    sums: np.ndarray, starts: np.ndarray, ends: np.ndarray, longest: np.ndarray, fewest_cases: int
) -> tuple[np.ndarray, np.ndarray]:
    """Best gain and window of the stretch from start i to end j; minus infinity where too few cases or no gain."""
    gains = np.full((len(starts), len(ends)), -np.inf)
    windows = np.zeros(gains.shape, dtype=int)
    for number, start in enumerate(starts):
        later = np.flatnonzero((ends - start >= fewest_cases) & (ends <= longest[number]))
        if later.size:
            gained = sums[ends[later]] - sums[start]
            windows[number, later] = gained.argmax(axis=1)
            best = gained.max(axis=1)
            gains[number, later] = np.where(best > 0, best, -np.inf)
    return gains, windows


def _tables(
    gains: np.ndarray,
    windows: np.ndarray,
    sds: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    *,
    most_rows: int,
    least_gain: float,
) -> list[FittedTable]:
    """Bellman's recursion: ``best[k, j]`` is the best score of the first j SDs with at most k fitted rows."""
    count = len(ends)
    best = np.zeros((most_rows + 1, count + 1))
    # Where the last fitted row of the best table begins; -1 if the last case keeps its published window.
    came = np.full((most_rows + 1, count + 1), -1)
    for k in range(1, most_rows + 1):
        for j in range(1, count + 1):
            best[k, j] = best[k, j - 1]
            fitted = best[k - 1, :j] + gains[:j, j - 1]
            i = int(fitted.argmax())
            if fitted[i] > best[k, j]:
                best[k, j], came[k, j] = fitted[i], i
    found = []
    for k in range(most_rows + 1):
        rows, left, j = [], k, count
        while left > 0 and j > 0:
            i = int(came[left, j])
            if i < 0:
                j -= 1
                continue
            cases = int(ends[j - 1] - starts[i])
            gain = float(gains[i, j - 1]) / cases + least_gain
            rows.append(FittedRow(_border(sds, starts[i]), _border(sds, ends[j - 1]), int(windows[i, j - 1]), cases, gain))
            left, j = left - 1, i
        found.append(FittedTable(tuple(reversed(rows)), float(best[k, count])))
    return found


def _border(sds: np.ndarray, place: int) -> float:
    """The SD that parts the sorted cases before ``place`` from those after it."""
    if place == 0:
        return -math.inf if sds[0] == 0 else 0.0
    if place == len(sds):
        return math.inf
    before, after = float(sds[place - 1]), float(sds[place])
    if before == 0:
        return 0.0
    middle = (before + after) / 2
    rounded = round(middle, _BORDER_DIGITS)
    return rounded if before <= rounded < after else middle
