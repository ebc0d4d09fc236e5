"""Raters and methods side by side: Table 2 and the disagreement of the paper on a CNN with deep supervision."""

from __future__ import annotations

from typing import Any

from HTSegmentationLib.cohort.cells import share
from HTSegmentationLib.cohort.evaluation.published import RATERS
from HTSegmentationLib.cohort.evaluation.raters import RaterStudy
from HTSegmentationLib.cohort.evaluation.table import (
    OWN,
    Column,
    Table,
    ends,
    interval_column,
    mean_sd_column,
    number_column,
    p_column,
    text_column,
)
from HTSegmentationLib.measure.statistics import (
    disagreement_rate,
    intraclass_correlation,
    linear_fit,
    lins_ccc,
    mann_whitney,
    summarize,
)

_EXPERTS = "Expert against expert"


def rater_pair_table(study: RaterStudy) -> Table:
    """Kappa, regression of the volumes and their disagreement for each pair of raters and of a method and a rater."""
    pairs = [(_EXPERTS, pair) for pair in study.expert_pairs]
    pairs += [(_against(method), pair) for method in study.methods for pair in study.method_pairs(method)]
    rows = []
    for kind, (first, second) in pairs:
        kappa = summarize(study.kappas(first, second))
        one, other = study.volumes(first, second)
        fit, agreement, apart = linear_fit(other, one), lins_ccc(one, other), disagreement_rate(one, other)
        row: dict[str, Any] = {"kind": kind, "first": first, "second": second, "n": kappa.n}
        row |= {"kappa_mean": kappa.mean, "kappa_sd": kappa.sd, **ends(kappa.mean_interval, "kappa")}
        row |= {"volumes": fit.n, "slope": fit.slope, "slope_p": fit.p_value}
        row |= {"intercept_ml": fit.intercept, "intercept_p": fit.intercept_p_value}
        row |= {"ccc": agreement.ccc, **ends(agreement.interval, "ccc")}
        row |= {"disagreement": apart.rate, "absolute_disagreement": apart.absolute_rate}
        rows.append({**row, "source": OWN})
    columns = (
        text_column("First", "first"),
        text_column("Second", "second"),
        number_column("n", "n", 0),
        mean_sd_column("Kappa", "kappa"),
        interval_column("95% interval", "kappa"),
        number_column("Slope", "slope"),
        p_column("Slope p", "slope_p"),
        number_column("Intercept (mL)", "intercept_ml", 1, sign=True),
        p_column("Intercept p", "intercept_p"),
        number_column("Lin's CCC", "ccc"),
        Column("Disagreement", lambda row: share(row["disagreement"])),
        Column("Absolute", lambda row: share(row["absolute_disagreement"])),
    )
    note = (
        "Kappa: mean (SD) of the cases' kappas, interval of the mean by bootstrap. Slope and intercept: the first one's "
        "volume as a linear function of the second one's. Disagreement: first less second over the mean of both."
    )
    return Table("raters", "Raters: each pair", columns, tuple(rows), " ".join([note, *study.remarks]))


def rater_kind_table(study: RaterStudy) -> Table:
    """Whether a method agrees with the experts as they agree among each other."""
    among = [value for pair in study.expert_pairs for value in study.kappas(*pair)]
    rows = [_kind_row(study, _EXPERTS, study.expert_pairs, study.experts)]
    for method in study.methods:
        pairs = study.method_pairs(method)
        values = [value for pair in pairs for value in study.kappas(*pair)]
        found = mann_whitney(among, values)
        row = _kind_row(study, _against(method), pairs, (method, *study.experts))
        rows.append({**row, "u": found.u, "p": found.p_value})
    columns = (
        text_column("Pairs", "method"),
        number_column("Kappas", "n", 0),
        mean_sd_column("Kappa", "kappa"),
        p_column("Mann-Whitney p", "p"),
        Column("Disagreement", lambda row: share(row.get("disagreement"))),
        number_column("ICC(2,1)", "icc"),
        interval_column("95% interval", "icc"),
    )
    note = (
        "Mann-Whitney: kappas of the method with the experts against those of the experts among each other; a p above 0.05 "
        "is no proof that they are alike. Disagreement: mean of the pairs' absolute disagreement. ICC: of all their volumes."
    )
    published = tuple({**entry.row(), "p": None} for entry in RATERS)
    return Table("rater_kinds", "Raters: method and experts", columns, (*rows, *published), note)


def _kind_row(study: RaterStudy, kind: str, pairs: list[tuple[str, str]], names: tuple[str, ...]) -> dict[str, Any]:
    kappa = summarize([value for pair in pairs for value in study.kappas(*pair)], resamples=0)
    rates = [disagreement_rate(*study.volumes(*pair)).absolute_rate for pair in pairs]
    apart = summarize(rates, resamples=0)
    volumes = [[case.volumes_ml.get(name) for name in names] for case in study.cases]
    icc = intraclass_correlation(volumes).icc2 if volumes and len(names) > 1 else None
    row: dict[str, Any] = {
        "method": kind,
        "n": kappa.n,
        "kappa_mean": kappa.mean,
        "kappa_sd": kappa.sd,
        "u": None,
        "p": None,
    }
    row |= {"disagreement": apart.mean, "disagreement_sd": apart.sd, "icc": icc.value if icc else None}
    return {**row, **ends(icc.interval if icc else None, "icc"), "source": OWN}


def _against(method: str) -> str:
    return f"{method} against expert"
