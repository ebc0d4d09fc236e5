"""MONAI Bundles as model folders: their tensors and plain settings, never their code."""

import json

import pytest

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.inference.models.install import install
from HTSegmentationLib.inference.models.weights import load_tensors

from .. import needs
from .model_folders import Malicious

torch = needs.deep_learning()

pytestmark = pytest.mark.usefixtures("store")


def bundle(folder, **changes):
    """A MONAI Bundle with MONAI's own BasicUNet."""
    nets = needs.package("monai.networks.nets", "its bundles")
    features = [2, 2, 2, 4, 4, 2]
    network = nets.BasicUNet(spatial_dims=3, in_channels=1, out_channels=2, features=features)
    output = {"num_channels": 2, "channel_def": {"0": "background", "1": "hemorrhage"}}
    metadata = {
        "version": "0.3.1",
        "name": "Bleeding",
        "copyright": "A hospital",
        "references": ["A paper."],
        "network_data_format": {"inputs": {"image": {"num_channels": 1}}, "outputs": {"pred": output}},
    }
    transforms = [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": [1.0, 1.0, 2.0], "mode": "bilinear"},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": 0, "a_max": 80, "b_min": 0, "b_max": 1, "clip": True},
    ]
    config = {
        "patch": [32, 32, 16],
        "bundle_root": ".",
        "device": "$torch.device('cpu')",
        "network_def": {"_target_": "BasicUNet", "spatial_dims": 3, "out_channels": 2, "features": features},
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": transforms},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "@patch", "overlap": 0.5, "mode": "gaussian"},
    }
    for path, value in changes.items():
        *parents, key = path.split("__")
        place = {"config": config, "metadata": metadata}
        for parent in parents:
            place = place[int(parent) if parent.isdecimal() else parent]
        place[int(key) if key.isdecimal() else key] = value
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    torch.save(network.state_dict(), folder / "models" / "model.pt")
    return network


def test_a_monai_bundle_becomes_a_model_that_says_what_the_bundle_said(tmp_path):
    network = bundle(tmp_path / "bleeding_ct")
    entry = install(tmp_path / "bleeding_ct")
    description = entry.model.description
    assert (entry.name, description.kind, description.version) == ("bleeding-ct", "monai-bundle", "0.3.1")
    assert [label.name for label in description.labels] == ["Hemorrhage"]
    assert (description.input.orientation, description.input.spacing_mm) == ("RAS", (1.0, 1.0, 2.0))
    assert (description.input.window_hu, description.input.normalization.high) == ((0, 80), 1)
    settings = description.inference
    assert (settings.patch, settings.overlap, settings.blending) == ((32, 32, 16), 0.5, "gaussian")
    assert (description.licence, description.citation) == ("A hospital", "A paper.")
    assert sorted(path.name for path in entry.folder.iterdir()) == ["model.json", "weights.safetensors"]
    total = sum(value.double().sum() for value in load_tensors(entry.model.weight_paths[0]).values())
    assert total == pytest.approx(sum(value.double().sum() for value in network.state_dict().values()))
    assert description.weights[0].parameters == sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config__network_def___target_": "$__import__('os').mkdir('made')"}, "is the expression"),
        ({"config__network_def__features": "$[32] * 6"}, "network_def.features is the expression"),
        (
            {"config__network_def___target_": "scripts.mine.BasicUNet"},
            "network_def is 'scripts.mine.BasicUNet'; allowed are MONAI",
        ),
        ({"config__network_def___target_": "SwinUNETR"}, "network_def is 'SwinUNETR'"),
        ({"config__network_def__act": "RELU"}, "network_def.act is not known"),
        ({"config__network_def__out_channels": 5}, "network_def.out_channels is 5; allowed is 2"),
        (
            {"config__preprocessing__transforms__3___target_": "scripts.mine.Step"},
            "'scripts.mine.Step', which we do not know",
        ),
        (
            {"config__preprocessing__transforms__4__clip": False},
            "'ScaleIntensityRanged', which we do not know in this place",
        ),
        ({"config__preprocessing__transforms__2__axcodes": "XYZ"}, "preprocessing.orientation is 'XYZ'"),
        ({"config__preprocessing__transforms__3__mode": "nearest"}, "'Spacingd', which we do not know in this place"),
        ({"config__preprocessing__transforms__2___target_": "LoadImaged"}, "'Spacingd', which we do not know in this place"),
        ({"config__preprocessing__transforms__3___disabled_": True}, r"transforms\[3\]._disabled_ is not known"),
        ({"config__postprocessing": {"transforms": [{"_target_": "Activationsd", "sigmoid": True}]}}, "takes a sigmoid"),
        ({"config__preprocessing": "$scripts.make()"}, "preprocessing.transforms is no list"),
        ({"config__inferer___target_": "SimpleInferer"}, "inferer is 'SimpleInferer'"),
        ({"config__patch": "$compute()"}, "inferer.roi_size is the expression"),
        ({"metadata__network_data_format__inputs__image__num_channels": 4}, "takes 4 input channels"),
        ({"metadata__network_data_format": {}}, "network_data_format does not name"),
    ],
)
def test_what_a_bundle_would_have_to_run_or_we_do_not_know_is_refused(tmp_path, store, changes, words):
    bundle(tmp_path / "bundle", **changes)
    with pytest.raises(InputError, match=words) as error:
        install(tmp_path / "bundle")
    assert "convert it by hand" in str(error.value)
    assert list(store.iterdir()) == []


def test_weights_of_a_bundle_that_are_programs_are_refused(tmp_path):
    bundle(tmp_path / "bundle")
    torch.save({"extra": Malicious(tmp_path / "made")}, tmp_path / "bundle" / "models" / "model.pt")
    with pytest.raises(InputError, match="nothing of it was run"):
        install(tmp_path / "bundle")
    (tmp_path / "bundle" / "models" / "model.pt").rename(tmp_path / "bundle" / "models" / "model.ts")
    with pytest.raises(InputError, match="it is TorchScript"):
        install(tmp_path / "bundle")
    assert not (tmp_path / "made").exists()
