"""Folders that nnU-Net trained as model folders."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.inference.models.folder import verify_model
from HTSegmentationLib.inference.models.install import install
from HTSegmentationLib.inference.models.store import find_model

from .. import needs
from .model_folders import Malicious

torch = needs.deep_learning()

pytestmark = pytest.mark.usefixtures("store")


DATASET = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "PHE": 1, "ICH": 2, "IVH": 3}, "numTraining": 20}


def nnunet(results, dataset=DATASET, folds=(0, 1), **extra):
    """A folder as nnUNetv2_train leaves it; returns the results folder and the model's folder."""
    folder = results / "Dataset007_Bleed" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    plans = {
        "dataset_name": "Dataset007_Bleed",
        "plans_name": "nnUNetPlans",
        "configurations": {"3d_fullres": {}, "3d_cascade_fullres": {"previous_stage": "3d_lowres"}},
    }
    for fold in folds:
        (folder / f"fold_{fold}" / "validation").mkdir(parents=True)
        checkpoint = {
            "network_weights": {"final.weight": torch.full((2, 2), float(fold == 1))},
            "optimizer_state": {"state": {0: {"momentum_buffer": torch.zeros(2)}}, "param_groups": [{"lr": 0.01}]},
            "grad_scaler_state": None,
            "logging": {"ema_fg_dice": [np.float64(0.5)], "train_losses": [np.float32(0.25)]},
            "_best_ema": np.float64(0.5),
            "current_epoch": 2,
            "init_args": {"plans": plans, "configuration": "3d_fullres", "fold": fold, "device": torch.device("cpu")},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        torch.save(checkpoint | extra, folder / f"fold_{fold}" / "checkpoint_final.pth")
        (folder / f"fold_{fold}" / "training_log.txt").write_text("Epoch 1")
        (folder / f"fold_{fold}" / "validation" / "postprocessing.pkl").write_bytes(b"x")
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "plans.json").write_text(json.dumps(plans))
    return folder


@pytest.mark.parametrize("given", ["the model's folder", "the data set's folder", "the results folder", "an exported zip"])
def test_an_nnunet_model_is_recognised_wherever_it_lies(tmp_path, given):
    folder = nnunet(tmp_path / "results")
    source = {"the model's folder": folder, "the data set's folder": folder.parent}.get(given, tmp_path / "results")
    if given == "an exported zip":
        source = shutil.make_archive(str(tmp_path / "exported"), "zip", tmp_path / "results")
    entry = install(source)
    description = entry.model.description
    assert (entry.name, description.kind) == ("dataset007-bleed-3d-fullres", "nnunet")
    assert [(label.value, label.name) for label in description.labels] == [
        (2, "Intraparenchymal hemorrhage"),
        (3, "Intraventricular hemorrhage"),
        (1, "Perilesional edema"),
    ]
    assert description.nnunet.as_dict() == {
        "folder": "nnunet",
        "folds": [0, 1],
        "checkpoint": "checkpoint_final.pth",
        "trainer": "nnUNetTrainer",
        "plans": "nnUNetPlans",
        "configuration": "3d_fullres",
    }
    assert sorted(p.relative_to(entry.folder).as_posix() for p in entry.folder.rglob("*") if p.is_file()) == [
        "model.json",
        "nnunet/dataset.json",
        "nnunet/fold_0/checkpoint_final.pth",
        "nnunet/fold_1/checkpoint_final.pth",
        "nnunet/plans.json",
    ]
    assert description.inference.mirroring
    assert verify_model(find_model(entry.name)) == ()


def test_an_installed_nnunet_model_can_be_installed_elsewhere(tmp_path, monkeypatch):
    entry = install(nnunet(tmp_path / "results"), name="bleed")
    monkeypatch.setenv("HTSEG_MODELS", str(tmp_path / "second store"))
    assert install(entry.folder).model.description == entry.model.description


def test_the_fold_of_all_data_is_taken_where_it_is_alone(tmp_path):
    entry = install(nnunet(tmp_path / "a", folds=["all"]), name="all")
    assert entry.model.description.nnunet.folds == ("all",)
    entry = install(nnunet(tmp_path / "b", folds=["all", 3]), name="third")
    assert entry.model.description.nnunet.folds == (3,)


def test_regions_have_the_values_that_nnunet_writes_for_them(tmp_path):
    labels = {"background": 0, "all blood": [1, 2], "IVH": [2]}
    folder = nnunet(tmp_path, DATASET | {"labels": labels, "regions_class_order": [1, 2]})
    found = install(folder).model.description.labels
    assert [(label.value, label.name) for label in found] == [(2, "Intraventricular hemorrhage"), (1, "all blood")]


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ({"labels": {"ICH": 1}}, "its labels are"),
        ({"labels": {"background": 0, "ICH": 2}}, r"its labels have the values \[2\]"),
        ({"labels": {"background": 0}}, r"its labels have the values \[\]"),
        ({"labels": {"background": 0, "a": [1, 2]}}, "regions_class_order is None"),
        ({"channel_names": {"0": "CT", "1": "CTA"}}, "its channels are"),
    ],
)
def test_an_nnunet_model_that_cannot_be_run_on_one_ct_is_refused(tmp_path, dataset, words):
    with pytest.raises(InputError, match=words):
        install(nnunet(tmp_path, DATASET | dataset))


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"init_args": {"configuration": "2d"}}, "it has no configuration '2d'"),
        ({"init_args": {"configuration": "3d_cascade_fullres"}}, "is the second stage of a cascade"),
        ({"network_weights": {"final.weight": 3}}, "is int and no tensor"),
        ({"trainer_name": "../evil"}, "nnunet.trainer is '../evil'"),
    ],
)
def test_a_checkpoint_that_is_not_as_nnunet_writes_it_is_refused(tmp_path, store, extra, words):
    with pytest.raises(InputError, match=words):
        install(nnunet(tmp_path / "results", **extra))
    assert list(store.iterdir()) == []


def test_a_checkpoint_that_would_run_code_is_refused_at_install_and_at_verifying(tmp_path, store):
    folder = nnunet(tmp_path / "results")
    bad = nnunet(tmp_path / "bad", init_args={"configuration": "3d_fullres", "extra": Malicious(tmp_path / "made")})
    with pytest.raises(InputError, match=r"asks for \w+\.mkdir"):
        install(bad)
    entry = install(folder)
    name = "fold_1/checkpoint_final.pth"
    shutil.copyfile(bad / name, entry.folder / "nnunet" / name)
    with pytest.raises(InputError, match="its SHA-256 is"):
        verify_model(entry.model)
    description = json.loads((entry.folder / "model.json").read_text())
    description["weights"][1]["sha256"] = hashlib.sha256((bad / name).read_bytes()).hexdigest()
    (entry.folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=r"asks for \w+\.mkdir"):
        verify_model(find_model(entry.name))
    assert not (tmp_path / "made").exists()


def test_two_nnunet_models_in_one_zip_are_told(tmp_path):
    folder = nnunet(tmp_path / "results")
    shutil.copytree(folder, folder.parent / "nnUNetTrainer__nnUNetPlans__2d")
    with pytest.raises(InputError, match="it holds 2 models: Dataset007_Bleed/nnUNetTrainer__nnUNetPlans__2d"):
        install(tmp_path / "results")
