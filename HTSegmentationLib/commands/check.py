"""Checks this computer: what works, what is missing and how it is mended. Nothing is changed, nothing is fetched."""

from __future__ import annotations

import argparse

HELP = "check what is installed here"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("--json", metavar="FILE", help="everything as JSON; - for stdout instead of words")


def run(options: argparse.Namespace) -> int:
    """Runs the command; 1 when something is wrong without which nothing works."""
    from HTSegmentationLib.commands.console import deliver
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.files import require_writable
    from HTSegmentationLib.inference.environment.check import check_environment, stops_core
    from HTSegmentationLib.inference.environment.finding import Level
    from HTSegmentationLib.version import __version__

    if options.json not in (None, "-"):
        require_writable(options.json)
    findings = check_environment()
    words = [row("HTSegmentation", f"{'':9}{__version__}")]
    for finding in findings:
        words.append(row(finding.title, f"{finding.level.value:<9}{finding.text}"))
        if finding.fix:
            words.append(row("", f"{'':9}> {finding.fix}"))
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    words += ["", f"{problems or 'No'} problem{'' if problems == 1 else 's'} found."]
    record = {"version": __version__, "works": not stops_core(findings), "findings": [entry.as_dict() for entry in findings]}
    deliver(record, words, options.json)
    return int(stops_core(findings))
