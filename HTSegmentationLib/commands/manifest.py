"""Drafts a table of cases for batch, evaluation and calibration from a folder of scans; look through it before using it."""

from __future__ import annotations

import argparse

HELP = "draft a table of cases from a folder"

_MOST_TOLD = 20
"""Lines on what is not clear; the rest is counted."""

_EPILOG = """\
A PATTERN is a file name in which * stands for any letters: ct.nii.gz, roi*.mrk.json. It is looked for in the folder of each
case. With {id}, what stands there names the case: {id}_ct.nii.gz, images/{id}.nii.gz. Without patterns, a folder a case is
looked for with ct.* or image.*, roi.*, truth.* or reference.* or mask.*; then files named CASE_ct.* and so on; then DICOM.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("folder", metavar="DIR", help="the folder that holds the cases")
    parser.add_argument("--output", required=True, metavar="CSV", help="the table; its paths are relative to it")
    parser.add_argument("--force", action="store_true", help="write over a table that is there")
    names = parser.add_argument_group("how the files are named (repeat a flag for several patterns)")
    for column, what in (
        ("image", "the CTs"),
        ("roi", "regions of interest; all that suit count together"),
        ("reference", "masks that results are compared with"),
        ("baseline", "earlier CTs of the same patients"),
        ("baseline-roi", "regions of interest on these"),
    ):
        names.add_argument(f"--{column}", action="append", metavar="PATTERN", help=what)
    parser.add_argument(
        "--group",
        metavar="REGEX",
        help="what of a case's path below DIR is its ht_type, as '^(HI1|HI2|PH1|PH2)/'",
    )


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from pathlib import Path

    from HTSegmentationLib.cohort.manifest import write_manifest
    from HTSegmentationLib.cohort.manifest.draft import draft_manifest
    from HTSegmentationLib.commands.console import ProgressLine, say
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.files import require_writable

    table = Path(options.output)
    if table.exists() and not options.force:
        raise UsageError(f"{table}: it is there already; choose another name or give --force to write over it")
    require_writable(table)
    progress = ProgressLine()
    try:
        draft = draft_manifest(options.folder, table, patterns=_patterns(options), group=options.group, progress=progress)
    finally:
        progress.clear()
    write_manifest(table, draft.rows, draft.columns)
    total = len(draft.rows)
    say(row("Cases", str(total)))
    for column in draft.columns[1:]:
        held = draft.count(column)
        without = [r["case_id"] for r in draft.rows if not r.get(column)]
        say(row(column, "all" if held == total else f"{held} of {total}; none for {_listed(without)}"))
    for text in draft.unclear[:_MOST_TOLD]:
        say(f"!  {text}")
    if len(draft.unclear) > _MOST_TOLD:
        say(f"!  and {len(draft.unclear) - _MOST_TOLD} more of this kind")
    say(f"\nTable written to {table}; look through it before it is used.")
    return 0


def _patterns(options: argparse.Namespace) -> object:
    """What the flags name, with the usual names for the rest; None if they name nothing."""
    from dataclasses import replace

    from HTSegmentationLib.cohort.manifest.patterns import CASE_MARK, FLAT_PATTERNS, FOLDER_PATTERNS

    given = {
        name: tuple(patterns)
        for name in ("image", "roi", "reference", "baseline", "baseline_roi")
        if (patterns := getattr(options, name)) is not None
    }
    if not given:
        return None
    flat = any(CASE_MARK in pattern for patterns in given.values() for pattern in patterns)
    return replace(FLAT_PATTERNS if flat else FOLDER_PATTERNS, **given)


def _listed(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
