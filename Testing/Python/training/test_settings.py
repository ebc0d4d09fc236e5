import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.segmenter import Label
from HTSegmentationLib.training.choices import LOSSES, OPTIMISERS, SCHEDULES
from HTSegmentationLib.training.recipes import CASCADE_VARIANTS, TRAINABLE, cascade_variant, published_settings
from HTSegmentationLib.training.settings import TrainingSettings

ALL = [published_settings(name) for name in TRAINABLE] + [cascade_variant(name) for name in CASCADE_VARIANTS]


def changed(**values):
    return dataclasses.replace(published_settings("se-unet"), **values)


@pytest.mark.parametrize("settings", ALL, ids=lambda s: f"{s.architecture}-{s.stage}-{s.patch}")
def test_settings_come_back_from_json_as_they_were(settings):
    assert TrainingSettings.from_dict(json.loads(json.dumps(settings.as_dict()))) == settings


@given(
    loss=st.sampled_from(sorted(LOSSES)),
    optimiser=st.sampled_from(sorted(OPTIMISERS)),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    seed=st.integers(0, 2**32 - 1),
    patience=st.none() | st.integers(1, 1000),
    side=st.integers(1, 12),
)
def test_any_choice_comes_back_from_json_as_it_was(loss, optimiser, schedule, seed, patience, side):
    settings = changed(loss=loss, optimiser=optimiser, schedule=schedule, seed=seed, patience=patience)
    settings = settings.with_patch((8 * side, 8 * side, 8))
    assert TrainingSettings.from_dict(json.loads(json.dumps(settings.as_dict()))) == settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("architecture", "transformer"),
        ("loss", "hinge"),
        ("optimiser", "lion"),
        ("schedule", "linear"),
        ("validation", "accuracy"),
        ("stage", "third"),
        ("patches_per_case", 0),
        ("batch_size", 1.5),
        ("epochs", -1),
        ("folds", 1),
        ("seed", -1),
        ("patience", 0),
        ("learning_rate", 0),
        ("validation_share", 0.9),
        ("deep_supervision", True),
        ("stage", "cascade"),
        ("patch", (32, 32)),
        ("patch", None),
        ("label_map", ((1, 2),)),
        ("labels", (Label(2, "x", "50960005", "x", (0, 0, 0)),)),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_its_name(key, value):
    with pytest.raises(ParameterError, match=key):
        changed(**{key: value})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("loss_parameters", {"gama": 2.0}),
        ("loss_parameters", {"include_background": 1}),
        ("optimiser_parameters", {"rho": 2.0}),
        ("optimiser_parameters", {"rho": float("nan")}),
        ("schedule_parameters", {"factor": 0.5}),
    ],
)
def test_a_parameter_of_a_loss_an_optimiser_or_a_schedule_is_checked_by_its_name(key, values):
    with pytest.raises(ParameterError, match=rf"{key}\.{next(iter(values))}"):
        changed(**{key: values})


@pytest.mark.parametrize("key", ["sampling.lesion_share", "input.window_hu", "augmentation.flip", "label_map", "labels"])
def test_a_wrong_value_in_a_file_is_refused_by_its_place(key):
    values = published_settings("se-unet").as_dict()
    *parents, last = key.split(".")
    place = values
    for parent in parents:
        place = place[parent]
    place[last] = "much"
    with pytest.raises(ParameterError, match=key):
        TrainingSettings.from_dict(values)


def test_a_key_that_is_not_known_is_refused():
    with pytest.raises(ParameterError, match="sampling_rate"):
        TrainingSettings.from_dict({**published_settings("se-unet").as_dict(), "sampling_rate": 1})


def test_the_patch_of_training_is_that_of_inference():
    settings = published_settings("se-unet")
    assert settings.with_patch((24, 24, 8)).inference.patch == (24, 24, 8)
    with pytest.raises(ParameterError, match=r"inference\.patch"):
        dataclasses.replace(settings, patch=(24, 24, 8))


def test_six_views_need_a_square_patch():
    settings = published_settings("se-unet").with_patch((32, 16, 16))
    with pytest.raises(ParameterError, match="not square"):
        dataclasses.replace(settings, augmentation=dataclasses.replace(settings.augmentation, six_views=True))


def test_channels_and_classes_of_the_network_follow_from_the_other_settings():
    settings = published_settings("se-unet")
    assert settings.network_arguments() == {"input_channels": 2, "classes": 2}
    assert settings.with_symmetric(symmetric=False).network_arguments()["input_channels"] == 1
    off = dataclasses.replace(published_settings("cnn-ds"), deep_supervision=False)
    assert off.network_arguments()["deep_supervision"] is False


def test_recipes_are_known_without_torch():
    code = "import sys; from HTSegmentationLib.training import recipe_table; print({'torch', 'monai'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
