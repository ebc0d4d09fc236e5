"""What one simulated head of 512 x 512 x 30 voxels costs on one core, alone and with everything that confounds.

    python Testing/Benchmarks/bench_simulate.py --heads 4

Each way runs in a process of its own with one thread, so that times and peak memory are those of one of many workers. The
processor's time is told beside the clock's: on a busy computer, only the former says what a head costs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

try:
    import resource
except ImportError:  # Windows has no such module, and no peak memory is told there
    resource = None

EVERYTHING = {
    "hemorrhage_type": "PH2",
    "edema": True,
    "intraventricular_ml": 3.0,
    "calcification": True,
    "contrast_staining": 0.8,
    "streaks": 0.8,
    "motion": 0.6,
    "roi_margin_mm": 12.0,
}
WAYS = {
    "today's defaults (PH)": {},
    "HI1": {"hemorrhage_type": "HI1"},
    "HI2": {"hemorrhage_type": "HI2"},
    "all confounders (PH2)": EVERYTHING,
    "all confounders, 1 mm": {**EVERYTHING, "slice_thickness_mm": 1.0},
    "a given scan (PH, edema)": {"edema": True, "background": True},
}
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


def measure(changes, heads):
    """Seconds of each head by the clock and of the processor, and the peak memory in MB."""
    from HTSegmentationLib.simulate import SimulationParameters, prepare_background, simulate_head, simulate_on

    changes = dict(changes)
    background = None
    if changes.pop("background", False):
        background = prepare_background(simulate_head(SimulationParameters(seed=1, hemorrhage_type="none")).scan)
    clock, processor = [], []
    for seed in range(1, heads + 1):
        begun = time.perf_counter(), time.process_time()
        case = SimulationParameters(seed=seed, **changes)
        made = simulate_head(case) if background is None else simulate_on(background, case)
        del made
        clock.append(time.perf_counter() - begun[0])
        processor.append(time.process_time() - begun[1])
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else 0
    return {"clock": clock, "processor": processor, "mb": kilobytes / (1024**2 if sys.platform == "darwin" else 1024)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(WAYS[options.only], options.heads)))
        return
    environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
    base = None
    print(f"{'':<26}{'s a head':>10}{'s of CPU':>10}{'best':>8}{'ratio':>8}{'peak MB':>10}")
    for name in WAYS:
        command = [sys.executable, __file__, "--only", name, "--heads", str(options.heads)]
        found = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
        seconds = statistics.median(found["processor"])
        base = seconds if base is None else base
        print(
            f"{name:<26}{statistics.median(found['clock']):>10.2f}{seconds:>10.2f}{min(found['processor']):>8.2f}"
            f"{seconds / base:>8.2f}{found['mb']:>10.0f}"
        )


if __name__ == "__main__":
    main()
