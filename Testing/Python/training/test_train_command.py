"""The flags of htseg train: the published recipe, and what each flag changes in it."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from HTSegmentationLib.cli import main
from HTSegmentationLib.commands import recipe_arguments
from HTSegmentationLib.commands.train import add_arguments
from HTSegmentationLib.errors import HTSegError, UsageError
from HTSegmentationLib.training.choices import LOSSES, OPTIMISERS, SCHEDULES
from HTSegmentationLib.training.recipe_table import published_table, table_as_markdown
from HTSegmentationLib.training.recipes import CASCADE_VARIANTS, TRAINABLE, cascade_variant, published_settings
from HTSegmentationLib.training.sampling import SAMPLINGS


def settings(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return recipe_arguments.settings_of(parser.parse_args(words))


def test_the_flags_offer_what_the_library_knows():
    assert recipe_arguments.ARCHITECTURES == TRAINABLE
    assert recipe_arguments.VARIANTS == CASCADE_VARIANTS
    assert tuple(LOSSES) == recipe_arguments.LOSSES
    assert tuple(OPTIMISERS) == recipe_arguments.OPTIMISERS
    assert tuple(SCHEDULES) == recipe_arguments.SCHEDULES
    assert tuple(SAMPLINGS) == recipe_arguments.SAMPLINGS


@pytest.mark.parametrize("name", TRAINABLE)
def test_without_flags_the_recipe_is_the_published_one(name):
    assert settings("--architecture", name) == published_settings(name)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--se", "off"], {"arguments": {"squeeze_and_excitation": False}}),
        (["--loss", "focal"], {"loss": "focal"}),
        (["--loss", "tversky", "--loss-parameter", "alpha=0.5"], {"loss": "tversky", "loss_parameters": {"alpha": 0.5}}),
        (["--patches", "50"], {"patches_per_case": 50}),
        (["--sampling", "none"], {"sampling": SAMPLINGS["none"]}),
        (["--sampling", "centre"], {"sampling": SAMPLINGS["centre"]}),
        (["--network", "filters=8", "--network", "dropout=0.1"], {"arguments": {"filters": 8, "dropout": 0.1}}),
        (["--optimiser", "sgd", "--learning-rate", "0.01"], {"optimiser": "sgd", "learning_rate": 0.01}),
        (["--schedule", "poly", "--epochs", "7"], {"schedule": "poly", "epochs": 7}),
        (["--patience", "0"], {"patience": None}),
        (["--validation", "dice", "--validation-share", "0"], {"validation": "dice", "validation_share": 0.0}),
        (["--folds", "0", "--seed", "4", "--batch-size", "8"], {"folds": 0, "seed": 4, "batch_size": 8}),
        (["--label-map", "1=1,3=0"], {"label_map": ((1, 1), (3, 0))}),
    ],
)
def test_a_flag_changes_its_own_setting_alone(words, changed):
    published = published_settings("se-unet").as_dict()
    found = settings("--architecture", "se-unet", *words)
    for key, value in changed.items():
        assert getattr(found, key) == value
    assert {key: value for key, value in found.as_dict().items() if key not in changed} == {
        key: value for key, value in published.items() if key not in changed
    }


def test_patch_channels_and_augmentation_go_to_every_place_that_names_them():
    found = settings("--architecture", "se-unet", "--patch", "64,64,16", "--symmetric", "off", "--augmentation", "six-views")
    assert (found.patch, found.inference.patch, found.window) == ((64, 64, 16), (64, 64, 16), (16, 64, 64))
    assert found.input.channels == ("ct",)
    assert found.augmentation.views == 6
    assert not settings("--architecture", "cascaded-unet", "--augmentation", "none").augmentation.is_random


def test_classes_are_named_by_value():
    found = settings("--architecture", "basic-unet", "--labels", "2=PHE,1=ICH,3=IVH")
    assert [(label.value, label.name) for label in found.labels] == [
        (1, "Intraparenchymal hemorrhage"),
        (2, "Perilesional edema"),
        (3, "Intraventricular hemorrhage"),
    ]
    assert found.classes == 4


@pytest.mark.parametrize("variant", CASCADE_VARIANTS)
def test_the_ablation_of_the_cascade_is_a_flag(variant):
    assert settings("--architecture", "cascaded-unet", "--variant", variant) == cascade_variant(variant)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "one of the two"),
        (["--architecture", "cnn-ds", "--se", "on"], "--se goes with"),
        (["--architecture", "se-unet", "--variant", "low"], "--variant goes with"),
        (["--architecture", "se-unet", "--deep-supervision", "on"], "deep_supervision is true"),
        (["--architecture", "se-unet", "--network", "filters"], "write KEY=VALUE"),
        (["--architecture", "se-unet", "--network", "depth=3"], "no argument depth"),
        (["--architecture", "se-unet", "--epochs", "0"], "epochs is 0"),
    ],
)
def test_flags_that_do_not_fit_are_refused_with_their_name(words, text):
    with pytest.raises(HTSegError, match=text):
        settings(*words)


def test_what_show_tells_is_what_settings_takes(tmp_path, capsys):
    words = ["train", "--architecture", "cnn-ds", "--epochs", "9", "--show", "--json", "-"]
    assert main(words) == 0
    file = tmp_path / "recipe.json"
    file.write_text(capsys.readouterr().out)
    assert settings("--settings", str(file)) == settings("--architecture", "cnn-ds", "--epochs", "9")
    # The record of a run has them one level further down.
    file.write_text(json.dumps({"name": "x", "settings": json.loads(file.read_text())}))
    assert settings("--settings", str(file), "--seed", "3").seed == 3
    file.write_text("{}")
    with pytest.raises(HTSegError, match="missing"):
        settings("--settings", str(file))


def test_show_sets_the_paper_beside_what_is_done(capsys):
    assert main(["train", "--architecture", "se-unet", "--loss", "focal", "--show"]) == 0
    out = capsys.readouterr().out
    assert "paper: 3,000" in out
    assert 'loss is "focal" instead of "dice-ce"' in out
    assert main(["train", "--list"]) == 0
    assert "CNN with deep supervision" in capsys.readouterr().out


def test_table_and_output_are_asked_for(capsys):
    assert main(["train", "--architecture", "se-unet"]) == UsageError.exit_code
    assert "give the table of cases and --output DIR" in capsys.readouterr().err


def test_the_help_answers_without_torch_and_numpy():
    code = (
        "import sys, HTSegmentationLib.cli as cli\n"
        "try:\n    cli.main(['train', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'SimpleITK', 'torch'} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
    assert "--sampling" in run.stdout


def test_the_page_has_the_table_of_recipes_and_names_every_flag():
    page = (Path(__file__).parents[3] / "Documentation" / "training.md").read_text(encoding="utf-8")
    assert table_as_markdown(published_table()) in page
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")}
    unexplained = {
        "--help",
        "--device",
        "--jobs",
        "--fresh-patches",
        "--simulated",
        "--seed",
        "--resume",
        "--json",
        "--output",
    }
    assert flags - {flag for flag in flags if flag in page} <= unexplained
