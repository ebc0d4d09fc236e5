"""Processes that are killed, hang or cannot start: each costs its own case at most."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from HTSegmentationLib.cohort.batch.local_pool import LocalPool, end_in_words
from HTSegmentationLib.errors import HTSegError

needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


def act(job):
    """A stand-in for the work on a case: what the job says."""
    word, place = job
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "die once" and not Path(place).exists():
        Path(place).touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "hang":
        time.sleep(60)
    if word == "threads":
        import SimpleITK as sitk

        return {"threads": sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(), "omp": os.environ["OMP_NUM_THREADS"]}
    return {"word": word, "process": os.getpid()}


def cannot_start():
    raise RuntimeError


class NeverReady:
    """Work that no process can take over."""

    def __reduce__(self):
        return cannot_start, ()


def finished(pool, jobs):
    """(word, record, loss) of each job in the order in which the pool was done with them; the pool is closed."""
    waiting, found = list(jobs), []
    try:
        while waiting or pool.is_busy():
            while waiting and pool.has_room():
                pool.submit(waiting.pop(0))
            found += [(item.job[0], item.record, item.loss) for item in pool.wait(5.0)]
    finally:
        pool.close()
    return found


@needs_signals
def test_a_killed_process_costs_its_own_case_alone(tmp_path):
    words = ["a", "die", "b", "c", "die once", "d"]
    found = finished(LocalPool(2, 1, work=act), [(word, str(tmp_path / "mark")) for word in words])
    assert sorted(word for word, record, _ in found if record) == ["a", "b", "c", "d", "die once"]
    lost = [(word, loss) for word, record, loss in found if record is None]
    assert lost == [("die", "its process was killed (signal 9), as happens when memory runs out, 2 times")]


@needs_signals
def test_a_case_that_hangs_is_given_up_and_the_others_are_done():
    found = finished(LocalPool(2, 1, timeout_s=0.3, work=act), [("hang", ""), ("a", ""), ("b", "")])
    assert {word for word, record, _ in found if record} == {"a", "b"}
    assert [loss for _, record, loss in found if record is None] == ["it took longer than 0.3 s, 2 times"]


def test_each_process_keeps_to_its_threads_and_works_on_many_cases():
    found = finished(LocalPool(1, 3, work=act), [("threads", ""), ("a", ""), ("b", "")])
    assert found[0][1] == {"threads": 3, "omp": "3"}
    assert found[1][1]["process"] == found[2][1]["process"]


def test_processes_that_cannot_start_end_the_run_with_a_word():
    with pytest.raises(HTSegError, match="no process for the cases can be started"):
        finished(LocalPool(1, 1, work=NeverReady()), [("a", "")])


@needs_signals
def test_a_closed_pool_leaves_no_process_behind():
    pool = LocalPool(2, 1, work=act)
    pool.submit(("hang", ""))
    pool.submit(("a", ""))
    process = pool.wait(30.0)[0].record["process"]
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize(
    ("code", "words"),
    [(-11, "SIGSEGV"), (1, "exit status 1"), (0xC0000005, "exit status 0xc0000005"), (None, "does not answer")],
)
def test_the_end_of_a_process_is_said_in_words(code, words):
    if code == -11 and sys.platform == "win32":
        pytest.skip("Windows has no SIGSEGV")
    assert words in end_in_words(code)
