"""Makes data sets for nnU-Net out of tables of cases, and names the trainers that nnU-Net does not have."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.commands.ct_arguments import add_hu_flags

if TYPE_CHECKING:
    from HTSegmentationLib.training.nnunet.export import ExportedDataset

HELP = "export a cohort for nnU-Net, with trainers of other losses"

_MOST_PROBLEMS = 50
"""Problems that are shown; the rest is counted."""

_EXPORT_EPILOG = """\
The table has the columns case_id, image and reference and, if wanted, ht_type, patient_id and fold, as for htseg train;
paths are relative to it. DIR gets the folder DatasetID_NAME with imagesTr, labelsTr, dataset.json, splits_final.json, which
nnU-Net takes over when it plans, and cases.csv, which says which case is which. A run that was stopped goes on with the same
command. Then:
  nnUNetv2_plan_and_preprocess -d ID --verify_dataset_integrity
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    export = actions.add_parser("export", help="write a table of cases as a data set of nnU-Net")
    export.epilog, export.formatter_class = _EXPORT_EPILOG, argparse.RawDescriptionHelpFormatter
    export.add_argument("manifest", metavar="CSV", help="the table of cases")
    export.add_argument("--output", required=True, metavar="DIR", help="nnU-Net's folder of raw data, nnUNet_raw")
    export.add_argument("--id", required=True, type=int, metavar="ID", help="the data set's number, as 501")
    export.add_argument("--name", required=True, metavar="NAME", help="its name, part of names of folders and cases")
    export.add_argument(
        "--labels",
        metavar="V=NAME,...",
        help="what the references' values are, as 1=ICH,2=PHE,3=IVH; may be left out where each has a single value",
    )
    export.add_argument(
        "--folds", type=int, default=5, metavar="N", help="folds of the cross-validation; default: %(default)s"
    )
    export.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the folds; default: %(default)s")
    export.add_argument("--allow-empty", action="store_true", help="take cases whose reference holds nothing as well")
    export.add_argument("--licence", default="", metavar="TEXT", help="terms of the data's use, for dataset.json")
    export.add_argument("--reference", default="", metavar="TEXT", help="where the data come from, for dataset.json")
    reading = export.add_argument_group("reading the CTs")
    add_hu_flags(reading)
    export.add_argument("--jobs", type=int, metavar="N", help="cases at once; default: as cores and free memory allow")
    export.add_argument("--force", action="store_true", help="replace a data set of the same name")
    trainers = actions.add_parser("trainers", help="the trainers of this project, and the line that tells nnU-Net of them")
    trainers.add_argument(
        "--line", action="store_true", help='print that line alone: eval "$(htseg nnunet trainers --line)"'
    )
    for action in actions.choices.values():
        action.add_argument("--json", metavar="FILE", help="the result as JSON; - for stdout instead of words")
        # The same flag stands before the action; without a default of its own it keeps what was said there.
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.files import require_writable

    if options.json not in (None, "-"):
        require_writable(options.json)
    return _export(options) if options.action == "export" else _trainers(options)


def _export(options: argparse.Namespace) -> int:
    import sys

    from HTSegmentationLib.cohort.manifest import read_manifest
    from HTSegmentationLib.commands.case_arguments import made_folder
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.training.nnunet.export import ExportRefused, export_dataset
    from HTSegmentationLib.training.nnunet.labels import LabelScheme
    from HTSegmentationLib.training.nnunet.settings import DatasetSettings

    settings = DatasetSettings(
        options.id,
        options.name,
        scheme=LabelScheme() if options.labels is None else LabelScheme.parsed(options.labels),
        folds=options.folds,
        seed=options.seed,
        assume_hu=options.assume_hu,
        hu_offset=options.hu_offset,
        allow_empty=options.allow_empty,
        licence=options.licence,
        reference=options.reference,
    )
    manifest = read_manifest(options.manifest, needs_roi=False)
    folder = made_folder(options.output)
    progress = ProgressLine()
    try:
        dataset = export_dataset(manifest, folder, settings, jobs=options.jobs, force=options.force, progress=progress)
    except ExportRefused as refused:
        progress.clear()
        if options.debug:
            raise
        lines = [f"{manifest.path}: {problem}" for problem in refused.problems[:_MOST_PROBLEMS]]
        if len(refused.problems) > _MOST_PROBLEMS:
            lines.append(f"{manifest.path}: and {len(refused.problems) - _MOST_PROBLEMS} more problems")
        sys.stderr.writelines(f"htseg nnunet: {line}\n" for line in lines)
        return refused.exit_code
    finally:
        progress.clear()
    deliver(_record(dataset), _words(dataset, options.id), options.json)
    return 0


def _record(dataset: ExportedDataset) -> dict[str, Any]:
    return {
        "folder": str(dataset.folder),
        "cases": dataset.names,
        "labels": dataset.labels,
        "volumes_ml": {name: list(volumes) for name, volumes in dataset.volumes_ml.items()},
        "fold_sizes": list(dataset.fold_sizes),
        "remarks": [remark.as_dict() for remark in dataset.remarks],
    }


def _words(dataset: ExportedDataset, number: int) -> list[str]:
    from HTSegmentationLib.commands.words import remark_lines, row

    words = [row("Cases", f"{len(dataset.names)} in {dataset.folder}")]
    for name, volumes in dataset.volumes_ml.items():
        held = [volume for volume in volumes if volume > 0]
        words.append(
            row(name, f"label {dataset.labels[name]}, in {len(held)} cases, {sum(held) / len(held):.2f} mL on average")
        )
    words.append(row("Folds", f"{len(dataset.fold_sizes)}, which hold out {', '.join(map(str, dataset.fold_sizes))} cases"))
    words += remark_lines(dataset.remarks)
    words += ["", "Plan and preprocess it by", f"  nnUNetv2_plan_and_preprocess -d {number} --verify_dataset_integrity"]
    return words


def _trainers(options: argparse.Namespace) -> int:
    from HTSegmentationLib.commands.console import deliver
    from HTSegmentationLib.training.nnunet.trainer_folder import TRAINERS, shell_line, trainer_folder

    line = shell_line()
    width = max(map(len, TRAINERS)) + 2
    words = [f"{name:<{width}}{loss}" for name, loss in TRAINERS.items()]
    words += ["", "Each trains for 1800 epochs, as published; NAME_100epochs for 100, and so on for any number.", ""]
    words += [f"They are in {trainer_folder()}.", "nnU-Net finds them by -tr NAME after", f"  {line}"]
    record = {"folder": str(trainer_folder()), "line": line, "trainers": TRAINERS}
    deliver(record, [line] if options.line else words, options.json)
    return 0
