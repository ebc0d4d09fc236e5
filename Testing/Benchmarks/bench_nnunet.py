"""What running an nnU-Net model through this library costs, against nnU-Net's own prediction of the same file.

    python Testing/Benchmarks/bench_nnunet.py --rounds 3

Both run in this one process with the model in memory, as nnUNetv2_predict does for all cases but the first, in turn, so
that neither pays for the start of Python or for what else the machine does. The network has random weights: its time does
not depend on them. Nothing is left out of either: both read the scan from its file and write the mask. What this library
does more, finding the brain, is shown on a line of its own. Last, two cases in a worker: the second must load nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.export.mask_files import write_mask
from HTSegmentationLib.inference.models.folder import read_model
from HTSegmentationLib.inference.models.nnunet_folder import write_nnunet
from HTSegmentationLib.inference.nnunet.segmenter import NnUNetSegmenter
from HTSegmentationLib.inference.worker.client import WorkerClient
from HTSegmentationLib.inference.worker.protocol import Request
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.parameters import SimulationParameters

LARGEST_SHARE = 1.05
"""At most 5% more than nnU-Net itself."""

RESAMPLING = "resample_data_or_seg_to_shape"

CONFIGURATION = {
    "data_identifier": "nnUNetPlans_3d_fullres",
    "preprocessor_name": "DefaultPreprocessor",
    "batch_size": 2,
    "patch_size": [16, 128, 128],
    "median_image_size_in_voxels": [30, 256, 256],
    "spacing": [5.0, 0.9, 0.9],
    "normalization_schemes": ["CTNormalization"],
    "use_mask_for_norm": [False],
    **{f"resampling_fn_{part}": RESAMPLING for part in ("data", "seg", "probabilities")},
    "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
    "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
    "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
    "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 5,
            "features_per_stage": [16, 32, 64, 128, 160],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
            "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]],
            "n_conv_per_stage": [2, 2, 2, 2, 2],
            "n_conv_per_stage_decoder": [2, 2, 2, 2],
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    },
    "batch_dice": False,
}

PLANS = {
    "dataset_name": "Dataset501_Bleed",
    "plans_name": "nnUNetPlans",
    "original_median_spacing_after_transp": [5.0, 0.9, 0.9],
    "original_median_shape_after_transp": [30, 256, 256],
    "image_reader_writer": "SimpleITKIO",
    "transpose_forward": [0, 1, 2],
    "transpose_backward": [0, 1, 2],
    "configurations": {"3d_fullres": CONFIGURATION},
    "experiment_planner_used": "ExperimentPlanner",
    "label_manager": "LabelManager",
    "foreground_intensity_properties_per_channel": {
        "0": {
            "max": 90.0,
            "mean": 55.0,
            "median": 55.0,
            "min": 5.0,
            "percentile_00_5": 10.0,
            "percentile_99_5": 85.0,
            "std": 15.0,
        }
    },
}

DATASET = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "ICH": 1, "PHE": 2, "IVH": 3},
    "numTraining": 0,
    "file_ending": ".nii.gz",
}


def make_trained(folder):
    """A folder as nnUNetv2_train leaves it, with random weights."""
    import torch
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    torch.manual_seed(0)
    plans = PlansManager(PLANS)
    network = nnUNetTrainer.build_network_architecture(plans, plans.get_configuration("3d_fullres"), 1, 4, False)
    checkpoint = {
        "network_weights": network.state_dict(),
        "init_args": {"configuration": "3d_fullres"},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    (folder / "fold_0").mkdir(parents=True)
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")
    (folder / "plans.json").write_text(json.dumps(PLANS))
    (folder / "dataset.json").write_text(json.dumps(DATASET))


def their_predictor(folder, device, mirroring):
    """nnU-Net's predictor as nnUNetv2_predict makes it."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(use_mirroring=mirroring, device=torch.device(device), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), (0,))
    return predictor


def measured(work):
    """Wall time and processor time in s."""
    wall, processor = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        work()
    return np.array([time.perf_counter() - wall, time.process_time() - processor])


def compare(folder, scan_file, options):
    """The least times of both; masks must be the same."""
    trained = folder / "trained"
    make_trained(trained)
    (folder / "model").mkdir()
    write_nnunet(trained, folder / "model")
    description = folder / "model" / "model.json"
    content = json.loads(description.read_text())
    content["inference"]["mirroring"] = options.mirroring
    description.write_text(json.dumps(content))
    segmenter = NnUNetSegmenter(read_model(folder / "model"), device=options.device)
    with contextlib.redirect_stdout(io.StringIO()):
        predictor = their_predictor(trained, options.device, options.mirroring)
    prepared = segmenter.prepare(read_ct(scan_file))
    ours, theirs, brain = [], [], []

    def our_case():
        read_ct(scan_file)
        result = segmenter.segment(prepared)
        write_mask(folder / "ours.nii.gz", result.mask, result.labels)

    def their_case():
        predictor.predict_from_files_sequential([[str(scan_file)]], [str(folder / "theirs")], False, True, None)

    for number in range(options.rounds + 1):
        times = measured(our_case), measured(their_case), measured(lambda: segmenter.prepare(prepared.scan))
        if number:  # the first round warms up
            for kept, measurement in zip((ours, theirs, brain), times, strict=True):
                kept.append(measurement)
    masks = [sitk.GetArrayFromImage(sitk.ReadImage(folder / f"{name}.nii.gz")) for name in ("ours", "theirs")]
    assert np.array_equal(*masks), "the masks differ"
    return [np.min(kept, axis=0) for kept in (ours, theirs, brain)]


def in_worker(folder, scan_file, options):
    """Seconds of loading the model, of the first and of the second case in one worker."""
    request = Request("nnunet", str(scan_file), str(folder / "worker.nii.gz"), str(folder / "model"), device=options.device)
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with WorkerClient(environment=environment) as worker:
        return [worker.segment(request)["stage_seconds"]["model"] for _ in range(2)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--mirroring", action="store_true", help="also mirrored tiles, eight times as long")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = simulate_head(SimulationParameters(seed=5, matrix=256))
        sitk.WriteImage(case.scan.image, folder / "head_0000.nii.gz")
        ours, theirs, brain = compare(folder, folder / "head_0000.nii.gz", options)
        print(f"{'':<26}{'wall s':>9}{'processor s':>13}")
        for title, seconds in (("nnU-Net", theirs), ("this library", ours), ("finding the brain, more", brain)):
            print(f"{title:<26}{seconds[0]:>9.2f}{seconds[1]:>13.2f}")
        share = ours / theirs
        print(f"{'this library / nnU-Net':<26}{share[0]:>9.3f}{share[1]:>13.3f}")
        loading = in_worker(folder, folder / "head_0000.nii.gz", options)
        print(f"loading in a worker: first case {loading[0]:.2f} s, second case {loading[1]:.4f} s")
    good = share[1] <= LARGEST_SHARE and loading[1] < loading[0] / 100
    print("held" if good else "NOT HELD")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
