"""Simulates a head CT with a hemorrhage, its exact masks and an ROI as somebody would draw it, or a whole cohort of them.

With --background, the lesion is painted into a given CT or template instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.case_arguments import add_case_flags, case_parameters, made_folder

if TYPE_CHECKING:
    from HTSegmentationLib.simulate.parameters import SimulationParameters

HELP = "simulate a head CT with a hemorrhage, or a cohort"

_OF_A_CASE = (
    *("type", "volume", "side", "touching_skull", "edema", "ivh", "calcification"),
    *("staining", "streaks", "motion", "roi_margin"),
)
"""Flags that a cohort draws for each of its cases."""

_COUNTS = ("hi2", "ph", "hi1", "ph1", "ph2", "controls")
"""Numbers of cases of each type, in the order of the manifest."""

_OF_A_COHORT = (*_COUNTS, "confounders", "reference", "jobs")
"""Flags that have no meaning for one case."""

_CASE_SEED, _COHORT_SEED = 1, 0
"""Seeds of whoever does not choose."""

_PUBLISHED = {"hi2": 28, "ph": 23}
"""The published cohort's numbers of cases."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("what", nargs="?", choices=("case", "cohort"), default="case", help="default: %(default)s")
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for ct, truth, labels, infarct and roi (.nii.gz); of a cohort, for cohort.csv and one folder a case",
    )
    parser.add_argument("--json", metavar="FILE", help="the record as JSON; - for stdout instead of words")
    add_case_flags(parser, seed_help=f"another seed is another patient; default: {_CASE_SEED}; of a cohort: {_COHORT_SEED}")
    parser.set_defaults(seed=None)
    group = parser.add_argument_group("on a given scan", "The scan is never changed; what it displaces stays where it is.")
    group.add_argument(
        "--background", nargs="+", default=[], metavar="CT", help="CT or template in HU to paint into; of a cohort, several"
    )
    group.add_argument(
        "--infarct", nargs="+", default=[], metavar="MASK", help="mask of the infarct, in the background's space; likewise"
    )
    group = parser.add_argument_group("the simulated cohort", "Cases that are there already are not made again.")
    group.add_argument("--hi2", type=int, metavar="N", help="number of HI2 cases; default: 28, as published")
    group.add_argument("--ph", type=int, metavar="N", help="number of PH cases; default: 23, as published")
    for name in ("hi1", "ph1", "ph2"):
        words = f"number of {name.upper()} cases; with any of these, HI2 and PH are 0 unless given"
        group.add_argument(f"--{name}", type=int, metavar="N", help=words)
    group.add_argument("--controls", type=int, metavar="N", help="number of cases without a hemorrhage; likewise")
    group.add_argument(
        "--confounders",
        choices=("none", "some", "hard"),
        default="none",
        help="how often cases have what the flags above add, thin slices, more noise and other ROIs; default: %(default)s",
    )
    group.add_argument(
        "--reference",
        choices=("truth", "labels"),
        default="truth",
        help="the manifest's reference: blood alone, or labels by class to train with; default: %(default)s",
    )
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
    if options.background and options.slice_thickness is not None:
        raise UsageError("--slice-thickness goes with simulated heads; a background keeps its own slices, leave it out")
    if options.infarct and not options.background:
        raise UsageError("--infarct goes with --background; name the CT or template that the mask lies in")
    return _run_case(options) if options.what == "case" else _run_cohort(options)


