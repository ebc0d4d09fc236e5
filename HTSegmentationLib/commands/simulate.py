"""Simulates a head CT with a hemorrhage, its exact mask and an ROI as somebody would draw it."""

from __future__ import annotations

import argparse

from HTSegmentationLib.commands.case_arguments import add_case_flags, case_parameters, made_folder, write_case

HELP = "simulate a head CT with a hemorrhage"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for ct, truth, infarct and roi (.nii.gz)")
    parser.add_argument("--json", metavar="FILE", help="the record as JSON; - for stdout instead of words")
    add_case_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.simulate.head import simulate_head

    parameters = case_parameters(options)
    folder = made_folder(options.output)
    progress = ProgressLine()
    try:
        progress("simulating", 0.0)
        case = simulate_head(parameters)
        progress("writing", 0.9)
        files = write_case(case, folder)
    finally:
        progress.clear()
    record = {"files": files, "true_volume_ml": case.true_volume_ml, "seed": parameters.seed, "type": options.type}
    words = [row("True volume", f"{case.true_volume_ml:.2f} mL ({options.type}, simulated)")]
    words += [row(name, path) for name, path in files.items()]
    deliver(record, words, options.json)
    return 0
