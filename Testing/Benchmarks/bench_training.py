"""Speed of a training: preparing cases, cutting patches, how long a network waits for them, and what going on costs.

    python Testing/Benchmarks/bench_training.py
    python Testing/Benchmarks/bench_training.py --cohort cohort/cohort.csv --cache cache --workers 0 2 4 --steps 200

Without a cohort, two heads of 512x512x30 voxels are simulated. A graphics card is used where there is one. The share of
waiting is that of the steps after the first ones, in which PyTorch chooses its algorithms.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ALLOWED_WAIT = 0.1
"""Share of a step that may be spent waiting for patches, on two cores with the SE U-Net."""

WARM_UP = 3

ALLOWED_RESUMING_S = 10

_KILLED_AT = """
import json, os, sys, time
from pathlib import Path
from HTSegmentationLib.training.cases import read_training_cases
from HTSegmentationLib.training.train import train
from HTSegmentationLib.training.train_options import TrainOptions
from HTSegmentationLib.training.settings import TrainingSettings

table, cache, run, settings, epoch = sys.argv[1:]

def watch(now):
    if now.moment.epoch >= int(epoch):
        print(time.time())
        sys.stdout.flush()
        os._exit(0)

cases = read_training_cases(table, cache_folder=Path(cache), jobs=1)
how = TrainOptions(cache=Path(cache), held_out=(cases[0].case_id,))
train(cases, TrainingSettings.from_dict(json.loads(settings)), run, how, manifest=table, watcher=watch)
"""
"""A training that ends, without any farewell, at the first step of an epoch, and tells when that was."""


def simulated(folder):
    """The table of two simulated heads."""
    from HTSegmentationLib.cohort.simulated import simulate_cohort
    from HTSegmentationLib.simulate.cohort import cohort_parameters

    return simulate_cohort(cohort_parameters(1, 1), folder).manifest


def bench_preparing(table, settings, cache, jobs):
    from HTSegmentationLib.training.cache import prepared_cases
    from HTSegmentationLib.training.cases import read_training_cases

    for what in ("first time", "again"):
        start = time.perf_counter()
        cases = read_training_cases(table, cache_folder=cache, jobs=jobs)
        read = time.perf_counter() - start
        cached = prepared_cases(cases, settings, cache, jobs=jobs)
        whole = time.perf_counter() - start
        print(f"{what}: {len(cases)} cases checked in {read:.1f} s, prepared in {whole - read:.1f} s")
    size = sum(file.stat().st_size for case in cached for file in case.folder.iterdir())
    print(f"cache: {size / len(cached) / 1e6:.1f} MB a case, {cached[0].channels.dtype}, {cached[0].channels.shape}")
    return cached


def bench_cutting(cached, settings, workers, steps):
    from HTSegmentationLib.training.patches import PatchLoader

    for name, changed in (
        ("as they are", {}),
        ("six views", {"augmentation": dataclasses.replace(settings.augmentation, six_views=True)}),
        ("varied", {"augmentation": dataclasses.replace(settings.augmentation, flip=0.5, rotation=0.5, noise=0.5)}),
    ):
        used = dataclasses.replace(settings, **changed)
        for count in workers:
            batches = PatchLoader(cached, used, training=True, workers=count).epoch(0)
            next(batches)
            start = time.perf_counter()
            done = sum(len(batch[0]) for _, batch in zip(range(steps), batches, strict=False))
            speed = done / (time.perf_counter() - start)
            print(f"cutting patches, {name}, {count} workers: {speed:,.0f} patches/s")


def bench_steps(cached, settings, workers, steps):
    import torch

    from HTSegmentationLib.inference.device import choose_device
    from HTSegmentationLib.networks.registry import build_network
    from HTSegmentationLib.training.losses import make_loss
    from HTSegmentationLib.training.patches import PatchLoader

    device = choose_device().torch_device
    network = build_network(settings.architecture, settings.network_arguments()).to(device)
    network = network.to(memory_format=torch.channels_last_3d)
    optimiser, loss = torch.optim.Adadelta(network.parameters(), lr=1.0), make_loss(settings)
    for count in workers:
        loader = PatchLoader(cached, settings, training=True, workers=count, pinned=device.type == "cuda" and count > 0)
        batches, taken, waited = loader.epoch(0), [], []
        for _ in range(WARM_UP + steps):
            start, before = time.perf_counter(), loader.wait_seconds
            batch = next(batches, None)
            if batch is None:
                break
            x, target = (part.to(device, non_blocking=True) for part in batch)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                logits = network(x.contiguous(memory_format=torch.channels_last_3d))
            loss(logits, target).backward()
            optimiser.step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - start)
            waited.append(loader.wait_seconds - before)
        step, share = statistics.median(taken[WARM_UP:]), sum(waited[WARM_UP:]) / sum(taken[WARM_UP:])
        verdict = "within" if share <= ALLOWED_WAIT else "ABOVE"
        print(
            f"{settings.architecture} on {device.type}, {count} workers: {step * 1000:.0f} ms a step, "
            f"{settings.batch_size / step:,.0f} patches/s, {share:.2%} of it waiting ({verdict} {ALLOWED_WAIT:.0%})"
        )


def bench_resuming(table, settings, cache, run):
    """From the start of a process to its first step, where another one was killed before."""
    few = dataclasses.replace(settings, patches_per_case=settings.batch_size, validation_share=0.0, epochs=3)
    told = []
    for epoch in (2, 2):
        call = [sys.executable, "-c", _KILLED_AT, *map(str, (table, cache, run, json.dumps(few.as_dict()), epoch))]
        start = time.time()
        told.append(float(subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout) - start)
    verdict = "within" if told[1] <= ALLOWED_RESUMING_S else "ABOVE"
    print(f"resuming: {told[1]:.1f} s from the start of the process to the first step ({verdict} {ALLOWED_RESUMING_S} s)")


def main():
    from HTSegmentationLib.training.recipes import TRAINABLE, published_settings

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=TRAINABLE, default="se-unet")
    parser.add_argument("--cohort", type=Path, help="a table of cases; two simulated heads when left out")
    parser.add_argument("--cache", type=Path, help="keeps prepared cases")
    parser.add_argument("--jobs", type=int, help="processes that prepare cases")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1], help="processes that cut patches")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    settings = published_settings(options.architecture)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        table, cache = options.cohort or simulated(place), options.cache or place / "cache"
        cached = bench_preparing(table, settings, cache, options.jobs)
        bench_cutting(cached, settings, options.workers, 5 * options.steps)
        bench_steps(cached, settings, options.workers, options.steps)
        bench_resuming(table, settings, cache, place / "run")


if __name__ == "__main__":
    main()
