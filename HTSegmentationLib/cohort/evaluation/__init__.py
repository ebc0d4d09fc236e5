"""Evaluation of a cohort as the papers publish it: which cases, which methods, which groups, and the tables of them."""

from HTSegmentationLib.cohort.evaluation.evaluate import Evaluation, evaluate
from HTSegmentationLib.cohort.evaluation.mask_folders import evaluate_masks
from HTSegmentationLib.cohort.evaluation.results import CaseResult, MethodResults
from HTSegmentationLib.cohort.evaluation.results_file import read_results
from HTSegmentationLib.cohort.evaluation.table import Column, Table

__all__ = [
    "CaseResult",
    "Column",
    "Evaluation",
    "MethodResults",
    "Table",
    "evaluate",
    "evaluate_masks",
    "read_results",
]
