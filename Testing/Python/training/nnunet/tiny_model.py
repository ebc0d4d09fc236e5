"""A model of nnU-Net's with a few hundred weights, made by one of its trainers without planning and without data."""

import contextlib
import io
import os
from pathlib import Path

import numpy as np

LABELS = {"background": 0, "ICH": 1, "PHE": 2, "IVH": 3}
PATCH = (8, 32, 32)


def plans():
    """What nnU-Net plans for thick slices, with a network of three stages."""
    resampling = {
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
    }
    resampling |= {
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
    }
    network = {
        "n_stages": 3,
        "features_per_stage": [2, 4, 4],
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        "n_conv_per_stage": [1, 1, 1],
        "n_conv_per_stage_decoder": [1, 1],
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": list(PATCH),
        "spacing": [5.0, 4.0, 4.0],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        **resampling,
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": network,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": False,
    }
    intensities = {"max": 90.0, "mean": 45.0, "median": 45.0, "min": 0.0, "std": 15.0}
    return {
        "dataset_name": "Dataset501_HT",
        "plans_name": "nnUNetPlans",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "configurations": {"3d_fullres": configuration},
        "foreground_intensity_properties_per_channel": {
            "0": {**intensities, "percentile_00_5": 5.0, "percentile_99_5": 85.0}
        },
        "continue_training": False,
    }


def dataset(labels=LABELS, **more):
    return {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 2, "file_ending": ".nii.gz", **more}


def make_trainer(kind, root, description=None):
    """A trainer of this class; ``root`` gets the folders that nnU-Net asks for."""
    import torch

    for name in ("raw", "preprocessed", "results"):
        (Path(root) / name).mkdir(parents=True, exist_ok=True)
        os.environ[f"nnUNet_{name}"] = str(Path(root) / name)
    with contextlib.redirect_stdout(io.StringIO()):
        return kind(plans(), "3d_fullres", 0, description or dataset(), torch.device("cpu"))


def initialised(trainer):
    """The trainer with network, optimiser and loss, as before its first step."""
    from nnunetv2.training.dataloading import nnunet_dataset

    folder = Path(trainer.preprocessed_dataset_folder)
    folder.mkdir(parents=True, exist_ok=True)
    # nnU-Net tells by what lies there how its data are stored.
    (folder / "case.b2nd").touch()
    assert nnunet_dataset.infer_dataset_class(str(folder))
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.initialize()
    return trainer


def batch(trainer, seed=0):
    """Random patches with a random target for each depth, as nnU-Net's loaders give them."""
    import torch

    random = np.random.default_rng(seed)
    sizes = [[round(n * s) for n, s in zip(PATCH, scale, strict=True)] for scale in trainer._get_deep_supervision_scales()]
    data = torch.from_numpy(random.normal(0, 1, (2, 1, *PATCH)).astype(np.float32))
    target = [torch.from_numpy(random.integers(0, len(LABELS), (2, 1, *size)).astype(np.int16)) for size in sizes]
    return {"data": data, "target": target}
