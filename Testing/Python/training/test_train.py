"""A training from the table of cases to models and tables."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.evaluation import evaluate, read_results
from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.inference.models.folder import read_model, verify_model

from ..cohort.small_cohort import read_rows
from ..needs import deep_learning
from .tiny_cohort import CASES, write_case, write_table

deep_learning()

from HTSegmentationLib.inference.models.weights import load_tensors  # noqa: E402
from HTSegmentationLib.training.cases import read_training_cases  # noqa: E402
from HTSegmentationLib.training.recipes import published_settings  # noqa: E402
from HTSegmentationLib.training.result import FoldOutcome  # noqa: E402
from HTSegmentationLib.training.train import train  # noqa: E402
from HTSegmentationLib.training.train_options import TrainOptions  # noqa: E402

RECIPE = ["--architecture", "se-unet", "--network", "levels=2", "--network", "filters=4", "--patch", "48,48,8"]
RECIPE += ["--patches", "4", "--batch-size", "4", "--epochs", "2", "--symmetric", "off", "--sampling", "border"]
RECIPE += ["--optimiser", "adam", "--learning-rate", "0.03", "--validation-share", "0", "--folds", "2"]
NAMES = ("pat-41", "pat-42", "pat-43")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Three small heads."""
    folder = tmp_path_factory.mktemp("cohort")
    kinds = dict(zip(NAMES, ("PH1", "PH1", "PH2"), strict=True))
    places = list(CASES.values())[-len(NAMES) :]
    rows = [write_case(folder, name, n, *place) for n, (name, place) in enumerate(zip(NAMES, places, strict=True))]
    return write_table(folder, [row | {"ht_type": kinds[row["case_id"]]} for row in rows])


@pytest.fixture(scope="module")
def words(cohort, tmp_path_factory):
    """The command but for its output."""
    cache = tmp_path_factory.mktemp("cache")
    return ["train", str(cohort), *RECIPE, "--cache", str(cache), "--device", "cpu", "--jobs", "1"]


