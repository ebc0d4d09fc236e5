"""Throughput, memory and resuming of a batch, as a user would start it.

    htseg simulate cohort --output /tmp/cohort --hi2 6 --ph 6
    python Testing/Benchmarks/bench_batch.py /tmp/cohort/cohort.csv

Throughput of two jobs against one counts the cases alone: the first seconds, in which processes start, are a constant. Run
it on a machine that does nothing else; two jobs can be twice as quick as one at best.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from HTSegmentationLib.cohort.batch.fingerprint import fingerprint


def batch(manifest, folder, jobs):
    """(seconds, largest resident memory of a worker in MB) of one batch."""
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
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peaks = {}
    watching = threading.Thread(target=watch, args=(process, peaks), daemon=True)
    watching.start()
    status = process.wait()
    seconds = time.perf_counter() - start
    watching.join()
    if status:
        sys.exit(f"the batch ended with status {status}")
    return seconds, max(peaks.values(), default=0.0)


def watch(process, peaks):
    """Notes the largest resident memory of each child of a process as long as it runs; Linux only."""
    while process.poll() is None:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                values = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            except OSError:
                continue
            if values.get("PPid", "").strip() == str(process.pid) and "VmHWM" in values:
                peaks[status.parent.name] = int(values["VmHWM"].split()[0]) / 1024
        time.sleep(0.25)


def case_seconds(folder):
    """Time from the first record to the last one in s, and how many cases it covers: processes had started by then."""
    times = sorted(path.stat().st_mtime for path in (folder / "records").glob("*.json"))
    return times[-1] - times[0], len(times) - 1


def finished_cohort(folder, template, count):
    """A manifest of so many cases and an output folder in which all of them are done; files are small, records real."""
    record = json.loads(template.read_text(encoding="utf-8"))
    settings = record["settings"] | {"manifest": "cohort.csv"}
    out = folder / "out"
    for name in ("masks", "records"):
        (out / name).mkdir(parents=True)
    (out / "batch.json").write_text(json.dumps(settings))
    rows = []
    for number in range(count):
        name = f"case-{number:04d}"
        (folder / name).mkdir()
        files = {key: folder / name / f"{key}.nii.gz" for key in ("image", "roi", "reference")}
        for file in (*files.values(), out / "masks" / f"{name}.nii.gz"):
            file.write_bytes(name.encode() * 100)
        prints = {key: fingerprint(file) for key, file in files.items()}
        inputs = {**prints, "roi": [prints["roi"]], "baseline": None, "baseline_roi": [], "series": None}
        mask = fingerprint(out / "masks" / f"{name}.nii.gz") | {"path": f"masks/{name}.nii.gz"}
        case = {"case_id": name, "ht_type": "PH1", "columns": {}}
        own = {"case": case, "settings": settings, "inputs": inputs, "mask": mask}
        own["row"] = record["row"] | {"case_id": name, "mask": mask["path"]}
        (out / "records" / f"{name}.json").write_text(json.dumps(record | own, indent=2))
        rows.append({"case_id": name, **{key: str(file) for key, file in files.items()}, "ht_type": "PH1"})
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "cohort.csv", out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, help="cohort.csv of simulated cases of 512 x 512")
    parser.add_argument("--resumed", type=int, default=1000, help="finished cases to be taken up again")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-batch-"))
    try:
        rates = {}
        for jobs in (1, 2):
            folder = work / f"jobs-{jobs}"
            seconds, peak = batch(options.manifest, folder, jobs)
            span, cases = case_seconds(folder)
            rates[jobs] = cases / span
            print(
                f"{jobs} jobs: {seconds:.1f} s in all, {60 * rates[jobs]:.1f} cases a minute, worker at most {peak:.0f} MB"
            )
        print(f"two jobs against one: {rates[2] / rates[1]:.2f} times as quick (at least 1.7 is wanted)")
        same = (work / "jobs-1" / "results.csv").read_bytes() == (work / "jobs-2" / "results.csv").read_bytes()
        print(f"results.csv of both: {'the same bytes' if same else 'DIFFERENT'}")
        template = next((work / "jobs-1" / "records").glob("*.json"))
        (work / "resumed").mkdir()
        manifest, folder = finished_cohort(work / "resumed", template, options.resumed)
        before = {path: path.stat().st_mtime_ns for path in (folder / "records").iterdir()}
        seconds, _ = batch(manifest, folder, 2)
        untouched = all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
        print(
            f"resuming {options.resumed} finished cases: {seconds:.1f} s{'' if untouched else ', BUT RECORDS WERE WRITTEN'}"
        )
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
