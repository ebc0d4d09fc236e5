"""Speed and memory of the threshold method against the paper done step by step, in one run.

    python Testing/Benchmarks/bench_threshold.py

Prints ratios, so that the figures of two machines can be compared.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import reference_method
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image, empty_like
from HTSegmentationLib.export.image_files import write_image
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.robust.robust_threshold import RobustThreshold

TYPICAL_ROI_MM = (60, 60, 40)


def seconds(work, rounds):
    """Median wall time of a call in s."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def box_roi(image, center_index, size_mm):
    """A box of that size around a voxel."""
    array = sitk.GetArrayFromImage(empty_like(image))
    half = [round(length / spacing / 2) for length, spacing in zip(size_mm, image.GetSpacing(), strict=True)]
    array[tuple(slice(max(c - h, 0), c + h) for c, h in zip(center_index[::-1], half[::-1], strict=True))] = 1
    return Roi.from_mask(array_to_image(array, image))


def compare_with_reference(case, rounds):
    """Whole run, stage by stage, and the agreement of the masks."""
    image, segmenter = case.scan.image, AdaptiveThreshold()
    roi_mask = case.roi.on_grid(image)
    start = time.perf_counter()
    reference = reference_method.segment(image, roi_mask)
    reference_s = time.perf_counter() - start
    product_s = seconds(lambda: segmenter.run(case.scan, case.roi), rounds)
    result = segmenter.run(case.scan, case.roi)
    print(f"size {image.GetSize()}, spacing {tuple(round(s, 2) for s in image.GetSpacing())} mm")
    print(f"step by step at full resolution  {reference_s:7.2f} s   ", _stages(reference.seconds))
    print(f"product                          {product_s:7.2f} s   ", _stages(result.stage_seconds))
    print(f"ratio                            {reference_s / product_s:7.1f}")
    prepared = segmenter.prepare(case.scan)
    same_strip = reference_method.segment(image, roi_mask, prepared.tissue_mask)
    ours, theirs = (sitk.GetArrayFromImage(mask) > 0 for mask in (result.mask, same_strip.mask))
    share = np.count_nonzero(ours != theirs) / max(np.count_nonzero(theirs), 1)
    print(f"differing voxels, same skull strip {share:.4%} of {np.count_nonzero(theirs)}")
    return prepared


def latency(case, prepared, rounds):
    """A new ROI on a prepared scan: the mask alone, as a preview shows it, and with its confidence."""
    inside = np.argwhere(sitk.GetArrayFromImage(case.hemorrhage) > 0).mean(axis=0)
    center = [int(n) for n in inside[::-1]]
    for size in ((30, 30, 20), TYPICAL_ROI_MM, (100, 100, 60)):
        roi = box_roi(case.scan.image, center, size)
        for segmenter in (AdaptiveThreshold(), RobustThreshold()):
            preview, whole = (
                1000 * seconds(lambda roi=roi, work=work: work(prepared, roi), rounds)
                for work in (segmenter.preview, segmenter.segment)
            )
            name = f"{segmenter.name}, new ROI or threshold, {' x '.join(map(str, size))} mm"
            print(f"{name:<52} {preview:6.1f} ms, with confidence {whole:6.1f} ms")


_MEASURED = """
import sys
from HTSegmentationLib.cli import main
try:
    main(sys.argv[1:])
finally:
    with open("/proc/self/status") as status:
        sys.stderr.write(next(line for line in status if line.startswith("VmHWM")))
"""
"""A child's own peak memory: what the system reports of children counts this process's memory, too."""


def whole_process(arguments):
    """Wall time in s and peak memory in MB of one ``htseg`` process (Linux)."""
    start = time.perf_counter()
    call = [sys.executable, "-c", _MEASURED, *arguments]
    run = subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return time.perf_counter() - start, int(run.stderr.split()[-2]) / 1024


def processes(case, rounds):
    """The command line as a user calls it."""
    runs = [whole_process(["--help"]) for _ in range(rounds)]
    print(f"htseg --help                      {statistics.median(s for s, _ in runs):6.2f} s, {runs[-1][1]:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        ct, roi = Path(folder) / "ct.nii.gz", Path(folder) / "roi.nii.gz"
        write_image(ct, case.scan.image)
        write_image(roi, case.roi.on_grid(case.scan.image))
        wall, peak = whole_process(["segment", str(ct), "--roi", str(roi), "--output", f"{folder}/mask.nii.gz"])
        print(f"htseg segment, {case.scan.image.GetSize()} {wall:6.2f} s, peak {peak:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    small = simulate_head(SimulationParameters(seed=3, slices=30))
    prepared = compare_with_reference(small, options.rounds)
    latency(small, prepared, options.rounds)
    large = simulate_head(SimulationParameters(seed=3, slice_thickness_mm=4.0, slices=40))
    processes(large, options.rounds)


def _stages(times):
    return ", ".join(f"{name} {value:.2f}" for name, value in times.items())


if __name__ == "__main__":
    main()
