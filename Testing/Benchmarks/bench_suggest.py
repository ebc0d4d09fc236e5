"""How many bleeds the search for regions finds, and what else it proposes.

    python Testing/Benchmarks/bench_suggest.py --seeds 202 303 --confounders hard

For each seed: 51 simulated heads with the published numbers and volumes, and controls without a hemorrhage. A bleed is found
if the boxes that are proposed hold at least half of its voxels; a region is false if its box holds less than a fiftieth.
Blood in the ventricles counts as neither. The search's time is told against the skull strip's, which comes before it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.roi import roi_from_shapes
from HTSegmentationLib.simulate import CONFOUNDERS, cohort_parameters, simulate_head
from HTSegmentationLib.suggest import suggest_regions
from HTSegmentationLib.threshold.prepare import prepare

FOUND_SHARE, FALSE_SHARE = 0.5, 0.02
BLOOD = (1, 3)
"""In the tissue and in the ventricles; 2 is edema."""

LEAST_ML = 1.0
"""Smaller bleeds are told apart."""


@dataclass(frozen=True)
class Outcome:
    """One scan: its bleed, the share of it in the boxes, what else was proposed, and both times in s."""

    kind: str
    volume_ml: float
    share: float
    false: tuple[str, ...]
    strip_s: float
    search_s: float


def inside(box, image):
    """The voxels of a box, (z, y, x)."""
    return sitk.GetArrayFromImage(roi_from_shapes(image, [box]).on_grid(image)) > 0


def cause(region, case):
    """What a false region holds: staining, calcium of the simulation, or anything else."""
    image, where = case.scan.image, inside(region.box, case.scan.image)
    stained = sitk.GetArrayFromImage(case.staining) > 0
    if voxels_to_ml(int((stained & where).sum()), image) > region.size_ml / 5:
        return "staining"
    return "calcification" if (sitk.GetArrayFromImage(case.calcification) > 0)[where].any() else "other"


def outcome(parameters):
    case = simulate_head(parameters)
    start = time.perf_counter()
    prepared = prepare(case.scan)
    stripped = time.perf_counter()
    found = suggest_regions(prepared)
    done = time.perf_counter()
    blood = np.isin(sitk.GetArrayFromImage(case.labels), BLOOD)
    bleed = sitk.GetArrayFromImage(case.hemorrhage) > 0
    held, false = np.zeros(bleed.shape, dtype=bool), []
    for region in found.proposed:
        box = inside(region.box, case.scan.image)
        held |= box
        if (blood & box).sum() < FALSE_SHARE * max(bleed.sum(), 1):
            false.append(cause(region, case))
    share = float(held[bleed].mean()) if bleed.any() else 0.0
    kind = parameters.hemorrhage_type.value
    return Outcome(kind, case.true_volume_ml, share, tuple(false), stripped - start, done - stripped)


def of_kind(outcomes, kind):
    large, small = (
        [one.share >= FOUND_SHARE for one in outcomes if one.kind == kind and (one.volume_ml >= LEAST_ML) is wanted]
        for wanted in (True, False)
    )
    return f"{kind:>5}  {tell(large)} of {LEAST_ML:g} mL and more, {tell(small)} of less"


def tell(hits):
    return f"{sum(hits)}/{len(hits)}" + (f" ({np.mean(hits):.0%})" if hits else "")


def report(title, outcomes):
    print(f"\n{title}: {len(outcomes)} scans")
    for kind in sorted({one.kind for one in outcomes} - {"none"}):
        print("  found", of_kind(outcomes, kind))
    for name, kinds in (("with a bleed", lambda kind: kind != "none"), ("controls", lambda kind: kind == "none")):
        counts = [len(one.false) for one in outcomes if kinds(one.kind)]
        if counts:
            print(f"  false regions a scan, {name}: {np.mean(counts):.2f}, at most {max(counts)}")
    print("  they hold:", dict(Counter(word for one in outcomes for word in one.false)) or "-")
    ratio = sum(one.search_s for one in outcomes) / sum(one.strip_s for one in outcomes)
    seconds = [one.search_s for one in outcomes]
    print(f"  time of the search: {ratio:.1f} x the skull strip ({np.median(seconds):.1f} s, at most {max(seconds):.1f} s)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[202])
    parser.add_argument("--confounders", choices=sorted(CONFOUNDERS), default="hard")
    parser.add_argument("--controls", type=int, default=9)
    parser.add_argument("--cases", type=int, nargs=2, default=(28, 23), metavar=("HI2", "PH"))
    parser.add_argument("--matrix", type=int, default=512)
    options = parser.parse_args()
    everything = []
    for seed in options.seeds:
        mixture = CONFOUNDERS[options.confounders]
        cases = cohort_parameters(*options.cases, seed, count_controls=options.controls, confounders=mixture)
        outcomes = [outcome(replace(case, matrix=options.matrix)) for case in cases]
        report(f"seed {seed}, confounders {options.confounders}", outcomes)
        everything += outcomes
    if len(options.seeds) > 1:
        report("all seeds", everything)


if __name__ == "__main__":
    main()
