"""Speed, memory and agreement of the networks' inference, in one run.

    python Testing/Benchmarks/bench_networks.py
    HTSEG_TEST_DATA=/path/to/data python Testing/Benchmarks/bench_networks.py --parts blast-ct

Each part runs in a process of its own, whose peak memory is its own. The SE U-Net has random weights, which cost as much as
trained ones; its agreement with larger windows is therefore that of a network that knows nothing. BLAST-CT needs the public
data set. A graphics card is used where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

PAPER_SE_UNET_S = 17.0
"""A scan on a TITAN V (Abramova et al. 2021)."""

PARTS = ("symmetric", "se-unet", "se-unet-windows", "blast-ct")


class Taken(float):
    """Wall time in s; in words with the time that all threads computed, which other programs do not stretch."""

    computed = 0.0

    def __str__(self):
        return f"{float(self):.1f} s ({self.computed:.1f} s of all threads)"


def seconds(work):
    """Time of a call, and what it gave."""
    start, computed = time.perf_counter(), time.process_time()
    result = work()
    taken = Taken(time.perf_counter() - start)
    taken.computed = time.process_time() - computed
    return taken, result


def dice(first, second):
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 1.0 if total == 0 else 2 * np.count_nonzero(first & second) / total


def simulated():
    """A head of 512x512x30 voxels, prepared."""
    from HTSegmentationLib.simulate.head import simulate_head
    from HTSegmentationLib.simulate.parameters import SimulationParameters
    from HTSegmentationLib.threshold.prepare import prepare

    return prepare(simulate_head(SimulationParameters(seed=3, slices=30)).scan)


def se_unet_model(folder, patch=(32, 32, 16), overlap=0.55):
    """The published network with random weights, as a model folder."""
    import hashlib

    import torch

    from HTSegmentationLib.inference.models.folder import read_model
    from HTSegmentationLib.inference.models.weights import save_tensors
    from HTSegmentationLib.networks.registry import build_network

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.safetensors"
    save_tensors(weights, build_network("se-unet", {}).state_dict())
    label = {"value": 1, "name": "Hemorrhage", "code": "50960005", "meaning": "Hemorrhage", "color": [188, 65, 28]}
    description = {
        "format": 1,
        "kind": "network",
        "name": "se-unet",
        "title": "3D SE U-Net",
        "version": "0",
        "architecture": {"name": "se-unet", "arguments": {}},
        "labels": [label],
        "input": {
            "channels": ["ct"],
            "orientation": "LPS",
            "spacing_mm": [None, None, None],
            "window_hu": [0, 100],
            "normalization": {"kind": "z-score", "over": "brain"},
            "brain_only": True,
        },
        "inference": {"patch": list(patch), "overlap": overlap, "blending": "gaussian", "activation": "softmax"},
        "weights": [{"file": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}],
    }
    (folder / "model.json").write_text(json.dumps(description))
    return read_model(folder)


def cuda():
    import torch

    return torch.cuda.is_available()


def bench_symmetric(_options):
    """The symmetric modality."""
    from HTSegmentationLib.inference.symmetric import mirror_transform

    prepared = simulated()
    image = prepared.scan.image
    taken, transform = seconds(lambda: mirror_transform(prepared))
    drawn, _ = seconds(lambda: sitk.Resample(image, transform))
    print(f"symmetric modality, {image.GetSize()}: {taken}, and {drawn} to draw it (paper: about 240 s)")


def bench_se_unet(options):
    """The published network in its published windows."""
    from HTSegmentationLib.inference.network_segmenter import NetworkSegmenter

    prepared = simulated()
    with tempfile.TemporaryDirectory() as folder:
        model = se_unet_model(Path(folder), overlap=options.overlap)
        for device in ["cpu", *(["cuda"] if cuda() else [])]:
            segmenter = NetworkSegmenter(model, device=device)
            first, _ = seconds(lambda segmenter=segmenter: segmenter.segment(prepared))
            again, result = seconds(lambda segmenter=segmenter: segmenter.segment(prepared))
            details = result.details
            print(f"SE U-Net, {prepared.scan.image.GetSize()}, {details.device_title}: {again}; with loading {first}")
            print(f"    {details.windows} windows, {details.batch_size} at once")
            print(f"    the paper's {PAPER_SE_UNET_S:g} s are {PAPER_SE_UNET_S / again:.1f} times as long")


def bench_se_unet_windows(options):
    """Published windows against larger ones: what speed they would bring, and what they would change."""
    from HTSegmentationLib.inference.network_segmenter import NetworkSegmenter

    prepared = simulated()
    brain = sitk.GetArrayFromImage(prepared.brain_mask) > 0
    found = {}
    for patch in ((32, 32, 16), (96, 96, 16)):
        with tempfile.TemporaryDirectory() as folder:
            segmenter = NetworkSegmenter(se_unet_model(Path(folder), patch, options.overlap))
            taken, result = seconds(lambda segmenter=segmenter: segmenter.segment(prepared))
        found[patch] = sitk.GetArrayFromImage(result.probability)[brain]
        print(f"SE U-Net in windows of {patch}: {taken}")
    small, large = found.values()
    middle = np.median(small)
    print(f"    mean difference of the probability {np.abs(small - large).mean():.4f} (its SD {small.std():.4f})")
    print(f"    Dice of the voxels above the median {dice(small > middle, large > middle):.3f}")


def bench_blast_ct(_options):
    """Tiles over the brain against the whole scan in the same tiles, both in single precision."""
    from HTSegmentationLib.ct import read_ct
    from HTSegmentationLib.inference.answer import answer_on_scan
    from HTSegmentationLib.inference.batch_size import Batches
    from HTSegmentationLib.inference.device import choose_device
    from HTSegmentationLib.inference.loading import load_networks
    from HTSegmentationLib.inference.models.install import import_blast_ct
    from HTSegmentationLib.inference.network_segmenter import NetworkSegmenter
    from HTSegmentationLib.inference.predictor import Predictor
    from HTSegmentationLib.inference.tiles import tile, tiling_for
    from HTSegmentationLib.threshold.prepare import prepare

    data = os.environ.get("HTSEG_TEST_DATA")
    if not data:
        print("BLAST-CT: not measured, HTSEG_TEST_DATA is not set")
        return
    prepared = prepare(read_ct(Path(data) / "ge-infarct-ct"))
    device = choose_device()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HTSEG_MODELS"] = str(Path(folder) / "models")
        model = import_blast_ct(Path(data) / "blast-ct-v1", models=(1,)).model
        taken, result = seconds(lambda: NetworkSegmenter(model, half=False).segment(prepared))
        predictor = Predictor(load_networks(model, device), device)
    print(f"BLAST-CT, one network, {device.title}: {taken}, {result.details.windows} tiles")
    print("    mL:", {label.name: round(result.volume_ml(label), 2) for label in result.labels})
    print(f"    peak {peak_mb():.0f} MB")
    description = model.description.input
    tiling = tiling_for(predictor.networks[0], device)

    def whole():
        channels, grid = whole_scan(prepared, description, tiling)
        found, count = tile(channels, np.ones(grid.size[::-1], bool), tiling, predictor, Batches(1, "here"))
        return answer_on_scan(found, grid, prepared.brain_mask, model.description.labels).mask, count

    padded, (mask, count) = seconds(whole)
    ours, theirs = (sitk.GetArrayFromImage(image) for image in (result.mask, mask))
    print(f"whole scan, padded: {padded}, {count} tiles")
    print(f"    ratio {padded / taken:.1f}, of the threads' time {padded.computed / taken.computed:.1f}")
    print(f"    Dice of everything found {dice(ours > 0, theirs > 0):.4f}, of edema {dice(ours == 3, theirs == 3):.4f}")


def whole_scan(prepared, description, tiling):
    """The whole scan as a network's input, padded as in training, and its grid; its tiles continue those over the brain."""
    from HTSegmentationLib.ct.regular_grid import AIR_HU
    from HTSegmentationLib.inference.intensity import intensity
    from HTSegmentationLib.inference.network_grid import network_grid
    from HTSegmentationLib.inference.preprocess import Extent, network_input

    image = prepared.scan.image
    scan = network_grid(image, description.orientation, description.spacing_mm)
    brain = network_input(prepared, description, Extent(multiple=tiling.step, margin=tiling.margin)).grid
    corner = brain.image(np.zeros((1, 1, 1), np.uint8)).TransformPhysicalPointToContinuousIndex(scan.origin)
    step, margin = np.array(tiling.step[::-1]), np.array(tiling.margin[::-1])
    start = np.floor(np.rint(corner) / step).astype(int) * step
    size = np.ceil((np.rint(corner) + scan.size - start) / step).astype(int) * step
    read = brain.cut(start - margin, size + 2 * margin)
    placed = read.resample(image, np.nan)
    beyond = np.isnan(placed)
    values = intensity(image, prepared.brain_mask, description).apply(np.where(beyond, np.float32(AIR_HU), placed))
    values[beyond] = description.outside_value
    return values[None], brain.cut(start, size)


def peak_mb():
    """This process's peak memory in MB (Linux)."""
    try:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return float("nan")
    return int(line.split()[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--overlap", type=float, default=0.55, help="of the SE U-Net's windows (paper: above 0.5)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.here:
        for part in options.parts:
            call = [sys.executable, __file__, "--here", "--parts", part, "--overlap", str(options.overlap)]
            subprocess.run(call, check=True)
        return
    work = {
        "symmetric": bench_symmetric,
        "se-unet": bench_se_unet,
        "se-unet-windows": bench_se_unet_windows,
        "blast-ct": bench_blast_ct,
    }
    for part in options.parts:
        work[part](options)
        print(f"    peak {peak_mb():.0f} MB", flush=True)


if __name__ == "__main__":
    main()