def _run_case(options: argparse.Namespace) -> int:
    from HTSegmentationLib.cohort.simulated import PlannedCase, simulate_planned, write_case
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.errors import UsageError

    for name in ("background", "infarct"):
        if len(getattr(options, name)) > 1:
            raise UsageError(f"--{name} takes one file for a single case; name one, or write htseg simulate cohort")
    options.seed = _CASE_SEED if options.seed is None else options.seed
    parameters = case_parameters(options)
    files = [Path(names[0]) if names else None for names in (options.background, options.infarct)]
    folder = made_folder(options.output)
    progress = ProgressLine()
    try:
        progress("simulating", 0.0)
        case = simulate_planned(PlannedCase(parameters, *files, options.noise), fit=options.volume is None)
        progress("writing", 0.9)
        written = write_case(case, folder)
    finally:
        progress.clear()
    remarks = [remark.as_dict() for remark in case.scan.remarks]
    record = {"files": written, "true_volume_ml": case.true_volume_ml, "seed": parameters.seed, "type": options.type}
    words = [row("True volume", f"{case.true_volume_ml:.2f} mL ({options.type}, simulated)")]
    if case.intraventricular_ml:
        record["intraventricular_ml"] = case.intraventricular_ml
        words.append(row("In the ventricles", f"{case.intraventricular_ml:.2f} mL"))
    words += [row(name, path) for name, path in written.items()]
    if remarks:
        record["remarks"] = remarks
        words += [row("Remark", remark["text"]) for remark in remarks]
    deliver(record, words, options.json)
    return 0


def _run_cohort(options: argparse.Namespace) -> int:
    from HTSegmentationLib.cohort.simulated import Reference, planned_cases, simulate_cohort
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.words import row

    seed = _COHORT_SEED if options.seed is None else options.seed
    counts = _counts(options)
    parameters = _cohort_parameters(options, counts, seed)
    backgrounds, infarcts = ([Path(name) for name in names] for names in (options.background, options.infarct))
    cases = planned_cases(parameters, backgrounds, infarcts, noise_sd_hu=options.noise, seed=seed)
    folder = made_folder(options.output)
    progress = ProgressLine()
    try:
        cohort = simulate_cohort(cases, folder, reference=Reference(options.reference), jobs=options.jobs, progress=progress)
    finally:
        progress.clear()
    there = len(cohort.case_ids) - cohort.made
    bleeding = [volume for volume in cohort.true_volumes_ml if volume]
    record = {"manifest": str(cohort.manifest), "cases": list(cohort.case_ids), "made": cohort.made, "seed": seed}
    shown = {name: count for name, count in counts.items() if count or name in _PUBLISHED}
    types = ", ".join(f"{count} {'without' if name == 'controls' else name.upper()}" for name, count in shown.items())
    origin = f"simulated in {', '.join(path.name for path in backgrounds)}" if backgrounds else "simulated: no patients"
    cases_words = f"{len(cohort.case_ids)} ({types}), {origin}"
    words = [row("Cases", f"{cases_words}; {there} were there already" if there else cases_words)]
    if bleeding:
        words.append(row("Mean true volume", f"{sum(bleeding) / len(bleeding):.2f} mL"))
    words.append(row("Manifest", str(cohort.manifest)))
    deliver(record, words, options.json)
    return 0


def _counts(options: argparse.Namespace) -> dict[str, int]:
    """How many cases of each type; the published numbers if no other type is asked for."""
    from HTSegmentationLib.errors import UsageError

    given = {name: getattr(options, name) for name in _COUNTS}
    published = all(given[name] is None for name in _COUNTS if name not in _PUBLISHED)
    counts = {name: count if count is not None else _PUBLISHED.get(name, 0) * published for name, count in given.items()}
    if not any(counts.values()):
        asked = " ".join(f"--{name} 0" for name, count in given.items() if count is not None)
        raise UsageError(f"{asked}: a cohort has at least one case")
    return counts


def _cohort_parameters(options: argparse.Namespace, counts: dict[str, int], seed: int) -> list[SimulationParameters]:
    from dataclasses import replace

    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.simulate.cohort import cohort_parameters
    from HTSegmentationLib.simulate.confounders import confounders_named

    if seed < 0:
        raise UsageError(f"--seed {seed}: a seed is 0 or more")
    numbers = {f"count_{name}": count for name, count in counts.items()}
    mixture = None if options.confounders == "none" else confounders_named(options.confounders)
    parameters = cohort_parameters(seed=seed, confounders=mixture, slice_thickness_mm=options.slice_thickness, **numbers)
    if options.noise is not None and not options.background:
        parameters = [replace(case, noise_sd_hu=options.noise) for case in parameters]
    return parameters
