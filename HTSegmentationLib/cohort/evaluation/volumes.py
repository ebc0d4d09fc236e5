"""Volumes against the reference: concordance, limits of agreement, and Table 2 of the cascaded U-Net paper."""

from __future__ import annotations

from typing import Any

from HTSegmentationLib.cohort.cells import interval, mean_sd, share
from HTSegmentationLib.cohort.evaluation.cohort import Cohort, Group
from HTSegmentationLib.cohort.evaluation.published import CONCORDANCE, TOTAL, VOLUME_ERROR
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.table import (
    OWN,
    Column,
    Row,
    Table,
    ends,
    interval_column,
    mean_sd_column,
    number_column,
    text_column,
)
from HTSegmentationLib.measure.statistics import (
    bland_altman,
    disagreement_rate,
    intraclass_correlation,
    linear_fit,
    lins_ccc,
    mean_absolute_error,
    summarize,
)

MASK_ML, REFERENCE_ML = "volume_ml", "reference_volume_ml"

Volumes = list[float | None]


def pairs_of(cohort: Cohort, method: MethodResults, group: Group) -> tuple[Volumes, Volumes]:
    """Volumes in mL of mask and reference of a group's cases."""
    return cohort.values(method, MASK_ML, group), cohort.values(method, REFERENCE_ML, group)


def concordance_table(cohort: Cohort) -> Table:
    """Lin's CCC, Pearson, the regression of the mask's on the reference's volume, and ICC."""
    rows: list[dict[str, Any]] = []
    for method in cohort.methods:
        for group in cohort.groups:
            masks, references = pairs_of(cohort, method, group)
            both = [pair for pair in zip(masks, references, strict=True) if None not in pair]
            agreement, fit = lins_ccc(masks, references), linear_fit(references, masks)
            single = intraclass_correlation(both).icc2 if both else None
            volume, reference = (summarize([pair[place] for pair in both], resamples=0) for place in (0, 1))
            rows.append(
                {
                    "method": method.name,
                    "group": group.name,
                    "n": agreement.n,
                    "volumes": sum(value is not None for value in masks),
                    "volume_ml_mean": volume.mean,
                    "volume_ml_sd": volume.sd,
                    "reference_ml_mean": reference.mean,
                    "reference_ml_sd": reference.sd,
                    "ccc": agreement.ccc,
                    **ends(agreement.interval, "ccc"),
                    "bias_correction": agreement.bias_correction,
                    "pearson": agreement.pearson,
                    "slope": fit.slope,
                    **ends(fit.slope_interval, "slope"),
                    "intercept_ml": fit.intercept,
                    **ends(fit.intercept_interval, "intercept_ml"),
                    "slope_p": fit.p_value,
                    "intercept_p": fit.intercept_p_value,
                    "icc": single.value if single else None,
                    **ends(single.interval if single else None, "icc"),
                    "source": OWN,
                }
            )
    columns = (
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        mean_sd_column("Mask (mL)", "volume_ml", 1),
        mean_sd_column("Reference (mL)", "reference_ml", 1),
        number_column("Lin's CCC", "ccc"),
        interval_column("95% interval", "ccc"),
        number_column("Pearson", "pearson"),
        number_column("Slope", "slope"),
        number_column("Intercept (mL)", "intercept_ml", 1, sign=True),
        number_column("ICC(2,1)", "icc"),
    )
    note = (
        "Lin's concordance correlation coefficient with its asymptotic interval on Fisher's z. Slope and intercept: the "
        "mask's volume as a linear function of the reference's. ICC: absolute agreement of a single measurement."
    )
    return Table("concordance", "Volumes: concordance", columns, (*rows, CONCORDANCE.row()), note)


