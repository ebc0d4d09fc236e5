"""The flags by which a training leaves the published recipe, and the settings that they make."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from HTSegmentationLib.training.augmentation import Augmentation
    from HTSegmentationLib.training.settings import TrainingSettings

# Named here, not imported: the help must answer without NumPy. A test holds them to be what the library knows.
ARCHITECTURES = ("se-unet", "cascaded-unet", "cnn-ds", "basic-unet", "deeplab", "patch-unet", "slice-unet")
VARIANTS = ("cascade", "full", "low", "2d")
LOSSES = ("dice-ce", "dice", "focal", "tversky", "focal-tversky", "dice-topk")
OPTIMISERS = ("adadelta", "adam", "adamw", "sgd")
SCHEDULES = ("constant", "plateau", "cosine-restarts", "poly")
SAMPLINGS = ("none", "brain", "border", "centre", "hyperintense")
AUGMENTATIONS = ("none", "six-views", "random")


def add_recipe_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags; what is not given stays as published."""
    network = parser.add_argument_group("recipe: the network (what is not given stays as published)")
    network.add_argument("--architecture", choices=ARCHITECTURES, metavar="NAME", help=", ".join(ARCHITECTURES))
    network.add_argument("--settings", metavar="FILE", help="all settings as JSON, as settings.json of a run has them")
    network.add_argument("--variant", choices=VARIANTS, help="of cascaded-unet: two stages, or one network of the ablation")
    network.add_argument("--se", choices=("on", "off"), help="squeeze-and-excitation blocks of se-unet")
    network.add_argument("--deep-supervision", choices=("on", "off"), help="of cascaded-unet and cnn-ds")
    network.add_argument(
        "--network", action="append", default=[], metavar="KEY=VALUE", help="an argument of the network, as filters=16"
    )
    network.add_argument("--symmetric", choices=("on", "off"), help="the mirrored brain as a second channel")
    patches = parser.add_argument_group("recipe: patches")
    patches.add_argument("--patch", type=_patch, metavar="X,Y,Z", help="sides in voxels, as 32,32,16")
    patches.add_argument("--patches", type=int, metavar="N", help="patches of each case in an epoch")
    patches.add_argument(
        "--sampling",
        choices=SAMPLINGS,
        help="where background comes from: anywhere (none), the brain, also the lesion's border, also the brain's centre, "
        "or border and hyperintense voxels",
    )
    patches.add_argument("--fresh-patches", choices=("on", "off"), help="draw anew in each epoch, or the same ones again")
    patches.add_argument("--augmentation", choices=AUGMENTATIONS, help="none, the six flips and turns, or random changes")
    learning = parser.add_argument_group("recipe: learning")
    learning.add_argument("--loss", choices=LOSSES)
    learning.add_argument("--loss-parameter", action="append", default=[], metavar="KEY=VALUE", help="as alpha=0.3")
    learning.add_argument("--optimiser", choices=OPTIMISERS)
    learning.add_argument("--learning-rate", type=float, metavar="RATE", help="at the start")
    learning.add_argument("--schedule", choices=SCHEDULES, help="how the learning rate changes")
    learning.add_argument("--batch-size", type=int, metavar="N", help="patches in a step, of all processes together")
    learning.add_argument("--epochs", type=int, metavar="N", help="at most so many")
    learning.add_argument("--patience", type=int, metavar="N", help="end after so many epochs without gain; 0 for never")
    learning.add_argument("--validation", choices=("loss", "dice"), help="what counts as gain, on the validation patches")
    learning.add_argument(
        "--validation-share",
        type=float,
        metavar="SHARE",
        help="share of the training patients that is set aside to watch for gain; 0 watches the held-out cases",
    )
    learning.add_argument("--seed", type=int, metavar="N", help="of weights, folds, patches and augmentation")
    classes = parser.add_argument_group("recipe: classes")
    classes.add_argument(
        "--labels", type=_labels, metavar="1=ICH,2=PHE,3=IVH", help="the classes; one, Hemorrhage, when left out"
    )
    classes.add_argument(
        "--label-map",
        type=_label_map,
        metavar="1=1,3=0",
        help="which class each value of the references is; 0 is background; as they are when left out",
    )


def settings_of(options: argparse.Namespace) -> TrainingSettings:
    """The recipe of the architecture or the file, with what the flags change.

    Raises:
        UsageError: Neither or both are named, or flags do not go together.
        InputError: The file is no JSON.
        ParameterError: A value is not allowed; the message names it.
    """
    import dataclasses

    settings = _recipe(options)
    if options.symmetric is not None:
        settings = settings.with_symmetric(options.symmetric == "on")
    if options.patch is not None:
        settings = settings.with_patch(options.patch)
    changes = _changes(options, settings)
    return dataclasses.replace(settings, **changes) if changes else settings


