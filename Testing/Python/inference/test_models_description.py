"""What a model.json may say, and how what it may not say is told."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.description import TAKEN_NAMES, ModelDescription
from HTSegmentationLib.inference.models.findings import is_hemorrhage, label_of
from HTSegmentationLib.methods import METHOD_NAMES, TOTALSEGMENTATOR

from .model_folders import DESCRIPTION, described

LABEL = DESCRIPTION["labels"][0]
NNUNET = {
    "folder": "nnunet",
    "folds": [0, 1],
    "checkpoint": "checkpoint_final.pth",
    "trainer": "nnUNetTrainer",
    "plans": "nnUNetPlans",
    "configuration": "3d_fullres",
}


def test_a_description_comes_back_as_it_was_written():
    for values in (described(), nnunet()):
        read = ModelDescription.from_dict(values)
        assert ModelDescription.from_dict(json.loads(json.dumps(read.as_dict()))) == read
    assert ModelDescription.from_dict(described()).as_dict() == described()


def nnunet(**changes):
    values = described(kind="nnunet", nnunet=NNUNET, architecture=..., input=...)
    values["weights"] = [{"file": f"nnunet/fold_{fold}/checkpoint_final.pth", "sha256": "a" * 64} for fold in (0, 1)]
    return values | changes


def test_an_nnunet_description_names_folds_and_trainer():
    read = ModelDescription.from_dict(nnunet())
    assert (read.nnunet.folds, read.nnunet.trainer, read.architecture, read.input) == ((0, 1), "nnUNetTrainer", None, None)
    assert ModelDescription.from_dict(nnunet(nnunet=NNUNET | {"folds": ["all"]})).nnunet.folds == ("all",)


def test_what_may_be_left_out_has_a_usual_value():
    values = described(training=..., metrics=..., warning=..., citation=..., input__brain_only=..., input__outside_value=...)
    read = ModelDescription.from_dict(values)
    assert (read.training, read.warning, read.input.brain_only, read.input.outside_value) == ({}, "", False, 0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format is 2; allowed is a whole number from 1 to 1"),
        ({"format": ...}, "format is missing"),
        ({"format": True}, "format is True"),
        ({"kind": "onnx"}, "kind is 'onnx'; allowed is 'network' or 'nnunet' or 'monai-bundle'"),
        ({"nam": "x"}, "nam is not known; allowed are format, name"),
        ({"name": "Tiny"}, "name is 'Tiny'; allowed is 1 to 64 small letters"),
        ({"name": "../tiny"}, "name is '../tiny'"),
        ({"name": "adaptive"}, "name is 'adaptive'; allowed is a name that is not taken"),
        ({"name": "nul"}, "name is 'nul'"),
        ({"name": "con.1"}, "name is 'con.1'"),
        ({"title": ""}, "title is ''; allowed is a text of 1 to 200 characters"),
        ({"title": "a\nb"}, "title is 'a"),
        ({"architecture": ...}, "architecture is None; allowed is an object with name, arguments"),
        ({"architecture__name": "resnet"}, "architecture.name is 'resnet'; allowed is 'se-unet' or"),
        ({"architecture__arguments__input_channels": 2}, "arguments.input_channels of se-unet is 2; allowed is 1"),
        ({"architecture__arguments__classes": 3}, "arguments.classes of se-unet is 3; allowed is 2"),
        ({"nnunet": NNUNET}, "allowed is nothing, since kind is 'network'"),
        ({"labels": []}, "labels is []; allowed is a list of 1 to 255 objects"),
        ({"labels__0__value": 0}, "labels names the value 0; allowed is 1 and more, since 0 is always the background"),
        ({"labels__0__value": 2}, "labels has the values [2]; allowed are 1 to 1, each once and without gaps"),
        ({"labels": [LABEL, LABEL]}, "labels has the values [1, 1]"),
        ({"labels": [LABEL, LABEL | {"value": 3}]}, "labels has the values [1, 3]; allowed are 1 to 2"),
        ({"labels__0__code": "blood"}, "labels[0].code is 'blood'; allowed is a SNOMED CT code"),
        ({"labels__0__name": "a~b"}, "labels[0].name is 'a~b'"),
        ({"labels__0__color": [0, 0, 256]}, "labels[0].color is [0, 0, 256]; allowed is 3 whole numbers from 0 to 255"),
        ({"input__channels": ["mr"]}, "input.channels is ['mr']"),
        ({"input__channels": ["symmetric"]}, "allowed is a list with 'ct' in it"),
        ({"input__orientation": "LPL"}, "input.orientation is 'LPL'; allowed is three letters"),
        ({"input__spacing_mm": [1, 1]}, "input.spacing_mm is [1, 1]; allowed is 3 numbers from 0.1 to 20, or null"),
        ({"input__spacing_mm": [1, 1, 0]}, "input.spacing_mm is [1, 1, 0]"),
        ({"input__spacing_mm": [1, 1, float("nan")]}, "input.spacing_mm is [1, 1, nan]"),
        ({"input__size": [8, 8, 8], "input__spacing_mm": [1, 1, 1]}, "input.spacing_mm and input.size are both given"),
        ({"input__window_hu": [100, 0]}, "input.window_hu is [100, 0]; allowed is two HU, the smaller first"),
        ({"input__normalization": {"kind": "minmax"}}, "input.normalization.kind is 'minmax'"),
        ({"input__normalization": {"kind": "scale", "low": 1, "high": 1}}, "input.normalization.high is 1"),
        ({"input__normalization": {"kind": "none", "low": 1}}, "input.normalization.low is 1; allowed is nothing"),
        ({"input__normalization": {"kind": "z-score"}}, "input.normalization.over is missing"),
        ({"input__brain_only": "yes"}, "input.brain_only is 'yes'; allowed is true or false"),
        ({"inference__patch": [16, 16]}, "inference.patch is [16, 16]"),
        ({"inference__patch": [16, 16, 0]}, "inference.patch is [16, 16, 0]"),
        ({"inference__cascade": {"stage2": 0}}, "inference.cascade.stage2 is 0; allowed is a whole number from 1 to 99"),
        ({"inference__overlap": 1}, "inference.overlap is 1; allowed is a number from 0 to 0.95"),
        ({"inference__overlap": 10**400}, "inference.overlap is 1000"),
        ({"inference__activation": "relu"}, "inference.activation is 'relu'"),
        ({"inference__probability_threshold": 1}, "inference.probability_threshold is 1"),
        ({"weights": []}, "weights is []"),
        ({"weights__0__file": "../weights.safetensors"}, "weights[0].file is '../weights.safetensors'"),
        ({"weights__0__file": "weights.pt"}, "allowed is a file name that ends in .safetensors"),
        ({"weights__0__sha256": "abc"}, "weights[0].sha256 is 'abc'; allowed is 64 hexadecimal digits"),
        ({"weights": DESCRIPTION["weights"] * 2}, "weights names a file twice"),
        ({"training": "much"}, "training is 'much'; allowed is an object"),
        ({"warning": 3}, "warning is 3"),
    ],
)
def test_whatever_is_not_allowed_is_told_with_key_value_and_rule(changes, words):
    with pytest.raises(ParameterError) as error:
        ModelDescription.from_dict(described(**changes))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nnunet": NNUNET | {"folder": "../x"}}, "nnunet.folder is '../x'; allowed is 'nnunet'"),
        ({"nnunet": NNUNET | {"folds": [-1]}}, "nnunet.folds[0].fold is -1"),
        ({"nnunet": NNUNET | {"checkpoint": "../../x.pth"}}, "nnunet.checkpoint is '../../x.pth'"),
        ({"weights": [{"file": "nnunet/../x.pth", "sha256": "a" * 64}]}, "weights[0].file is 'nnunet/../x.pth'"),
        ({"input": DESCRIPTION["input"]}, "allowed is nothing, since kind is 'nnunet'"),
    ],
)
def test_an_nnunet_description_leads_nowhere_else(changes, words):
    with pytest.raises(ParameterError) as error:
        ModelDescription.from_dict(nnunet(**changes))
    assert words in str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
paths = st.sampled_from(
    [*DESCRIPTION, "labels__0", "labels__0__value", "input__normalization", "input__size", "weights__0", "weights__0__file"]
)


@given(path=paths, value=json_values)
def test_any_value_anywhere_gives_a_description_or_a_word(path, value):
    try:
        read = ModelDescription.from_dict(described(**{path: value}))
    except ParameterError:
        return
    assert ModelDescription.from_dict(json.loads(json.dumps(read.as_dict()))) == read


@pytest.mark.parametrize("values", [None, [], "model", 3])
def test_a_file_that_holds_no_object_is_told(values):
    with pytest.raises(ParameterError, match="the whole is"):
        ModelDescription.from_dict(values)


def test_methods_that_are_no_models_keep_their_names():
    assert set(TAKEN_NAMES) == {*METHOD_NAMES, TOTALSEGMENTATOR}


@pytest.mark.parametrize(
    ("name", "title", "code"),
    [
        ("ICH", "Intraparenchymal hemorrhage", "50960005"),
        ("intraventricular_haemorrhage", "Intraventricular hemorrhage", "50960005"),
        ("PHE", "Perilesional edema", "79654002"),
        ("perihematomal oedema", "Perilesional edema", "79654002"),
        ("bleeding", "Hemorrhage", "50960005"),
        ("infarct core", "Infarct", "55641003"),
        ("air_bubble", "air bubble", "49755003"),
    ],
)
def test_classes_of_training_sets_get_their_codes(name, title, code):
    label = label_of(2, name)
    assert (label.value, label.name, label.code) == (2, title, code)
    assert is_hemorrhage(label) == (code == "50960005")


def test_the_documentation_shows_a_description_that_is_in_order():
    page = (Path(__file__).parents[3] / "Documentation" / "model-folder.md").read_text(encoding="utf-8")
    values = json.loads(page.split("```json\n")[1].split("```")[0])
    values["weights"][0]["sha256"] = "a" * 64
    assert ModelDescription.from_dict(values).name == "my-model"
    for keys in (values, values["input"], values["inference"]):
        assert all(f"`{key}" in page or f"`, `{key}" in page or f".{key}`" in page for key in keys)
