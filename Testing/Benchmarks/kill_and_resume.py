"""Kills a batch at random moments, takes it up again each time, and compares its table with that of an undisturbed run.

    htseg simulate cohort --output /tmp/cohort --hi2 6 --ph 6
    python Testing/Benchmarks/kill_and_resume.py /tmp/cohort/cohort.csv --kills 10

The whole process group is killed (SIGKILL), batch and workers at once. Not for Windows.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def started(manifest, folder, jobs):
    """A batch in a process group of its own."""
    command = [
        sys.executable,
        "-m",
        "HTSegmentationLib",
        "batch",
        str(manifest),
        "--output",
        str(folder),
        "--jobs",
        str(jobs),
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def finished(folder):
    """How many cases have a record."""
    return len(list((folder / "records").glob("*.json")))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311  (moments, no secrets)
    work = Path(tempfile.mkdtemp(prefix="kill-and-resume-"))
    try:
        calm, disturbed = work / "calm", work / "disturbed"
        start = time.monotonic()
        process = started(options.manifest, calm, options.jobs)
        while process.poll() is None and not finished(calm):
            time.sleep(0.02)
        first = time.monotonic() - start
        if process.wait():
            sys.exit("the undisturbed run failed")
        whole = time.monotonic() - start
        total = finished(calm)
        print(f"undisturbed: {total} cases in {whole:.1f} s, the first after {first:.1f} s")
        kills = 0
        while kills < options.kills and finished(disturbed) < total:
            process = started(options.manifest, disturbed, options.jobs)
            # Some kills come while processes start, others after a few more cases, at any moment of the next one.
            wanted = finished(disturbed) + chance.randrange(4)
            while process.poll() is None and finished(disturbed) < wanted:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, first))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
            print(f"kill {kills}: {finished(disturbed)} cases have a record")
        status = started(options.manifest, disturbed, options.jobs).wait()
        same = (calm / "results.csv").read_bytes() == (disturbed / "results.csv").read_bytes()
        left = list(disturbed.rglob(".htseg-*"))
        print(f"resumed after {kills} kills: status {status}, results.csv {'the same bytes' if same else 'DIFFERENT'}")
        print(f"half-written files left: {len(left)}")
    finally:
        shutil.rmtree(work)
    return 0 if same and not status and not left else 1


if __name__ == "__main__":
    sys.exit(main())
