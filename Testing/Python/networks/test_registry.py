import inspect
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from HTSegmentationLib.errors import MissingPackageError, ParameterError
from HTSegmentationLib.networks import registry
from HTSegmentationLib.networks.registry import NETWORK_NAMES, build_network, checked_arguments

from .. import needs


def test_the_published_architectures_are_there():
    published = ("se-unet", "cascaded-unet", "cnn-ds", "deepmedic", "basic-unet", "deeplab", "patch-unet", "slice-unet")
    assert published == NETWORK_NAMES


def test_names_and_arguments_are_known_without_torch():
    code = (
        "import sys\n"
        "from HTSegmentationLib.networks.registry import NETWORK_NAMES, checked_arguments\n"
        "for name in NETWORK_NAMES: checked_arguments(name, {})\n"
        "print(sorted({'torch', 'monai', 'SimpleITK'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_every_argument_of_an_architecture_can_be_given_and_has_a_published_value(name):
    made = registry._ARCHITECTURES[name].make
    published = {key: parameter.default for key, parameter in inspect.signature(made).parameters.items()}
    assert checked_arguments(name, {}) == published


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("u-net", {}, "'u-net' is not known; known are se-unet, .*slice-unet"),
        ("se-unet", {"depth": 3}, "se-unet has no argument depth; it has input_channels, classes, levels"),
        ("se-unet", {"levels": 9}, "se-unet, levels: 9 must be a whole number from 2 to 6"),
        ("se-unet", {"levels": 3.0}, "whole number"),
        ("se-unet", {"levels": True}, "whole number"),
        ("se-unet", {"levels": "4"}, "whole number"),
        ("se-unet", {"input_channels": 0}, "input_channels: 0 must be a whole number from 1"),
        ("se-unet", {"classes": 1}, "classes: 1 must be a whole number from 2"),
        ("se-unet", {"squeeze_and_excitation": 1}, "must be true or false"),
        ("se-unet", {"dropout": 1.0}, "from 0 to below 1"),
        ("se-unet", {"dropout": float("nan")}, "from 0 to below 1"),
        ("se-unet", {"dropout": None}, "from 0 to below 1"),
        ("slice-unet", {"levels": 6}, "6 levels from 64 filters on end with 2048 channels; at most 1024 are allowed"),
        ("cascaded-unet", {"dimensions": 4}, "from 2 to 3"),
        ("cascaded-unet", {"supervised_levels": 7}, "from 1 to 6"),
        ("deepmedic", {"feature_maps": []}, "list of 1 to 16 whole numbers"),
        ("deepmedic", {"feature_maps": [30, 0]}, r"feature_maps\[1\]: 0 must be"),
        ("deepmedic", {"feature_maps": "30"}, "list of"),
        ("basic-unet", {"features": [32, 32]}, "list of 6 whole numbers"),
        ("deeplab", {"aspp_channels": 10**9}, "from 1 to 1024"),
    ],
)
def test_wrong_arguments_are_refused_with_what_is_allowed(name, arguments, complaint):
    with pytest.raises(ParameterError, match=complaint):
        build_network(name, arguments)


@given(
    st.sampled_from(NETWORK_NAMES),
    st.dictionaries(
        st.sampled_from(["levels", "filters", "features", "classes", "dropout", "scales", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers(), max_size=6),
    ),
)
def test_whatever_a_model_folder_says_is_either_allowed_or_refused(name, arguments):
    try:
        checked = checked_arguments(name, arguments)
    except ParameterError:
        return
    assert {key: checked[key] for key in arguments} == {
        key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()
    }


@pytest.mark.parametrize(("package", "name"), [("torch", "se-unet"), ("monai", "basic-unet"), ("monai", "cascaded-unet")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, package, name):
    if package != "torch":
        needs.deep_learning()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{package} is needed .*htsegmentation\[dl\]"):
        build_network(name, {})
