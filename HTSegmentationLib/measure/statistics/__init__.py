"""Statistics of a cohort: summaries, agreement of two measurements, comparison of methods, groups and raters.

Every function takes one-dimensional values, one a case. What is None, NaN or infinite is left out (of pairs, the whole pair)
and counted in the result's ``missing``. What too few values cannot tell is None in the result: nothing is raised or printed.
"""

from HTSegmentationLib.measure.statistics.bland_altman import BlandAltman, bland_altman
from HTSegmentationLib.measure.statistics.bootstrap import bootstrap_interval
from HTSegmentationLib.measure.statistics.concordance import Concordance, lins_ccc
from HTSegmentationLib.measure.statistics.correction import false_discovery
from HTSegmentationLib.measure.statistics.groups import (
    DunnPair,
    KruskalWallis,
    MannWhitney,
    kruskal_wallis,
    mann_whitney,
)
from HTSegmentationLib.measure.statistics.icc import Icc, IntraclassCorrelation, intraclass_correlation
from HTSegmentationLib.measure.statistics.interval import Interval
from HTSegmentationLib.measure.statistics.kappa import Kappa, cohens_kappa, masks_kappa
from HTSegmentationLib.measure.statistics.paired import PairedComparison, compare_paired
from HTSegmentationLib.measure.statistics.regression import LinearFit, linear_fit
from HTSegmentationLib.measure.statistics.summary import Summary, summarize
from HTSegmentationLib.measure.statistics.volumes import (
    AbsoluteError,
    Disagreement,
    disagreement_rate,
    mean_absolute_error,
)

__all__ = [
    "AbsoluteError",
    "BlandAltman",
    "Concordance",
    "Disagreement",
    "DunnPair",
    "Icc",
    "Interval",
    "IntraclassCorrelation",
    "Kappa",
    "KruskalWallis",
    "LinearFit",
    "MannWhitney",
    "PairedComparison",
    "Summary",
    "bland_altman",
    "bootstrap_interval",
    "cohens_kappa",
    "compare_paired",
    "disagreement_rate",
    "false_discovery",
    "intraclass_correlation",
    "kruskal_wallis",
    "linear_fit",
    "lins_ccc",
    "mann_whitney",
    "masks_kappa",
    "mean_absolute_error",
    "summarize",
]
