"""The robust threshold against the published rule on simulated cohorts with everything that makes them hard.

    python Testing/Benchmarks/bench_robust.py --seeds 201 202 --confounders hard

51 cases a seed with the published volumes. Each case is segmented by both methods in one box whose margins are drawn between
3 and 20 mm, each face by itself, and by the robust method in boxes of 3 and of 20 mm. Constants were fitted on seeds 101 and
111 to 113. Staining may be denser than blood; cases without it are told apart, since no threshold can tell the two.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.measure.mask import measure_mask
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.measure.statistics.concordance import lins_ccc
from HTSegmentationLib.measure.statistics.paired import compare_paired
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.simulate.cohort import cohort_parameters
from HTSegmentationLib.simulate.confounders import CONFOUNDERS
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.prepare import prepare
from HTSegmentationLib.threshold.robust.robust_threshold import RobustThreshold

GOOD_DICE = 0.6
WORSE_BY = 0.1
THICK_MM = 3.0


def box(truth, margin_mm, rng):
    """A box about the truth, each face so far away within 40% of the margin; whole slices where they are thick."""
    inside = sitk.GetArrayFromImage(truth) > 0
    spacing = truth.GetSpacing()[::-1]
    faces = rng.uniform(0.6, 1.4, (2, 3)) * margin_mm
    mask = np.zeros(inside.shape, np.uint8)
    sides = []
    for axis, step in enumerate(spacing):
        filled = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        steps = (np.round if step > THICK_MM else np.ceil)(faces[:, axis] / step).astype(int)
        sides.append(slice(max(0, filled[0] - steps[0]), filled[-1] + 1 + steps[1]))
    mask[tuple(sides)] = 1
    return Roi.from_mask(array_to_image(mask, truth))


def figures(prepared, truth, seed):
    """Both methods on one case, in three boxes."""
    rng = np.random.default_rng((seed, 5))
    boxes = {"": box(truth, rng.uniform(3, 20), rng), "_3": box(truth, 3, rng), "_20": box(truth, 20, rng)}
    row = {"truth_ml": measure_mask(truth).volume_ml}
    for name, method in (("robust", RobustThreshold()), ("adaptive", AdaptiveThreshold())):
        for margin, roi in boxes.items():
            start = time.process_time()
            result = method.segment(prepared, roi)
            row[f"{name}{margin}_s"] = time.process_time() - start
            row[name + margin] = measure_overlap(result.mask, truth).dice
            row[f"{name}{margin}_ml"] = result.volume_ml()
            row[f"{name}{margin}_confidence"] = result.confidence.value
            row[f"{name}{margin}_uncertainty"] = result.uncertainty_ml
    return row


def one_case(parameters):
    """Figures of one case; None when its truth is empty."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    case = simulate_head(parameters)
    if not sitk.GetArrayFromImage(case.hemorrhage).any():
        return None
    start = time.process_time()
    prepared = prepare(case.scan)
    seconds = time.process_time() - start
    told = {
        "type": parameters.hemorrhage_type.value,
        "stained": parameters.contrast_staining > 0,
        "prepare_s": seconds,
    }
    return told | figures(prepared, case.hemorrhage, parameters.seed)


def report(name, rows):
    """One line of the table."""
    if not rows:
        return
    column = {key: np.array([row[key] for row in rows], float) for key in rows[0] if key != "type"}
    test = compare_paired(column["robust"], column["adaptive"])
    gain = column["robust"] - column["adaptive"]
    ccc = [lins_ccc(column["truth_ml"], column[f"{method}_ml"]).ccc for method in ("robust", "adaptive")]
    margin = float(np.mean(column["robust_20"] - column["robust_3"]))
    seconds = [float(np.mean(column["prepare_s"] + column[f"{method}_s"])) for method in ("robust", "adaptive")]
    print(
        f"{name:<18} {len(rows):>3}   {column['robust'].mean():.3f}   {column['adaptive'].mean():.3f}   {gain.mean():+.3f}"
        f"   {test.wilcoxon_p:8.1e}   {np.count_nonzero(gain < -WORSE_BY):>3} of {len(rows):<3}   {ccc[0]:.2f} / "
        f"{ccc[1]:.2f}   {margin:+.3f}   {seconds[0] / seconds[1]:.2f}"
    )


def report_confidence(method, rows):
    """How well the confidence tells good masks from bad."""
    value = np.array([row[f"{method}_confidence"] for row in rows])
    bad = np.array([row[method] < GOOD_DICE for row in rows])
    error = np.array([abs(row[f"{method}_ml"] - row["truth_ml"]) / max(row[f"{method}_uncertainty"], 0.01) for row in rows])
    low, high = value < 0.4, value >= 0.7
    print(
        f"{method:<9} failures (Dice below {GOOD_DICE}) {bad.sum():>3}, flagged low {np.count_nonzero(low & bad):>3}; "
        f"low {low.sum():>3}, wrong {np.mean(bad[low]) if low.any() else 0:.0%}; "
        f"high {high.sum():>3}, right {np.mean(~bad[high]) if high.any() else 0:.0%}; "
        f"mean confidence {value.mean():.2f}, right {np.mean(~bad):.2f}; "
        f"volume error within 1.96 uncertainties {np.mean(error <= 1.96):.0%}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202])
    parser.add_argument("--confounders", choices=sorted(CONFOUNDERS), default="hard")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--hi2", type=int, default=28)
    parser.add_argument("--ph", type=int, default=23)
    options = parser.parse_args()
    rows = []
    print("                     n   robust  adaptive  gain    Wilcoxon   worse by 0.1   CCC r / a   20-3 mm   time r : a")
    with ProcessPoolExecutor(options.jobs) as pool:
        for seed in options.seeds:
            cases = cohort_parameters(options.hi2, options.ph, seed, confounders=CONFOUNDERS[options.confounders])
            found = [row for row in pool.map(one_case, cases) if row is not None]
            report(f"seed {seed}", found)
            rows += found
    for kind in ("HI2", "PH"):
        of_kind = [row for row in rows if row["type"] == kind]
        report(kind, of_kind)
        report(f"{kind}, not stained", [row for row in of_kind if not row["stained"]])
    report("all", rows)
    report("all, not stained", [row for row in rows if not row["stained"]])
    for method in ("robust", "adaptive"):
        report_confidence(method, rows)


if __name__ == "__main__":
    main()