@pytest.fixture(scope="module")
def run(words, tmp_path_factory):
    """The folder of a whole run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([*words, "--output", str(folder)]) == 0
    return folder


def settings_of_run(run):
    from HTSegmentationLib.training.settings import TrainingSettings

    return TrainingSettings.from_dict(json.loads((run / "settings.json").read_text(encoding="utf-8"))["settings"])


def test_each_fold_and_the_ensemble_are_models_in_order(run):
    for fold in (0, 1):
        model = read_model(run / "models" / f"se-unet-fold{fold}")
        assert verify_model(model) == ()
        assert model.description.warning.startswith("This network was trained on")
    ensemble = read_model(run / "models" / "se-unet")
    assert verify_model(ensemble) == ()
    for fold, path in enumerate(ensemble.weight_paths):
        ours, theirs = load_tensors(path), load_tensors(run / f"fold_{fold}" / "best.safetensors")
        assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)


def test_every_case_is_held_out_once_and_the_tables_take_the_results(run):
    results = read_results(run / "predictions")
    assert sorted(case.case_id for case in results.cases) == sorted(NAMES)
    assert results.method == "se-unet"
    found = evaluate([results])
    assert found.table("performance") is not None
    metrics = read_model(run / "models" / "se-unet").description.metrics
    mean = sum(case.number("dice") for case in results.cases) / 3
    assert metrics["dice_mean"] == pytest.approx(mean, abs=1e-4)
    assert metrics["cases"] == 3
    assert (run / "predictions" / results.cases[0].texts["mask"]).is_file()


def test_the_folds_tell_which_case_was_where(run):
    rows = read_rows(run / "folds.csv")
    for fold in (0, 1):
        held_out = {row["case_id"] for row in rows if row[f"fold_{fold}"].startswith("held out")}
        assert held_out == {row["case_id"] for row in read_rows(run / "predictions" / f"fold_{fold}" / "results.csv")}
        assert {row["fold"] for row in read_rows(run / "predictions" / f"fold_{fold}" / "results.csv")} == {str(fold)}


def test_no_case_patient_or_folder_is_named_in_what_is_given_on(run, cohort):
    texts = [path.read_text(encoding="utf-8") for path in (run / "models").rglob("*.*") if path.suffix in (".json", ".md")]
    texts += [path.read_text(encoding="utf-8") for path in (run / "predictions").glob("fold_*/results.csv")]
    assert len(texts) == 8
    for text in texts:
        assert str(cohort.parent) not in text
        assert str(run) not in text
    assert not any(name in text for text in texts[:6] for name in NAMES)


def test_a_model_says_how_it_was_made_and_what_it_reaches(run):
    description = read_model(run / "models" / "se-unet-fold0").description
    assert description.training["settings"]["epochs"] == 2
    assert description.training["ended_by"] == ["epochs"]
    assert "a little too good" in description.metrics["measured_on"]
    card = (run / "models" / "se-unet-fold0" / "card.md").read_text(encoding="utf-8")
    assert 'optimiser is "adam" instead of "adadelta"' in card
    assert "It is not a medical device" in card
    assert f"| all | {description.metrics['cases']} |" in card


def test_a_fold_leaves_its_curve_as_table_picture_and_events(run):
    folder = run / "fold_0"
    assert [row["epoch"] for row in read_rows(folder / "curve.csv")] == ["1", "2"]
    assert (folder / "curve.png").stat().st_size > 1000
    assert [row["patches"] for row in read_rows(folder / "timings.csv")]


def test_the_same_command_again_changes_nothing(run, words, capsys):
    def stamps():
        kept = [*run.glob("fold_*/*.*"), *run.glob("predictions/fold_*/masks/*")]
        return {path: path.stat().st_mtime_ns for path in kept if path.is_file()}

    before, curve = stamps(), (run / "fold_0" / "curve.csv").read_bytes()
    assert main([*words, "--output", str(run), "--resume"]) == 0
    assert stamps() == before
    assert (run / "fold_0" / "curve.csv").read_bytes() == curve
    assert "All folds" in capsys.readouterr().out
    # A fold alone, as on one of several computers, keeps what the others gave.
    assert main([*words, "--output", str(run), "--fold", "1"]) == 0
    assert len(read_model(run / "models" / "se-unet").weight_paths) == 2


def test_another_recipe_in_the_folder_is_refused_with_what_differs(run, words, capsys):
    assert main([*words, "--output", str(run), "--loss", "focal"]) == 2
    assert "it holds another training (loss was dice-ce and is focal)" in capsys.readouterr().err


def test_a_run_in_progress_keeps_others_out(run, words, capsys):
    from HTSegmentationLib.cohort.batch.lock import locked

    with locked(run / ".train.lock"):
        assert main([*words, "--output", str(run)]) == 2
    assert "another run is writing" in capsys.readouterr().err


def test_files_of_others_are_not_touched(words, tmp_path, capsys):
    (tmp_path / "thesis.doc").write_text("mine")
    assert main([*words, "--output", str(tmp_path)]) == 2
    assert "no training wrote, as thesis.doc" in capsys.readouterr().err
    assert main([*words, "--output", str(tmp_path / "new"), "--resume"]) == 2
    assert "no training to go on with" in capsys.readouterr().err


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from HTSegmentationLib.training.cases import read_training_cases
from HTSegmentationLib.training.settings import TrainingSettings
from HTSegmentationLib.training.train import train
from HTSegmentationLib.training.train_options import TrainOptions
import json

torch.set_num_threads(1)
table, run, out, cache = sys.argv[1:]
settings = TrainingSettings.from_dict(json.loads((Path(run) / "settings.json").read_text())["settings"])

def kill(moment):
    if moment.moment.epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)

train(read_training_cases(table, cache_folder=Path(cache)), settings, out,
      TrainOptions(cache=Path(cache), device="cpu", folds=(0,)), manifest=table, watcher=kill)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_goes_on_to_the_same_curve_and_the_same_weights(run, words, cohort, tmp_path):
    out, cache = tmp_path / "run", words[words.index("--cache") + 1]
    arguments = [sys.executable, "-c", KILLED, str(cohort), str(run), str(out), cache]
    killed = subprocess.run(arguments, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (out / "fold_0" / "fold.json").exists()

    def stop_at_the_end(_moment):
        # Not SIGINT, which shells set aside for what they run in the background.
        os.kill(os.getpid(), signal.SIGTERM)

    cases = read_training_cases(cohort, cache_folder=Path(cache), jobs=1)
    options = TrainOptions(cache=Path(cache), device="cpu", folds=(0,), jobs=1)
    curve, whole = out / "fold_0" / "curve.csv", (run / "fold_0" / "curve.csv").read_bytes()
    for _ in range(3):
        # Each time one more step, and the wish to end at its end.
        result = train(cases, settings_of_run(run), out, options, manifest=cohort, watcher=stop_at_the_end)
        assert result.stop.wanted
        assert result.folds == ()
        if curve.read_bytes() == whole:
            break
    assert curve.read_bytes() == whole
    ours, theirs = (load_tensors(folder / "fold_0" / "best.safetensors") for folder in (out, run))
    assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)


def test_the_end_of_the_minutes_gives_a_model_and_other_minutes_go_on(run, words, cohort, tmp_path):
    cache = Path(words[words.index("--cache") + 1])
    cases = read_training_cases(cohort, cache_folder=cache, jobs=1)
    options = TrainOptions(cache=cache, device="cpu", held_out=("pat-42",), jobs=1, minutes=1e-6, name="quick")
    result = train(cases, settings_of_run(run), tmp_path / "run", options, manifest=cohort)
    assert result.folds[0].outcome.ended == "time"
    assert result.ensemble.name == "quick"
    assert result.metrics["cases"] == 1
    moments = []
    train(cases, settings_of_run(run), tmp_path / "run", options, manifest=cohort, watcher=moments.append)
    assert moments == []


def test_cases_that_were_simulated_make_the_model_say_that_it_never_saw_a_patient():
    from HTSegmentationLib.training.model_words import ModelWords, texts_of

    texts = texts_of(ModelWords(simulated=True), "cnn-ds", 12)
    assert texts["title"] == "CNN with deep supervision trained on 12 simulated heads"
    assert "never saw a patient" in texts["warning"]
    assert "not a medical device" in texts_of(ModelWords(), "cnn-ds", 12)["warning"]
    assert texts_of(ModelWords(warning="", licence="CC0"), "cnn-ds", 12)["warning"] == ""


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"folds": (7,)}, UsageError, "there is no fold 7; there are 0 to 1"),
        ({"minutes": 0.0}, ParameterError, "minutes is 0.0"),
        ({"workers": -1}, ParameterError, "workers is -1"),
        ({"name": "Our Net"}, UsageError, "small letters"),
        ({"force": True, "resume": True}, UsageError, "give one of them"),
        ({"precision": "double"}, ParameterError, "allowed are auto, single, mixed"),
        ({"held_out": ("pat-99",)}, UsageError, "there is no case pat-99"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_made(run, words, cohort, tmp_path, changes, error, text):
    cases = read_training_cases(cohort, cache_folder=Path(words[words.index("--cache") + 1]), jobs=1)
    with pytest.raises(error, match=text):
        train(cases, settings_of_run(run), tmp_path / "run", replace(TrainOptions(device="cpu"), **changes))
    assert not (tmp_path / "run").exists()


def test_a_patch_that_the_network_does_not_take_is_refused_before_cases_are_prepared(run, words, tmp_path, capsys):
    assert main([*words, "--output", str(tmp_path / "run"), "--patch", "31,31,8"]) == 1
    assert "patch is [31, 31, 8] (x, y, z), which se-unet does not take: the sides must be" in capsys.readouterr().err
    assert not (tmp_path / "run" / "settings.json").exists()


def test_an_outcome_that_cannot_be_read_counts_as_none(tmp_path):
    path = tmp_path / "fold.json"
    assert FoldOutcome.read(path) is None
    path.write_text("[1]")
    assert FoldOutcome.read(path) is None
    outcome = FoldOutcome(0, "time", (3,), (0,), (None,), 1.5, ("fold_0/latest.safetensors",), ("ab",))
    path.write_text(json.dumps(outcome.as_dict()))
    assert FoldOutcome.read(path) == outcome


def test_the_published_recipe_deviates_in_nothing():
    from HTSegmentationLib.training.deviations import deviations

    published = published_settings("se-unet")
    assert deviations(published) == ()
    assert deviations(replace(published, epochs=7, seed=3)) == ("epochs is 7 instead of 100",)
