"""Looks through one CT for what may be a bleed and proposes regions of interest for it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.ct_arguments import add_ct_flags, ct_options

if TYPE_CHECKING:
    from HTSegmentationLib.suggest import Candidate, Suggestions

HELP = "propose where a bleed may be"

_EPILOG = """\
A region is proposed if it is denser than normal brain of this scan and than its mirror image, and if neither bone nor
calcium nor the midline explains it. Centres are given as 3D Slicer's and other viewers show them: R or L, A or P, I or
S of the scanner's origin; the JSON has them in LPS and RAS. "htseg segment CT --roi auto" does the same and segments.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("ct", metavar="CT", help="DICOM folder or file, NIfTI, NRRD or MetaImage")
    parser.add_argument(
        "--output",
        metavar="ROI",
        help="all regions in one .mrk.json, or a folder, which gets region-1.mrk.json and so on for 3D Slicer",
    )
    parser.add_argument("--max", type=int, metavar="N", help="how many regions at most; default: 5")
    parser.add_argument("--least-score", type=float, metavar="S", help="0 to 1; lower proposes fainter ones; default: 0.5")
    parser.add_argument("--json", metavar="FILE", help="everything as JSON; - for stdout instead of words")
    add_ct_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.commands.case_arguments import made_folder
    from HTSegmentationLib.commands.console import ProgressLine, deliver, require_not_input
    from HTSegmentationLib.commands.words import remark_lines
    from HTSegmentationLib.ct.read import read_ct
    from HTSegmentationLib.export.record import versions
    from HTSegmentationLib.files import require_writable
    from HTSegmentationLib.progress import part_of
    from HTSegmentationLib.suggest import LEAST_SCORE, MOST_PROPOSED, require_rois_path, suggest_regions, write_rois
    from HTSegmentationLib.threshold.prepare import prepare

    require_not_input([options.output, options.json], [options.ct])
    if options.json not in (None, "-"):
        require_writable(options.json)
    if options.output is not None:
        if not options.output.lower().endswith(".json"):
            made_folder(options.output)
        require_rois_path(options.output)
    progress = ProgressLine()
    try:
        scan = read_ct(options.ct, **ct_options(options), progress=part_of(progress, 0.0, 0.3))
        prepared = prepare(scan, part_of(progress, 0.3, 0.6))
        found = suggest_regions(
            prepared,
            most=MOST_PROPOSED if options.max is None else options.max,
            least_score=LEAST_SCORE if options.least_score is None else options.least_score,
            progress=part_of(progress, 0.6, 1.0),
        )
        files = write_rois(options.output, found.proposed) if options.output else []
    finally:
        progress.clear()
    remarks = (*prepared.remarks, *found.remarks)
    seconds = {**prepared.stage_seconds, **found.stage_seconds}
    record = {"versions": versions(), "ct": options.ct, **found.as_dict(), "files": [str(file) for file in files]}
    record |= {"remarks": [remark.as_dict() for remark in remarks], "stage_seconds": seconds}
    words = [*_words(found), *(f"Written to {file}" for file in files), *remark_lines(remarks)]
    deliver(record, words, options.json)
    return 0


def _words(found: Suggestions) -> list[str]:
    lines = [] if found.proposed else ["No region is proposed."]
    for number, candidate in enumerate(found.proposed, start=1):
        lines += _candidate_words(f"Region {number}", candidate)
    for candidate in found.set_aside:
        lines += _candidate_words("Set aside", candidate)
    return lines


def _candidate_words(name: str, candidate: Candidate) -> list[str]:
    import textwrap

    from HTSegmentationLib.commands.words import row

    density = f"mean {candidate.mean_hu:.0f} HU, up to {candidate.peak_hu:.0f} HU"
    reason = textwrap.wrap(candidate.reason, 88)
    first = row(name, f"score {candidate.score:.2f}, {candidate.where()}, about {candidate.size_ml:.1f} mL, {density}")
    return [first, *(row("", line) for line in reason)]
