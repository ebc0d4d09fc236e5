"""Fits the rule table to a site's own references, and says on cases left out whether that gains anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HTSegmentationLib.cohort.calibration.folds import Cases, fitted, stratified_folds
from HTSegmentationLib.cohort.calibration.profile import CaseFiles, CaseProfile, FailedCase, profile_files
from HTSegmentationLib.cohort.calibration.result import Calibration, Fold, HeldOutCase
from HTSegmentationLib.cohort.calibration.rule_table import as_rules
from HTSegmentationLib.cohort.calibration.search import FittedTable
from HTSegmentationLib.cohort.calibration.windows import published_windows
from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.measure.statistics import compare_paired, lins_ccc
from HTSegmentationLib.progress import Progress, part_of, silent

FEWEST_CASES = 10
"""Fewer cases fit any table and test none."""


def calibrate(
    files: Sequence[CaseFiles],
    *,
    folds: int = 5,
    seed: int = 0,
    jobs: int | None = None,
    left_out: tuple[FailedCase, ...] = (),
    progress: Progress = silent,
) -> Calibration:
    """Tries every window on every case and fits the rule table.

    Args:
        files: The cases.
        folds: Of the outer cross-validation.
        seed: Of the folds and of the bootstrap.
        jobs: Processes for the cases; None: as many as there are cores.
        left_out: Cases that were found to be wrong already; they are told with those that fail here.
        progress: Told of the work.

    Raises:
        UsageError: Fewer than ten cases can be used.
        ParameterError: Folds or jobs are out of their range.

    Example:
        >>> calibrate(files).gain.mean_difference   # doctest: +SKIP
        0.04
    """
    _require_cases(len(files), left_out)
    _require_folds(folds, len(files))
    done = each_of(profile_files, files, jobs=jobs, stage="trying windows", progress=part_of(progress, 0.0, 0.95))
    progress("fitting", 0.95)
    failed = (*left_out, *(case for case in done if isinstance(case, FailedCase)))
    profiles = [case for case in done if isinstance(case, CaseProfile)]
    _require_cases(len(profiles), failed)
    return fit_profiles(profiles, folds=folds, seed=seed, failed=failed)


def fit_profiles(
    profiles: Sequence[CaseProfile], *, folds: int = 5, seed: int = 0, failed: tuple[FailedCase, ...] = ()
) -> Calibration:
    """Fits the rule table to what every window gives in every case.

    The table is fitted on all cases. How it fares is told from tables fitted in the same way, the choice of the number of
    rows included, without the fold's cases (nested cross-validation): a table is never judged on a case that it saw. The
    interval of the gain is the bootstrap's over the cases; that the folds' tables share most of their cases is not in it.

    Args:
        profiles: The cases.
        folds: Of the outer cross-validation; groups are spread over them evenly.
        seed: Of the folds and of the bootstrap.
        failed: Cases that were left out before.

    Raises:
        ParameterError: The number of folds is out of its range.
    """
    _require_folds(folds, len(profiles))
    sds = np.array([profile.sd_hu for profile in profiles])
    published = published_windows(sds)
    cases = Cases(sds, np.stack([profile.dice for profile in profiles]), published, [p.group for p in profiles])
    chosen = published.copy()
    turns = []
    parts = stratified_folds([profile.group for profile in profiles], folds, seed)
    for part in range(folds):
        table = fitted(cases.part(parts != part), seed)
        held = np.flatnonzero(parts == part)
        chosen[held] = table.windows(sds[held], published[held])
        left_out = cases.part(held)
        both = left_out.dice_with(FittedTable()).mean(), left_out.dice_with(table).mean()
        names = tuple(profiles[number].case_id for number in held)
        turns.append(Fold(as_rules(table), names, float(both[0]), float(both[1])))
    rows = tuple(_held_out(p, before, after) for p, before, after in zip(profiles, published, chosen, strict=True))
    table = fitted(cases, seed)
    reference = [row.reference_ml for row in rows]
    return Calibration(
        table=table,
        rules=as_rules(table),
        cases=rows,
        folds=tuple(turns),
        gain=compare_paired([r.calibrated_dice for r in rows], [r.published_dice for r in rows], seed=seed),
        published_ccc=lins_ccc([row.published_ml for row in rows], reference),
        calibrated_ccc=lins_ccc([row.calibrated_ml for row in rows], reference),
        failed=failed,
        seed=seed,
    )


def _held_out(profile: CaseProfile, published: int, chosen: int) -> HeldOutCase:
    return HeldOutCase(
        profile.case_id,
        profile.group,
        profile.sd_hu,
        published_dice=float(profile.dice[published]),
        calibrated_dice=float(profile.dice[chosen]),
        published_ml=float(profile.volumes_ml[published]),
        calibrated_ml=float(profile.volumes_ml[chosen]),
        reference_ml=profile.reference_ml,
    )


def _require_cases(count: int, failed: tuple[FailedCase, ...]) -> None:
    if count < FEWEST_CASES:
        why = f" ({len(failed)} cannot, as {failed[0].case_id}: {failed[0].reason})" if failed else ""
        raise UsageError(
            f"cases with a reference that can be used: {count}{why}; a calibration needs {FEWEST_CASES} at least, and 30 or "
            "more to show a gain: outline more cases by hand, or stay with the published table"
        )


def _require_folds(folds: int, cases: int) -> None:
    if not 2 <= folds <= cases:  # noqa: PLR2004  (one fold leaves nothing to fit on)
        raise ParameterError(f"folds is {folds}; it must be 2 to {cases}, the number of cases")
