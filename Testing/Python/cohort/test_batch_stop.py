"""Batches that are killed, stopped and taken up again."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .small_cohort import read_rows, write_cohort

CASES = 6
KILLS = 3
PACKAGE = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither process groups of this kind nor SIGKILL")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohort"), CASES)


@pytest.fixture(scope="module")
def undisturbed(cohort, tmp_path_factory):
    """The results.csv of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    assert started(cohort, folder).wait() == 0
    return (folder / "results.csv").read_bytes()


def started(cohort, folder, **pipes):
    """A batch in a process group of its own."""
    command = [sys.executable, "-m", "HTSegmentationLib", "batch", str(cohort), "--output", str(folder), "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    pipes = pipes or {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Whoever runs the tests in the background has set Ctrl+C aside, and children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    finally:
        signal.signal(signal.SIGINT, before)


def group_is_gone(group):
    """Whether no process of a group is left, once its last ones had a moment to end."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def until_recorded(folder, count, process):
    """Waits until so many cases have a record; fails if the process ends before."""
    while records(folder) < count:
        assert process.poll() is None, "the batch ended too soon"
        time.sleep(0.01)


def records(folder):
    return len(list((folder / "records").glob("*.json")))


def test_a_batch_that_is_killed_again_and_again_ends_with_the_same_table(cohort, undisturbed, tmp_path):
    chance = random.Random(2026)  # noqa: S311  (moments, no secrets)
    folder = tmp_path / "out"
    for kill in range(1, KILLS + 1):
        process = started(cohort, folder)
        until_recorded(folder, kill, process)
        time.sleep(chance.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert group_is_gone(process.pid)
        if (folder / "results.csv").exists():
            # Whatever it holds when the run dies, it can be read and is right.
            assert all(row["status"] == "done" for row in read_rows(folder / "results.csv"))
    assert started(cohort, folder).wait() == 0
    assert (folder / "results.csv").read_bytes() == undisturbed
    assert not list(folder.rglob(".htseg-*"))


def test_workers_end_with_a_parent_that_is_killed(cohort, tmp_path):
    process = started(cohort, tmp_path / "out")
    until_recorded(tmp_path / "out", 1, process)
    process.kill()
    process.wait()
    assert group_is_gone(process.pid)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 1)])
def test_a_wish_to_stop_ends_cleanly_and_says_how_to_go_on(cohort, tmp_path, number, status):
    folder = tmp_path / "out"
    process = started(cohort, folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # Three of two workers: at least one of them is known to the batch as well.
    until_recorded(folder, 3, process)
    # A terminal sends Ctrl+C to every process of the group, workers as well.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    said, errors = process.communicate()
    assert process.returncode == status
    assert "the same command goes on from here" in said
    assert "Traceback" not in errors
    assert group_is_gone(process.pid)
    rows = read_rows(folder / "results.csv")
    assert 1 <= len(rows) < CASES
    assert {row["status"] for row in rows} == {"done"}
