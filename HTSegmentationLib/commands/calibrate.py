"""Fits the adaptive method's rule table to a site's own references, and says on held-out cases what that gains."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.ct_arguments import add_ct_flags, ct_options

if TYPE_CHECKING:
    from HTSegmentationLib.cohort.calibration import CaseFiles, FailedCase
    from HTSegmentationLib.cohort.manifest import Manifest

HELP = "fit the rule table to your own references"

_FEWEST_FOLDS = 2
"""One to judge on, and one to fit on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("manifest", metavar="COHORT", help="table of cases with image, roi, reference and, best, ht_type")
    parser.add_argument(
        "--output", required=True, metavar="TOML", help="the parameter file, for --parameters and for the panel in 3D Slicer"
    )
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="of the cross-validation; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of folds and bootstrap; default: %(default)s")
    parser.add_argument("--jobs", type=int, metavar="N", help="cases at once; default: as many as there are cores")
    parser.add_argument("--report-json", metavar="FILE", help="everything as JSON; - for stdout instead of words")
    add_ct_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from pathlib import Path

    from HTSegmentationLib.cohort.calibration import calibrate, calibration_words, provenance_lines
    from HTSegmentationLib.cohort.manifest import read_manifest
    from HTSegmentationLib.commands.console import ProgressLine, deliver, require_not_input
    from HTSegmentationLib.commands.words import remark_lines, row
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.files import require_writable
    from HTSegmentationLib.threshold.parameter_files import save_parameters
    from HTSegmentationLib.threshold.parameters import AdaptiveParameters

    if not options.output.lower().endswith(".toml"):
        raise UsageError(f"{options.output}: give a name that ends in .toml; only it can say in the file where it came from")
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed}: a seed is 0 or more")
    if options.folds < _FEWEST_FOLDS:
        raise UsageError(f"--folds {options.folds}: with fewer than {_FEWEST_FOLDS} there is nothing to fit on")
    manifest = read_manifest(options.manifest, needs_roi=True)
    inputs = [options.manifest, *(str(path) for case in manifest.cases for path in case.inputs())]
    require_not_input([options.output, options.report_json], inputs)
    for path in (options.output, options.report_json):
        if path not in (None, "-"):
            require_writable(path)
    files, left_out, without = _cases(manifest, ct_options(options))
    progress = ProgressLine()
    try:
        found = calibrate(
            files, folds=options.folds, seed=options.seed, jobs=options.jobs, left_out=left_out, progress=progress
        )
    finally:
        progress.clear()
    name = "".join(letter if letter.isprintable() else "?" for letter in Path(options.manifest).name)
    save_parameters(options.output, AdaptiveParameters(rules=found.rules), comment=provenance_lines(found, name))
    record = {**found.as_dict(), "manifest": name, "without_reference": without, "output": options.output}
    words = [row(title, text) for title, text in calibration_words(found)]
    if without:
        words.append(row("No reference", f"{without} rows of the table have none and were left out"))
    words += remark_lines(manifest.remarks)
    deliver(record, [*words, "", f"Parameters written to {options.output}"], options.report_json)
    return 0


def _cases(manifest: Manifest, reading: dict[str, object]) -> tuple[list[CaseFiles], tuple[FailedCase, ...], int]:
    """Cases to work on, those that the table itself rules out, and how many have no reference."""
    from HTSegmentationLib.cohort.calibration import CaseFiles, FailedCase
    from HTSegmentationLib.errors import UsageError

    if manifest.table_problems:
        manifest.require_sound()
    if "reference" not in manifest.columns:
        raise UsageError(f"{manifest.path}: it has no column reference; add one with the masks drawn by hand")
    files, failed, without = [], [], 0
    for case in manifest.cases:
        if case.problems:
            failed.append(FailedCase(case.case_id, "; ".join(case.problems)))
        elif case.reference is None:
            without += 1
        else:
            options = reading | ({"series": case.series} if case.series else {})
            files.append(CaseFiles(case.case_id, case.ht_type, case.image, case.roi, case.reference, options))
    return files, tuple(failed), without
