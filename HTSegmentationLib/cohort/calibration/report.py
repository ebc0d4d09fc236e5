"""A calibration in words: for the reader, and as the header of the file that it becomes."""

from __future__ import annotations

from HTSegmentationLib.cohort.calibration.result import Calibration
from HTSegmentationLib.measure.statistics import Concordance
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule, sd_range
from HTSegmentationLib.version import __version__

_MOST_FAILED = 10
"""Failed cases that are named in words; all are in the JSON report."""


def provenance_lines(calibration: Calibration, manifest_name: str) -> list[str]:
    """What the file's reader must know of it; no dates, so that the same cases give the same file.

    Args:
        calibration: What was found.
        manifest_name: Name of the table of cases, without its folders.
    """
    lines = [
        f"Rule table fitted by htseg calibrate {__version__} on {len(calibration.cases)} cases of {manifest_name}",
        f"({len(calibration.folds)} folds, seed {calibration.seed}, {len(calibration.failed)} cases left out as failed).",
        f"{gain_sentence(calibration)}",
    ]
    if not calibration.table.rows:
        lines.append("No window bettered the published ones enough: this IS the published table.")
    elif not calibration.gain_shown:
        lines.append("NO GAIN IS SHOWN: the interval holds 0. Stay with the published table until more cases say otherwise.")
    lines.append("It fits this site's scanners and these readers' outlines; try it on other cases before it is used.")
    return lines


def gain_sentence(calibration: Calibration) -> str:
    """Both means on held-out cases, the gain and its interval."""
    gain = calibration.gain
    means = f"{calibration.calibrated_dice:.3f} against {calibration.published_dice:.3f} with the published table"
    interval = ""
    if gain.interval is not None:
        interval = f" (95% interval {gain.interval.low:+.3f} to {gain.interval.high:+.3f})"
    return f"Mean Dice on held-out cases {means}: {gain.mean_difference:+.3f}{interval}."


def calibration_words(calibration: Calibration) -> list[tuple[str, str]]:
    """Names and values for the reader, in order."""
    gain = calibration.gain
    wilcoxon = "" if gain.wilcoxon_p is None else f", Wilcoxon p {gain.wilcoxon_p:.2g}"
    words = [
        (
            "Cases",
            f"{len(calibration.cases)}, {len(calibration.folds)} folds, every case judged by tables that did not see it",
        ),
        ("Dice, published", f"{calibration.published_dice:.3f}"),
        ("Dice, calibrated", f"{calibration.calibrated_dice:.3f} (held out)"),
        ("Gain", _gain(calibration) + wilcoxon),
        ("CCC, published", _ccc(calibration.published_ccc)),
        ("CCC, calibrated", f"{_ccc(calibration.calibrated_ccc)} (held out)"),
    ]
    words += [("" if n else "Folds", text) for n, text in enumerate(_fold_texts(calibration))]
    words += [("" if n else "Table", text) for n, text in enumerate(_rule_texts(calibration.rules))]
    for number, spread in enumerate(calibration.border_spreads):
        found = f"{spread.lowest_sd:g} to {spread.highest_sd:g} in {spread.folds} of {len(calibration.folds)} folds"
        text = f"SD {spread.border_sd:g}: {found}" if spread.folds else f"SD {spread.border_sd:g}: in none of the folds"
        words.append(("" if number else "Borders", text))
    words.append(("Advice", _advice(calibration)))
    words += [("" if n else "Left out", f"{c.case_id}: {c.reason}") for n, c in enumerate(calibration.failed[:_MOST_FAILED])]
    if len(calibration.failed) > _MOST_FAILED:
        words.append(("", f"and {len(calibration.failed) - _MOST_FAILED} more; all are in the JSON report"))
    return words


def _gain(calibration: Calibration) -> str:
    gain = calibration.gain
    interval = "" if gain.interval is None else f" (95% interval {gain.interval.low:+.3f} to {gain.interval.high:+.3f})"
    shares = f"better in {gain.share_better:.0%} of cases, worse in {gain.share_worse:.0%}"
    return f"{gain.mean_difference:+.3f}{interval}, {shares}"


def _ccc(found: Concordance) -> str:
    if found.ccc is None:
        return "undefined"
    interval = "" if found.interval is None else f" ({found.interval.low:.2f} to {found.interval.high:.2f})"
    return f"{found.ccc:.2f}{interval}, volumes against the references"


def _fold_texts(calibration: Calibration) -> list[str]:
    texts = []
    for number, fold in enumerate(calibration.folds, start=1):
        dice = f"Dice published {fold.published_dice:.3f}, calibrated {fold.calibrated_dice:.3f}"
        texts.append(f"{number}: {len(fold.case_ids)} cases, {dice}")
    return texts


def _rule_texts(rules: tuple[Rule, ...]) -> list[str]:
    texts = []
    for number, rule in enumerate(rules):
        kept = " (published)" if rule.classification in {published.classification for published in PUBLISHED_RULES} else ""
        texts.append(f"{sd_range(rules, number)}: {rule.lower_hu:g} to {rule.upper_hu:g} HU, {rule.classification}{kept}")
    return texts


def _advice(calibration: Calibration) -> str:
    if not calibration.table.rows:
        return "no window bettered the published ones enough; the file holds the published table"
    if not calibration.gain_shown:
        return "no gain is shown (the interval holds 0): stay with the published table"
    return "the gain is shown on held-out cases of this site; try the table on later cases before it is used"
