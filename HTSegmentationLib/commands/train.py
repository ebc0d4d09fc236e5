"""Trains a published network on a table of cases with references; a stopped run goes on with the same command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.ct_arguments import add_hu_flags
from HTSegmentationLib.commands.recipe_arguments import add_recipe_flags

if TYPE_CHECKING:
    from HTSegmentationLib.training.result import TrainingResult
    from HTSegmentationLib.training.settings import TrainingSettings
    from HTSegmentationLib.training.train_options import TrainOptions

HELP = "train a network on a table of cases"

_FAILED, _CTRL_C = 1, 130
"""Exit statuses; the second one is what shells expect of a program that Ctrl+C ended."""

_EPILOG = """\
The table has the columns case_id, image and reference and, if wanted, ht_type, patient_id (cases of
one patient are never on both sides of a split), fold (which cases belong together) and series. DIR
gets settings.json, folds.csv, a folder for each fold with checkpoint and learning curve, models with
a model folder for each fold and one with all networks, and predictions, which "htseg evaluate
DIR/predictions" takes. Nothing leaves this computer.

With several graphics cards, one process for each:
  torchrun --nproc_per_node 4 -m HTSegmentationLib train cohort.csv --architecture se-unet --output DIR

The exit status is 0 when all went well, 1 when a held-out case failed or the run was stopped (130 by
Ctrl+C), 2 for wrong usage.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("manifest", nargs="?", metavar="CSV", help="the table of cases")
    parser.add_argument("--output", metavar="DIR", help="folder for all results; the same one to go on")
    parser.add_argument("--list", action="store_true", help="the architectures that can be trained")
    parser.add_argument(
        "--show", action="store_true", help="the recipe: what the paper says and what is done; with --json - its settings"
    )
    add_recipe_flags(parser)
    split = parser.add_argument_group("split")
    split.add_argument("--folds", type=int, metavar="K", help="cross-validation; 0 for one split that holds out a fifth")
    split.add_argument(
        "--fold", type=int, action="append", default=[], metavar="N", help="train this fold alone, from 0; may be repeated"
    )
    split.add_argument("--held-out", nargs="+", default=[], metavar="CASE_ID", help="one split that holds out these cases")
    reading = parser.add_argument_group("reading the CTs")
    add_hu_flags(reading)
    run = parser.add_argument_group("how it is run (changes nothing that is learned, but for --minutes)")
    run.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="end after so many minutes of training and validation, shared out among the folds, and write the results; "
        "more minutes go on",
    )
    run.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps; default: %(default)s")
    run.add_argument(
        "--precision",
        choices=("auto", "single", "mixed"),
        default="auto",
        help="mixed is faster on cards, which auto takes it for, and on processors with bfloat16",
    )
    run.add_argument("--jobs", type=int, metavar="N", help="cases that are prepared or predicted at once")
    run.add_argument("--workers", type=int, metavar="N", help="processes that cut patches for the network")
    run.add_argument("--cache", metavar="DIR", help="folder of prepared cases, which runs may share; default: in --output")
    run.add_argument("--resume", action="store_true", help="go on with a training, never begin one")
    run.add_argument("--force", action="store_true", help="take another training in the folder away")
    words = parser.add_argument_group("what is said of the models")
    words.add_argument("--name", metavar="NAME", help="the method's name; default: the architecture's")
    words.add_argument("--title", metavar="TEXT", help="what users read as the method")
    words.add_argument("--licence", default="", metavar="TEXT", help="under which terms the weights are given on")
    words.add_argument("--citation", metavar="TEXT", help="default: the paper of the architecture")
    words.add_argument("--intended-use", metavar="TEXT", help="what it is for")
    words.add_argument("--warning", metavar="TEXT", help="what every result is shown with")
    words.add_argument(
        "--simulated", action="store_true", help="say that the cases were simulated; those of htseg simulate are known"
    )
    parser.add_argument("--json", metavar="FILE", help="how it ended as JSON; - for stdout instead of words")


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.commands.console import deliver
    from HTSegmentationLib.commands.recipe_arguments import settings_of
    from HTSegmentationLib.commands.training_words import list_words, recipe_record, recipe_words
    from HTSegmentationLib.files import require_writable

    if options.json not in (None, "-"):
        require_writable(options.json)
    if options.list:
        deliver(*list_words(), options.json)
        return 0
    settings = settings_of(options)
    if options.show:
        deliver(recipe_record(settings), recipe_words(settings), options.json)
        return 0
    return _report(_train(options, settings), options)


def _train(options: argparse.Namespace, settings: TrainingSettings) -> TrainingResult:
    from pathlib import Path

    from HTSegmentationLib.commands.training_progress import TrainingProgress
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.inference.device import choose_device
    from HTSegmentationLib.training.cases import read_training_cases
    from HTSegmentationLib.training.distributed import joined, team_from_environment
    from HTSegmentationLib.training.run_folder import RunFolder, made
    from HTSegmentationLib.training.train import train
    from HTSegmentationLib.training.train_options import device_name

    if options.manifest is None or options.output is None:
        raise UsageError("give the table of cases and --output DIR; --list and --show do without")
    wanted, team = _options(options), team_from_environment()
    # Before the cases are read, which may take minutes.
    device = choose_device(device_name(options.device, team))
    progress = TrainingProgress(shown=team.is_first)
    cache = made(wanted.cache or RunFolder(Path(options.output).absolute()).cache)
    reading = {"assume_hu": options.assume_hu, "hu_offset": options.hu_offset, "cache_folder": cache, "jobs": options.jobs}
    with joined(team, device.torch_device):
        try:
            # What the first process has read the others find in the cache.
            for reads in (team.is_first, not team.is_first):
                if reads:
                    cases = read_training_cases(options.manifest, **reading, progress=progress)
                team.told(None)
            how = {"manifest": options.manifest, "watcher": progress.watch, "progress": progress}
            return train(cases, settings, options.output, wanted, **how)
        finally:
            progress.clear()


def _options(options: argparse.Namespace) -> TrainOptions:
    from pathlib import Path

    from HTSegmentationLib.training.model_words import ModelWords
    from HTSegmentationLib.training.train_options import TrainOptions

    words = ("title", "licence", "citation", "intended_use", "warning", "simulated")
    return TrainOptions(
        name=options.name,
        words=ModelWords(**{key: getattr(options, key) for key in words}),
        held_out=tuple(options.held_out),
        folds=tuple(options.fold),
        cache=None if options.cache is None else Path(options.cache).absolute(),
        **{key: getattr(options, key) for key in ("device", "precision", "jobs", "workers", "minutes", "force", "resume")},
    )


def _report(result: TrainingResult, options: argparse.Namespace) -> int:
    """Says how it ended, in one process of those that trained together, and gives the exit status."""
    from HTSegmentationLib.commands.console import deliver
    from HTSegmentationLib.commands.training_words import result_record, result_words
    from HTSegmentationLib.training.distributed import team_from_environment

    if team_from_environment().is_first:
        deliver(result_record(result), result_words(result), options.json)
    if result.stop.wanted:
        return _CTRL_C if result.stop.by_keyboard else _FAILED
    return _FAILED if any(fold.failures for fold in result.folds) else 0
