"""Evaluates results of a batch, or any masks, against references: the tables of the papers, raters, and a report."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from HTSegmentationLib.cohort.evaluation.raters import RaterStudy
    from HTSegmentationLib.cohort.evaluation.results import MethodResults
    from HTSegmentationLib.progress import Progress

HELP = "tables and a report of a cohort's results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument(
        "results", nargs="?", metavar="RESULTS", help="results.csv of a batch, or its folder; may be NAME=PATH"
    )
    parser.add_argument(
        "--compare",
        action="extend",
        nargs="+",
        default=[],
        metavar="OTHER",
        help="another batch of the same cases, or a folder of masks of them; may be NAME=PATH",
    )
    masks = parser.add_argument_group("masks of any program instead of RESULTS")
    masks.add_argument("--masks", metavar="DIR", help="CASE.nii.gz and the like, or CASE/mask.nii.gz; may be NAME=DIR")
    masks.add_argument("--references", metavar="DIR", help="the references, named likewise (or CASE/truth.nii.gz)")
    masks.add_argument("--rois", metavar="DIR", help="regions of interest, for sensitivity, specificity and AUC inside them")
    masks.add_argument("--images", metavar="DIR", help="the scans, for densities and pictures")
    masks.add_argument("--manifest", metavar="CSV", help="the table of cases, for their ht_type")
    masks.add_argument(
        "--label",
        action="append",
        default=[],
        type=_label,
        metavar="NAME=VALUE",
        help="compare this value of the masks; repeat it for several labels; all above 0 as one when left out",
    )
    parser.add_argument(
        "--rater", action="extend", nargs="+", default=[], metavar="NAME=DIR", help="raters' masks, for kappa and volumes"
    )
    parser.add_argument("--name", help="what the tables call RESULTS or the masks; the method when left out")
    counting = parser.add_argument_group("counting")
    counting.add_argument(
        "--group-by", default="ht_type", metavar="COLUMN", help="groups by this column of the results; default: %(default)s"
    )
    counting.add_argument(
        "--domain",
        choices=("roi", "brain", "image"),
        help="where voxels count for sensitivity, specificity and AUC; default: roi, as published, if there are any",
    )
    counting.add_argument(
        "--failed-as-zero", action="store_true", help="count failed cases as DSC 0 instead of leaving them out"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--report", action="extend", nargs="+", default=[], metavar="FILE", help=".html or .pdf (needs the extra 'report')"
    )
    output.add_argument("--output", metavar="DIR", help="each table as CSV and all of them as tables.json")
    output.add_argument("--json", metavar="FILE", help="everything as JSON; - for stdout instead of words")
    output.add_argument("--jobs", type=int, metavar="N", help="processes that read masks; default: one a core")


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.cohort.evaluation.evaluate import evaluate, write_tables
    from HTSegmentationLib.cohort.evaluation.results_file import RESULTS_FILE, write_results
    from HTSegmentationLib.cohort.evaluation.words import evaluation_words
    from HTSegmentationLib.cohort.report import write_report
    from HTSegmentationLib.commands.case_arguments import made_folder
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.progress import part_of

    _require_sense(options)
    _require_outputs(options)
    folder = made_folder(options.output) if options.output else None
    progress = ProgressLine()
    try:
        methods = _methods(options, part_of(progress, 0.0, 0.5))
        raters = _raters(options, methods, part_of(progress, 0.5, 0.7))
        evaluation = evaluate(
            methods,
            raters=raters,
            group_by=options.group_by,
            domain=options.domain,
            failed_as_zero=options.failed_as_zero,
        )
        if folder is not None:
            write_tables(evaluation, folder)
            if options.masks:
                write_results(methods[0], folder / RESULTS_FILE)
        if options.report:
            write_report(options.report, evaluation, name=options.name or "", progress=part_of(progress, 0.7, 1.0))
    finally:
        progress.clear()
    written = [
        *([f"Tables written to {folder}"] if folder else []),
        *(f"Report written to {name}" for name in options.report),
    ]
    deliver(evaluation.as_dict(), [*evaluation_words(evaluation), *([""] if written else []), *written], options.json)
    return 0


def _require_sense(options: argparse.Namespace) -> None:
    from HTSegmentationLib.errors import UsageError

    if (options.results is None) == (options.masks is None):
        raise UsageError("give the RESULTS of a batch, or --masks with --references, one of the two")
    if (options.masks is None) != (options.references is None):
        raise UsageError("--masks and --references go together")
    for name in ("rois", "images", "manifest"):
        if options.masks is None and getattr(options, name):
            raise UsageError(f"--{name} goes with --masks; the results of a batch know theirs")


def _require_outputs(options: argparse.Namespace) -> None:
    """Checks what is to be written before anything is read."""
    from pathlib import Path

    from HTSegmentationLib.cohort.evaluation.results_file import SETTINGS_FILE
    from HTSegmentationLib.cohort.report import require_report_path
    from HTSegmentationLib.commands.console import require_not_input
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.files import require_writable

    inputs = [name for name in (options.results, options.manifest) if name]
    require_not_input([*options.report, options.json], inputs)
    for name in options.report:
        require_report_path(name)
    if options.json not in (None, "-"):
        require_writable(options.json)
    if options.masks and options.output and (Path(options.output) / SETTINGS_FILE).exists():
        raise UsageError(f"{options.output} holds the results of a batch, which would be overwritten; choose another folder")


def _methods(options: argparse.Namespace, progress: Progress) -> list[MethodResults]:
    from dataclasses import replace
    from pathlib import Path

    from HTSegmentationLib.cohort.evaluation.mask_folders import evaluate_masks, masks_against
    from HTSegmentationLib.cohort.evaluation.results_file import holds_results, read_results
    from HTSegmentationLib.progress import part_of

    labels = tuple(options.label)
    main_name, main_path = _named(options.results or options.masks)
    main_name = options.name or main_name
    if options.masks:
        main = evaluate_masks(
            main_path,
            options.references,
            rois=options.rois,
            images=options.images,
            types=_types(options.manifest),
            labels=labels,
            name=main_name,
            jobs=options.jobs,
            progress=part_of(progress, 0.0, 0.5),
        )
    else:
        main = read_results(main_path, main_name)
    found = [(main, main_name, main_path)]
    for number, other in enumerate(options.compare):
        name, path = _named(other)
        start, end = 0.5 + 0.5 * number / len(options.compare), 0.5 + 0.5 * (number + 1) / len(options.compare)
        if holds_results(path):
            found.append((read_results(path, name), name, path))
            continue
        against = masks_against(
            main, path, labels=labels, name=name, jobs=options.jobs, progress=part_of(progress, start, end)
        )
        found.append((against, name, path))
    names = [method.name for method, _, _ in found]
    return [
        method if name or names.count(method.name) == 1 else replace(method, name=_folder_name(Path(path)))
        for method, name, path in found
    ]


def _raters(options: argparse.Namespace, methods: Iterable[MethodResults], progress: Progress) -> RaterStudy | None:
    from HTSegmentationLib.cohort.evaluation.raters import compare_raters
    from HTSegmentationLib.errors import UsageError

    folders: dict[str, str] = {}
    for text in options.rater:
        name, path = _named(text)
        if name is None or name in folders:
            raise UsageError(f"--rater {text}: give each rater a name of its own, as --rater R1=path/to/masks")
        folders[name] = path
    if not folders:
        return None
    return compare_raters(folders, tuple(methods), labels=tuple(options.label), jobs=options.jobs, progress=progress)


def _types(manifest: str | None) -> Mapping[str, str]:
    """The type of hemorrhagic transformation of each case of a manifest."""
    if manifest is None:
        return {}
    from HTSegmentationLib.cohort.manifest import read_manifest

    return {case.case_id: case.ht_type or "" for case in read_manifest(manifest, needs_roi=False).cases}


def _named(text: str) -> tuple[str | None, str]:
    """``NAME=PATH`` as name and path; the text itself if a file or folder is called so."""
    from pathlib import Path

    from HTSegmentationLib.cohort.cells import one_line

    name, equals, path = text.partition("=")
    if not equals or not name.strip() or Path(text).exists():
        return None, text
    return one_line(name), path


def _folder_name(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    return folder.resolve().name


def _label(text: str) -> tuple[str, int]:
    name, equals, value = text.partition("=")
    if equals and name.isidentifier() and value.isdecimal() and int(value) >= 1:
        return name, int(value)
    raise argparse.ArgumentTypeError(f"{text!r} must be a name in snake_case and a value of 1 or more, as edema=2")
