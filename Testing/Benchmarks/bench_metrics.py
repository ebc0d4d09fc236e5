"""Speed of the comparison of two masks and of the statistics of a cohort.

    python Testing/Benchmarks/bench_metrics.py

The masks are ellipsoids with rough borders; the comparison has an ROI and a brain mask, and once a probability map as well.
Beside it stands the time of SimpleITK's filters one after the other on the whole grid.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.measure.comparison import compare_masks
from HTSegmentationLib.measure.lesions import lesions_of
from HTSegmentationLib.measure.pair import MaskPair
from HTSegmentationLib.measure.statistics import (
    bland_altman,
    compare_paired,
    intraclass_correlation,
    kruskal_wallis,
    linear_fit,
    lins_ccc,
    masks_kappa,
    summarize,
)
from HTSegmentationLib.measure.surface import surfaces_of
from HTSegmentationLib.roi import Roi

GRIDS = (((512, 512, 40), (0.45, 0.45, 4.0)), ((512, 512, 160), (0.45, 0.45, 1.0)), ((512, 512, 288), (0.45, 0.45, 0.5)))
"""Size and spacing in mm of 4 mm, 1 mm and 0.5 mm slices."""

VOLUMES_ML = (1.0, 12.0, 100.0)
"""A faint bleed, the published mean, and a large one."""


def seconds(work, rounds):
    """Median wall time of a call in s."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def empty_grid(size, spacing):
    image = sitk.Image(size, sitk.sitkUInt8)
    image.SetSpacing(spacing)
    return image


def ellipsoid(grid, volume_ml, off_mm=(0.0, 0.0, 0.0), rough=0.0, seed=0):
    """An ellipsoid with axes 1.3 : 1 : 0.8 in the middle of the grid."""
    radius = (volume_ml * 1000 * 3 / (4 * np.pi) / (1.3 * 0.8)) ** (1 / 3)
    axes = zip(grid.GetSize(), grid.GetSpacing(), off_mm, (1.3, 1.0, 0.8), strict=True)
    x, y, z = (((np.arange(n) - n / 2) * s - off) / (radius * scale) for n, s, off, scale in axes)
    distance = x[None, None, :] ** 2 + y[None, :, None] ** 2 + z[:, None, None] ** 2
    if rough:
        distance = distance + np.random.default_rng(seed).normal(0, rough, distance.shape) * (distance < 2)
    return array_to_image(distance <= 1, grid)


def one_by_one(mask, reference):
    """Overlap, distances and parts with SimpleITK's own filters on the whole grid."""
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(mask, reference)
    for inside, other in ((mask, reference), (reference, mask)):
        distances = sitk.SignedMaurerDistanceMap(inside, squaredDistance=False, useImageSpacing=True)
        surface = sitk.GetArrayFromImage(sitk.LabelContour(other)) > 0
        np.percentile(np.abs(sitk.GetArrayFromImage(distances)[surface]), 95)
        sitk.ConnectedComponent(inside, True)
    return overlap.GetDiceCoefficient()


def comparisons(rounds):
    print("size, slice mm, mL             compare  with map   cutting  surfaces   lesions SimpleITK   (s)")
    for size, spacing in GRIDS:
        grid = empty_grid(size, spacing)
        brain = ellipsoid(grid, 1400.0)
        for volume in VOLUMES_ML:
            reference, mask = ellipsoid(grid, volume), ellipsoid(grid, volume, (2.0, 1.0, 1.0), 0.05)
            roi = Roi.from_mask(ellipsoid(grid, 3 * volume))
            noise = np.random.default_rng(1).random(sitk.GetArrayViewFromImage(mask).shape, np.float32)
            probability = array_to_image(noise * 0.5 + sitk.GetArrayViewFromImage(mask) * np.float32(0.5), grid)
            pair = MaskPair.of(mask, reference)
            compare = partial(compare_masks, mask, reference, roi=roi, brain=brain)
            calls = [
                compare,
                partial(compare, probability=probability),
                partial(MaskPair.of, mask, reference),
                partial(surfaces_of, pair),
                partial(lesions_of, pair),
                partial(one_by_one, mask, reference),
            ]
            times = "".join(f"{seconds(call, rounds):10.3f}" for call in calls)
            print(f"{size[0]} x {size[1]} x {size[2]:>3}  {spacing[2]:.1f}  {volume:>5.0f} {times}")


def cohort(rounds, cases=1000):
    """Every statistic on a large cohort."""
    random = np.random.default_rng(0)
    first = random.gamma(1.2, 9, cases)
    second = np.clip(first + random.normal(0, 2, cases), 0, None)
    groups = {str(n): part for n, part in enumerate(np.array_split(second, 4))}
    grid = empty_grid((512, 512, 40), (0.45, 0.45, 4.0))
    mask, reference = ellipsoid(grid, 12.0), ellipsoid(grid, 12.0, (2.0, 0.0, 0.0))
    calls = {
        "summarize": lambda: summarize(first),
        "lins_ccc": lambda: lins_ccc(first, second),
        "linear_fit": lambda: linear_fit(first, second),
        "bland_altman": lambda: bland_altman(first, second),
        "compare_paired": lambda: compare_paired(first, second),
        "kruskal_wallis": lambda: kruskal_wallis(groups),
        "intraclass_correlation": lambda: intraclass_correlation(np.column_stack([first, second])),
        "masks_kappa, 512 x 512 x 40": lambda: masks_kappa(mask, reference),
    }
    print(f"\n{cases} cases")
    for name, call in calls.items():
        print(f"{name:<28} {seconds(call, rounds) * 1000:8.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    comparisons(options.rounds)
    cohort(options.rounds)


if __name__ == "__main__":
    main()