def _recipe(options: argparse.Namespace) -> TrainingSettings:
    from pathlib import Path

    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.inference.models.folder import read_json
    from HTSegmentationLib.training.recipes import cascade_variant, published_settings
    from HTSegmentationLib.training.settings import TrainingSettings

    if (options.architecture is None) == (options.settings is None):
        raise UsageError("give --architecture NAME or --settings FILE, one of the two")
    if options.variant is not None and options.architecture != "cascaded-unet":
        raise UsageError("--variant goes with --architecture cascaded-unet")
    if options.settings is not None:
        values = read_json(Path(options.settings))
        # A run's own settings.json has them beside what the run was.
        inner = values.get("settings") if isinstance(values, dict) else None
        return TrainingSettings.from_dict(values if inner is None else inner)
    return published_settings(options.architecture) if options.variant is None else cascade_variant(options.variant)


def _changes(options: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    plain = {
        key: getattr(options, flag)
        for flag, key in (
            ("patches", "patches_per_case"), ("loss", "loss"), ("optimiser", "optimiser"), ("schedule", "schedule"),
            ("learning_rate", "learning_rate"), ("batch_size", "batch_size"), ("epochs", "epochs"), ("seed", "seed"),
            ("validation", "validation"), ("validation_share", "validation_share"), ("folds", "folds"),
            ("labels", "labels"), ("label_map", "label_map"),
        )
        if getattr(options, flag) is not None
    }  # fmt: skip
    if options.patience is not None:
        plain["patience"] = options.patience or None
    if options.deep_supervision is not None:
        plain["deep_supervision"] = options.deep_supervision == "on"
    # Parameters of another loss, optimiser or schedule mean nothing to the new one.
    for name in ("loss", "optimiser", "schedule"):
        if plain.get(name, getattr(settings, name)) != getattr(settings, name):
            plain[f"{name}_parameters"] = {}
    if options.loss_parameter:
        kept = plain.get("loss_parameters", settings.loss_parameters)
        plain["loss_parameters"] = {**kept, **_pairs("--loss-parameter", options.loss_parameter)}
    return plain | _of_network(options, settings) | _of_patches(options, settings)


def _of_network(options: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    from HTSegmentationLib.errors import UsageError

    arguments = _pairs("--network", options.network)
    if options.se is not None:
        if settings.architecture != "se-unet":
            raise UsageError("--se goes with --architecture se-unet")
        arguments["squeeze_and_excitation"] = options.se == "on"
    return {"arguments": {**settings.arguments, **arguments}} if arguments else {}


def _of_patches(options: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    import dataclasses

    from HTSegmentationLib.training.sampling import SAMPLINGS as KNOWN

    changes: dict[str, Any] = {}
    sampling = settings.sampling
    if options.sampling is not None:
        sampling = dataclasses.replace(KNOWN[options.sampling], fresh=sampling.fresh)
    if options.fresh_patches is not None:
        sampling = dataclasses.replace(sampling, fresh=options.fresh_patches == "on")
    if sampling != settings.sampling:
        changes["sampling"] = sampling
    if options.augmentation is not None:
        changes["augmentation"] = _augmentation(options.augmentation)
    return changes


def _augmentation(name: str) -> Augmentation:
    from HTSegmentationLib.training.augmentation import Augmentation
    from HTSegmentationLib.training.recipes import cascade_variant

    if name == "random":
        return cascade_variant("full").augmentation
    return Augmentation(six_views=name == "six-views")


def _pairs(flag: str, words: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` words; a value is a whole number, a number, true or false, or such in a list as 2,2,2,2."""
    import json

    from HTSegmentationLib.errors import UsageError

    found = {}
    for word in words:
        key, equals, text = word.partition("=")
        try:
            found[key] = json.loads(f"[{text}]" if "," in text else text)
        except ValueError:
            equals = ""
        if not equals or not key:
            raise UsageError(f"{flag} {word}: write KEY=VALUE with a number, true or false, as filters=16")
    return found


def _patch(text: str) -> tuple[int, int, int]:
    sides = text.split(",")
    if len(sides) != 3 or not all(side.isdecimal() and int(side) > 0 for side in sides):  # noqa: PLR2004  (x, y and z)
        raise argparse.ArgumentTypeError(f"{text!r} must be three sides in voxels, as 32,32,16")
    x, y, z = map(int, sides)
    return x, y, z


def _labels(text: str) -> tuple[Any, ...]:
    from HTSegmentationLib.inference.models.findings import label_of

    pairs = [part.partition("=") for part in text.split(",")]
    if not all(value.isdecimal() and equals and name.strip() for value, equals, name in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} must name values, as 1=ICH,2=PHE,3=IVH")
    return tuple(label_of(int(value), name) for value, _, name in sorted(pairs, key=lambda pair: int(pair[0])))


def _label_map(text: str) -> tuple[tuple[int, int], ...]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(value.isdecimal() and equals and made.isdecimal() for value, equals, made in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} must be pairs of value and class, as 1=1,2=0,3=0")
    return tuple((int(value), int(made)) for value, _, made in pairs)
