"""A tiny model that nnU-Net's own commands plan and train on phantoms, and what nnUNetv2_predict finds with it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..phantom import BLEED_CENTER_MM, SIZE, SPACING, as_scan, head_array

TRAINER = """
import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerNoDA import nnUNetTrainerNoDA


class BriefTrainer(nnUNetTrainerNoDA):
    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):
        super().__init__(plans, configuration, fold, dataset_json, device)
        np.random.seed(0)
        torch.manual_seed(0)
        self.num_epochs, self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = 1, 40, 1

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.network.parameters(), 0.01)
        return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self):
        settings = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        self.inference_allowed_mirroring_axes = (1, 2)
        return settings

    def perform_actual_validation(self, save_probabilities=False):
        pass
"""
"""Without augmentation, which would take most of the time; it allows mirroring within slices."""

FOLDER = Path("results", "Dataset501_Bleed", "BriefTrainer__nnUNetPlans__3d_fullres")

REGIONS = FOLDER.with_name("BriefTrainer__regions__3d_fullres")


def labelled_head(seed):
    """(CT in HU, labels: 1 a large ball of blood, 2 the edema about it), so that a few steps suffice to learn them."""
    array, _ = head_array(seed=seed, bleed_hu=32)
    z, y, x = (np.arange(n) * s - (n - 1) * s / 2 for n, s in zip(SIZE[::-1], SPACING[::-1], strict=True))
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    distance = np.sqrt(sum((g - c) ** 2 for g, c in zip((xx, yy, zz), BLEED_CENTER_MM, strict=True)))
    brain = (array > 10) & (array < 60)
    bleed, edema = brain & (distance < 28), brain & (distance >= 28) & (distance < 44)
    array[bleed] += 30
    array[edema] -= 30
    image = as_scan(array).image
    labels = sitk.GetImageFromArray(bleed.astype(np.uint8) + 2 * edema.astype(np.uint8))
    labels.CopyInformation(image)
    return image, labels


def odd_head():
    """A scan to predict: zeros about it, which nnU-Net crops, and axes toward right, anterior and inferior."""
    image, _ = labelled_head(seed=99)
    padded = sitk.ConstantPad(image, [7, 4, 1], [2, 9, 1], 0)
    padded.SetDirection([-1, 0, 0, 0, -1, 0, 0, 0, -1])
    return padded


def train(root):
    """Trains the model; afterwards ``root`` holds it, a second fold with other weights, and nnU-Net's own predictions."""
    dataset = root / "raw" / "Dataset501_Bleed"
    for folder in (dataset / "imagesTr", dataset / "labelsTr", root / "trainers"):
        folder.mkdir(parents=True)
    for seed in range(2):
        image, labels = labelled_head(seed)
        sitk.WriteImage(image, dataset / "imagesTr" / f"head{seed}_0000.nii.gz")
        sitk.WriteImage(labels, dataset / "labelsTr" / f"head{seed}.nii.gz")
    for name, scan in (("plain", labelled_head(7)[0]), ("odd", odd_head())):
        (root / "scans" / name).mkdir(parents=True)
        sitk.WriteImage(scan, root / "scans" / name / f"{name}_0000.nii.gz")
    description = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "ICH": 1, "PHE": 2},
        "numTraining": 2,
        "file_ending": ".nii.gz",
    }
    (dataset / "dataset.json").write_text(json.dumps(description))
    (root / "trainers" / "brief_trainer.py").write_text(TRAINER)
    configuration = ["501", "3d_fullres", "all"]
    run(
        root,
        ["nnUNetv2_plan_and_preprocess", "-d", "501", "-c", "3d_fullres", "--no_pp", "-npfp", "1"],
        ["shrink", str(root / "preprocessed" / "Dataset501_Bleed" / "nnUNetPlans.json")],
        ["nnUNetv2_preprocess", "-d", "501", "-c", "3d_fullres", "-np", "1"],
        # Neither planning nor this may start processes for augmentation; the planner refuses 0.
        ["set", "nnUNet_n_proc_DA", "0"],
        ["nnUNetv2_train", *configuration, "-tr", "BriefTrainer", "-device", "cpu"],
    )
    add_folds(root / FOLDER)
    add_regions(root / FOLDER, root / REGIONS)
    run(
        root,
        [*predict(root, "plain", "of_one_fold"), "-f", "0", "--disable_tta"],
        [*predict(root, "odd", "of_two_folds"), "-f", "0", "1"],
        [*predict(root, "plain", "of_regions"), "-f", "0", "--disable_tta", "-p", "regions"],
    )


def predict(root, scans, output):
    model = ["-d", "501", "-c", "3d_fullres", "-tr", "BriefTrainer", "-device", "cpu", "-npp", "0", "-nps", "0"]
    return ["nnUNetv2_predict", *model, "-i", str(root / "scans" / scans), "-o", str(root / output)]


def add_folds(folder):
    """Two folds out of the one that was trained: its own weights, and weights that differ a little."""
    import torch

    checkpoint = torch.load(folder / "fold_all" / "checkpoint_final.pth", weights_only=False)
    generator = torch.Generator().manual_seed(0)
    for fold, noise in ((0, 0.0), (1, 0.01)):
        weights = checkpoint["network_weights"]
        for name, tensor in weights.items():
            weights[name] = tensor + noise * torch.randn(tensor.shape, generator=generator)
        (folder / f"fold_{fold}").mkdir()
        torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")


def add_regions(folder, target):
    """The same network as one that predicts regions, one in the other; it has a head less, none for the background."""
    import torch

    shutil.copytree(folder / "fold_0", target / "fold_0")
    shutil.copyfile(folder / "plans.json", target / "plans.json")
    dataset = json.loads((folder / "dataset.json").read_text())
    dataset |= {"labels": {"background": 0, "whole": [1, 2], "ICH": 1}, "regions_class_order": [2, 1]}
    (target / "dataset.json").write_text(json.dumps(dataset))
    path = target / "fold_0" / "checkpoint_final.pth"
    checkpoint = torch.load(path, weights_only=False)
    for name, tensor in checkpoint["network_weights"].items():
        if ".seg_layers." in name:
            # Against the background: edema for the whole, blood for the inner region.
            checkpoint["network_weights"][name] = tensor[[2, 1]] - tensor[:1]
    torch.save(checkpoint, path)


def run(root, *commands):
    environment = os.environ | {
        "nnUNet_raw": str(root / "raw"),
        "nnUNet_preprocessed": str(root / "preprocessed"),
        "nnUNet_results": str(root / "results"),
        "nnUNet_extTrainer": str(root / "trainers"),
        "nnUNet_n_proc_DA": "1",
        "nnUNet_def_n_proc": "1",
        "nnUNet_compile": "f",
    }
    script = Path(__file__).parent / "nnunet_commands.py"
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(commands)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
