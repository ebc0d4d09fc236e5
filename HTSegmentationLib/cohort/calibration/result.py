"""What a calibration found: the fitted table, and how it fares on cases left out."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from HTSegmentationLib.cohort.calibration.profile import FailedCase
from HTSegmentationLib.cohort.calibration.search import FittedTable
from HTSegmentationLib.cohort.calibration.windows import candidate_windows
from HTSegmentationLib.measure.statistics import Concordance, PairedComparison
from HTSegmentationLib.threshold.rules import Rule


@dataclass(frozen=True)
class Fold:
    """One turn of the outer cross-validation.

    Args:
        rules: The table that was fitted without the fold's cases.
        case_ids: The cases left out.
        published_dice: Their mean Dice with the published table.
        calibrated_dice: Their mean Dice with the fitted one.
    """

    rules: tuple[Rule, ...]
    case_ids: tuple[str, ...]
    published_dice: float
    calibrated_dice: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "rules": [rule.as_dict() for rule in self.rules],
            "case_ids": list(self.case_ids),
            "published_dice": self.published_dice,
            "calibrated_dice": self.calibrated_dice,
        }


@dataclass(frozen=True)
class HeldOutCase:
    """A case with both tables, the fitted one being that of the fold that left the case out.

    Args:
        case_id: The case's name.
        group: Its type of hemorrhage.
        sd_hu: SD of its first mask.
        published_dice: Dice with the published table.
        calibrated_dice: Dice with the fitted table.
        published_ml: Volume with the published table.
        calibrated_ml: Volume with the fitted table.
        reference_ml: The reference's volume.
    """

    case_id: str
    group: str
    sd_hu: float
    published_dice: float
    calibrated_dice: float
    published_ml: float
    calibrated_ml: float
    reference_ml: float


@dataclass(frozen=True)
class BorderSpread:
    """How stable a border of the fitted table is.

    Args:
        border_sd: The border in HU of SD.
        lowest_sd: The lowest of the borders nearest to it in the folds' tables.
        highest_sd: The highest of them.
        folds: How many folds' tables have a border above 0 at all.
    """

    border_sd: float
    lowest_sd: float
    highest_sd: float
    folds: int


@dataclass(frozen=True)
class Calibration:
    """A fitted table and how it fares on cases left out.

    Args:
        table: The table fitted on all cases.
        rules: The same as the rule table of the adaptive method.
        cases: Every case with the published and with a fitted table that did not know it, in the order given.
        folds: The turns of the outer cross-validation.
        gain: Held-out Dice with the fitted tables less that with the published one, over the cases.
        published_ccc: Concordance of the published table's volumes with the references'.
        calibrated_ccc: Concordance of the fitted tables' held-out volumes with them.
        failed: Cases that were left out.
        seed: Seed of the folds.
    """

    table: FittedTable
    rules: tuple[Rule, ...]
    cases: tuple[HeldOutCase, ...]
    folds: tuple[Fold, ...]
    gain: PairedComparison
    published_ccc: Concordance
    calibrated_ccc: Concordance
    failed: tuple[FailedCase, ...]
    seed: int

    @property
    def gain_shown(self) -> bool:
        """Whether the whole confidence interval of the held-out gain is above 0."""
        return self.gain.interval is not None and self.gain.interval.low > 0

    @property
    def published_dice(self) -> float:
        """Mean Dice with the published table."""
        return float(np.mean([case.published_dice for case in self.cases]))

    @property
    def calibrated_dice(self) -> float:
        """Mean held-out Dice with the fitted tables."""
        return float(np.mean([case.calibrated_dice for case in self.cases]))

    @property
    def border_spreads(self) -> tuple[BorderSpread, ...]:
        """How stable the borders of the fitted rows are, by rising SD."""
        borders = {end for row in self.table.rows for end in (row.above_sd, row.up_to_sd) if 0 < end < math.inf}
        found = []
        for border in sorted(borders):
            nearest = []
            for fold in self.folds:
                ends = [rule.sd_up_to for rule in fold.rules if 0 < rule.sd_up_to < math.inf]
                nearest += [min(ends, key=lambda end: abs(end - border))] if ends else []
            found.append(BorderSpread(border, min(nearest, default=border), max(nearest, default=border), len(nearest)))
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        rows = []
        for row in self.table.rows:
            lower, upper = candidate_windows()[row.window].tolist()
            ends = (row.above_sd if math.isfinite(row.above_sd) else None, row.up_to_sd if row.up_to_sd < math.inf else None)
            rows.append(
                {
                    "above_sd": ends[0],
                    "up_to_sd": ends[1],
                    "lower_hu": lower,
                    "upper_hu": upper,
                    "cases": row.cases,
                    "gain_on_own_cases": row.gain,
                }
            )
        return {
            "n": len(self.cases),
            "seed": self.seed,
            "gain_shown": self.gain_shown,
            "published_dice": self.published_dice,
            "calibrated_dice": self.calibrated_dice,
            "gain": self.gain.as_dict(),
            "published_ccc": self.published_ccc.as_dict(),
            "calibrated_ccc": self.calibrated_ccc.as_dict(),
            "rules": [rule.as_dict() for rule in self.rules],
            "fitted_rows": rows,
            "border_spreads": [dataclasses.asdict(spread) for spread in self.border_spreads],
            "folds": [fold.as_dict() for fold in self.folds],
            "cases": [dataclasses.asdict(case) for case in self.cases],
            "failed": [dataclasses.asdict(case) for case in self.failed],
        }