def limits_table(cohort: Cohort) -> Table:
    """Bland and Altman's bias and limits, mean absolute error and disagreement rate."""
    rows = []
    for method in cohort.methods:
        for group in cohort.groups:
            masks, references = pairs_of(cohort, method, group)
            limits, apart = bland_altman(masks, references), disagreement_rate(masks, references)
            error = mean_absolute_error(masks, references)
            rows.append(
                {
                    "method": method.name,
                    "group": group.name,
                    "n": limits.n,
                    "bias_ml": limits.bias,
                    **ends(limits.bias_interval, "bias_ml"),
                    "difference_sd_ml": limits.sd,
                    "lower_limit_ml": limits.lower,
                    **ends(limits.lower_interval, "lower_limit_ml"),
                    "upper_limit_ml": limits.upper,
                    **ends(limits.upper_interval, "upper_limit_ml"),
                    "mae_mean": error.mean,
                    "mae_sd": error.sd,
                    "disagreement": apart.rate,
                    "absolute_disagreement": apart.absolute_rate,
                    "source": OWN,
                }
            )
    columns = (
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        number_column("Bias (mL)", "bias_ml", 2, sign=True),
        interval_column("95% interval", "bias_ml"),
        Column("Limits of agreement (mL)", lambda row: interval(row["lower_limit_ml"], row["upper_limit_ml"], 1)),
        mean_sd_column("Absolute error (mL)", "mae"),
        Column("Disagreement", lambda row: share(row["disagreement"])),
        Column("Absolute", lambda row: share(row["absolute_disagreement"])),
    )
    note = (
        "Mask less reference. Limits of agreement: bias -/+ 1.96 SD. Disagreement: mean of the difference over the mean of "
        "both volumes, in which differences of both signs cancel as published; absolute: in which they do not."
    )
    return Table("limits", "Volumes: differences", columns, tuple(rows), note)


def volume_error_table(cohort: Cohort) -> Table:
    """Mean absolute error of each method and of ABC/2, and seconds a case: Table 2 of the cascaded U-Net paper."""
    rows = []
    for method in cohort.methods:
        seconds = summarize(list(method.seconds.values()), resamples=0)
        time = {"seconds_mean": seconds.mean, "seconds_sd": seconds.sd, "seconds_n": seconds.n}
        rows.append(
            _error_row(cohort, method.name, {group.name: pairs_of(cohort, method, group) for group in cohort.groups}) | time
        )
    for method in cohort.methods:
        pairs = {
            group.name: (cohort.values(method, "abc2_ml", group), pairs_of(cohort, method, group)[1])
            for group in cohort.groups
        }
        rows.append(_error_row(cohort, f"ABC/2 of {method.name}'s mask", pairs))
    estimates = {group.name: _reference_estimates(cohort, group) for group in cohort.groups}
    rows.append(_error_row(cohort, "ABC/2 of the reference (Tada)", estimates))
    rows = [row for row in rows if row[f"{TOTAL} n"] or row.get("seconds_n")]
    published = [
        {
            **entry.row(),
            f"{TOTAL} mean": entry.values.get("mae_mean"),
            f"{TOTAL} sd": None,
            f"{TOTAL} n": entry.values.get("n"),
        }
        for entry in VOLUME_ERROR
    ]
    columns = (
        text_column("Method", "method"),
        *(_error_column(group) for group in cohort.groups),
        mean_sd_column("Seconds a case", "seconds", 1),
    )
    note = (
        "Mean absolute error of the volume in mL (SD). ABC/2 of the reference is what the bedside formula makes of the "
        "reference mask's own diameters, measured without the error of a hand; of empty masks there is none."
    )
    return Table("volume_error", "Volume error and time", columns, (*rows, *published), note)


def _error_row(cohort: Cohort, name: str, pairs: dict[str, tuple[Volumes, Volumes]]) -> dict[str, Any]:
    row: dict[str, Any] = {"method": name}
    for group in cohort.groups:
        found = mean_absolute_error(*pairs[group.name])
        row |= {f"{group.name} n": found.n, f"{group.name} mean": found.mean, f"{group.name} sd": found.sd}
    return {**row, "source": OWN}


def _reference_estimates(cohort: Cohort, group: Group) -> tuple[Volumes, Volumes]:
    """ABC/2 and volume of the references; of each case from the first method that knows both."""
    estimates: Volumes = [None] * len(group.case_ids)
    volumes: Volumes = list(estimates)
    for method in cohort.methods:
        found = zip(
            cohort.values(method, "reference_abc2_ml", group), cohort.values(method, REFERENCE_ML, group), strict=True
        )
        for place, (estimate, volume) in enumerate(found):
            if estimates[place] is None and estimate is not None and volume is not None:
                estimates[place], volumes[place] = estimate, volume
    return estimates, volumes


def _error_column(group: Group) -> Column:
    def show(row: Row) -> str:
        return mean_sd(row.get(f"{group.name} mean"), row.get(f"{group.name} sd"))

    return Column(f"{group.name} (mL)", show)
