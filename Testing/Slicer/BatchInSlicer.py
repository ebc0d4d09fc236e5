"""The batch script in a running Slicer: three simulated cases, one of them broken.

    Slicer --testing --no-main-window --additional-module-paths HTSegmentation --python-script BatchInSlicer.py

Slicer ends with status 0 if all is as it should be, else with 1.
"""

import csv
import sys
import tempfile
from pathlib import Path

_CASES = {"left": 1, "right": 2}
"""Cases that can be done, by name, with the seeds of their simulated heads."""

_MATRIX = 256
"""Pixels in a row: enough for a head, and quick."""

_LEAST_DICE = 0.4
"""Below this the segmentation is not what the method finds on such a case."""


def _simulate(folder: Path) -> Path:
    """Writes the cases and a broken one.

    Returns:
        Their table.
    """
    from HTSegmentationLib.cohort.simulated import write_case
    from HTSegmentationLib.simulate.head import simulate_head
    from HTSegmentationLib.simulate.parameters import SimulationParameters

    lines = ["case_id,image,roi,reference"]
    for name, seed in _CASES.items():
        (folder / name).mkdir()
        write_case(simulate_head(SimulationParameters(seed=seed, side=name, matrix=_MATRIX)), folder / name)
        lines.append(f"{name},{name}/ct.nii.gz,{name}/roi.nii.gz,{name}/truth.nii.gz")
    (folder / "broken.nrrd").write_text("NRRD0004\n")
    lines.insert(2, "broken,broken.nrrd,left/roi.nii.gz,")
    table = folder / "cases.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def _check(folder: Path) -> None:
    """Runs the batch and looks at what it leaves.

    Raises:
        AssertionError: Something is not as it should be.
    """
    import slicer

    from HTSegmentationModule.batch.main import main

    status = main(["--", "--cases", str(_simulate(folder)), "--output-dir", str(folder / "out"), "--scene"])
    _require(status == 1, f"the status is {status}, not 1, though a case is broken")
    with (folder / "out" / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["case_id"]: row for row in csv.DictReader(file)}
    states = {name: row["status"] for name, row in rows.items()}
    _require(states == {"left": "done", "broken": "failed", "right": "done"}, f"the cases ended as {states}")
    for name in _CASES:
        dice = float(rows[name]["Dice"])
        _require(dice > _LEAST_DICE, f"{name}: Dice is {dice:.2f}")
        slicer.mrmlScene.Clear(0)
        node = slicer.util.loadNodeFromFile(str(folder / "out" / f"{name}.seg.nrrd"), "SegmentationFile", {})
        segment = node.GetSegmentation().GetNthSegment(0)
        _require(segment.GetName() == "Hemorrhage", f"{name}: the segment is called {segment.GetName()}")
        scene = folder / "out" / f"{name}.mrb"
        _require(scene.stat().st_size > 0, f"{scene} is empty")
    left = sorted(path.name for path in (folder / "out").iterdir())
    wanted = sorted([f"{name}{ending}" for name in _CASES for ending in (".mrb", ".seg.nrrd")] + ["results.csv"])
    _require(left == wanted, f"the folder holds {left}, not {wanted}")


def _require(fulfilled: bool, problem: str) -> None:
    if not fulfilled:
        raise AssertionError(problem)


def _run() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "HTSegmentation"))
    from HTSegmentationModule.library_path import libraryProblem

    _require(not libraryProblem(), libraryProblem())
    with tempfile.TemporaryDirectory(prefix="htseg-batch-") as folder:
        _check(Path(folder))


if __name__ == "__main__":
    _run()
