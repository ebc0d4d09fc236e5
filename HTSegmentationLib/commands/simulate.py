"""Simulates a head CT with a hemorrhage, its exact mask and an ROI as somebody would draw it, or a whole cohort of them."""

from __future__ import annotations

import argparse

from HTSegmentationLib.commands.case_arguments import add_case_flags, case_parameters, made_folder

HELP = "simulate a head CT with a hemorrhage, or a cohort"

_OF_A_CASE = ("type", "volume", "side", "slice_thickness", "noise", "touching_skull")
"""Flags that a cohort draws for each of its cases."""

_OF_A_COHORT = ("hi2", "ph", "jobs")
"""Flags that have no meaning for one case."""

_CASE_SEED, _COHORT_SEED = 1, 0
"""Seeds of whoever does not choose."""

_HI2, _PH = 28, 23
"""The published cohort's numbers of cases."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("what", nargs="?", choices=("case", "cohort"), default="case", help="default: %(default)s")
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for ct, truth, infarct and roi (.nii.gz); of a cohort, for cohort.csv and one folder a case",
    )
    parser.add_argument("--json", metavar="FILE", help="the record as JSON; - for stdout instead of words")
    add_case_flags(parser, seed_help=f"another seed is another patient; default: {_CASE_SEED}; of a cohort: {_COHORT_SEED}")
    parser.set_defaults(seed=None)
    group = parser.add_argument_group("the simulated cohort", "Cases that are there already are not made again.")
    group.add_argument("--hi2", type=int, metavar="N", help=f"number of HI2 cases; default: {_HI2}, as published")
    group.add_argument("--ph", type=int, metavar="N", help=f"number of PH cases; default: {_PH}, as published")
    group.add_argument("--jobs", type=int, metavar="N", help="cases at once; default: as many as there are cores")
    parser.set_defaults(default_of=parser.get_default)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.errors import UsageError

    foreign, other = (_OF_A_COHORT, "a cohort") if options.what == "case" else (_OF_A_CASE, "a single case")
    for name in foreign:
        if getattr(options, name) != options.default_of(name):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} goes with {other}; leave it out, or write htseg simulate {other.split()[-1]}")
    return _run_case(options) if options.what == "case" else _run_cohort(options)


def _run_case(options: argparse.Namespace) -> int:
    from HTSegmentationLib.cohort.simulated import write_case
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.simulate.head import simulate_head

    options.seed = _CASE_SEED if options.seed is None else options.seed
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


def _run_cohort(options: argparse.Namespace) -> int:
    from HTSegmentationLib.cohort.simulated import simulate_cohort
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.simulate.cohort import cohort_parameters

    seed = _COHORT_SEED if options.seed is None else options.seed
    hi2, ph = (_HI2 if options.hi2 is None else options.hi2), (_PH if options.ph is None else options.ph)
    if hi2 + ph == 0:
        raise UsageError("--hi2 0 --ph 0: a cohort has at least one case")
    if seed < 0:
        raise UsageError(f"--seed {seed}: a seed is 0 or more")
    parameters = cohort_parameters(hi2, ph, seed)
    folder = made_folder(options.output)
    progress = ProgressLine()
    try:
        cohort = simulate_cohort(parameters, folder, jobs=options.jobs, progress=progress)
    finally:
        progress.clear()
    there = len(cohort.case_ids) - cohort.made
    mean_ml = sum(cohort.true_volumes_ml) / len(cohort.true_volumes_ml)
    record = {"manifest": str(cohort.manifest), "cases": list(cohort.case_ids), "made": cohort.made, "seed": seed}
    cases = f"{len(cohort.case_ids)} ({hi2} HI2, {ph} PH), simulated: no patients"
    words = [row("Cases", f"{cases}; {there} were there already" if there else cases)]
    words += [row("Mean true volume", f"{mean_ml:.2f} mL"), row("Manifest", str(cohort.manifest))]
    deliver(record, words, options.json)
    return 0
