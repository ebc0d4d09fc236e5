"""Work in several processes gives what it gives in one, and ends cleanly when it is stopped."""

import functools
import os
import pickle
import signal
import time

import pytest

from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.errors import Cancelled, HTSegError, InputError, MissingPackageError, ParameterError


def touched(folder, number):
    (folder / str(number)).touch()
    time.sleep(0.2)
    return number * number, os.getpid(), os.environ.get("OPENBLAS_NUM_THREADS")


def wrong(number):
    raise ParameterError(f"number is {number}")


def unreadable(number):
    raise InputError(f"head-{number}.nii.gz", "it is empty", "copy it again")


def killed(number):
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    return number


def test_results_come_in_the_order_of_the_items_from_processes_of_one_thread_each(tmp_path):
    told = []
    found = each_of(functools.partial(touched, tmp_path), [3, 1, 2], jobs=2, progress=lambda *words: told.append(words))
    assert [result[0] for result in found] == [9, 1, 4]
    assert os.getpid() not in {result[1] for result in found}
    assert {result[2] for result in found} == {"1"}
    assert told[-1] == ("working, 3 of 3", 1.0)


def test_one_job_works_in_this_process_unless_it_is_to_be_apart(tmp_path):
    work = functools.partial(touched, tmp_path)
    assert each_of(work, [5], jobs=1)[0][1] == os.getpid()
    assert each_of(work, [5], jobs=1, apart=True)[0][1] != os.getpid()
    assert each_of(work, []) == []


def test_what_the_work_raises_comes_through():
    with pytest.raises(ParameterError, match=r"number is [78]"):
        each_of(wrong, [7, 8], jobs=2)


@pytest.mark.parametrize(
    "error", [InputError("head.nii.gz", "it is empty", "copy it again"), Cancelled(), MissingPackageError("x", "to y", "z")]
)
def test_every_error_survives_the_way_from_one_process_to_another(error):
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  (made here)
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_an_error_about_a_file_keeps_its_kind_and_words():
    with pytest.raises(InputError, match=r"head-7.nii.gz: it is empty; copy it again") as caught:
        each_of(unreadable, [7, 7], jobs=2)
    assert caught.value.advice == "copy it again"


def test_a_stop_leaves_what_has_not_begun(tmp_path):
    def stop(stage, _):
        if "1 of" in stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        each_of(functools.partial(touched, tmp_path), list(range(20)), jobs=2, progress=stop)
    time.sleep(1)
    assert len(list(tmp_path.iterdir())) < 10


def test_a_killed_process_is_told_in_words():
    with pytest.raises(HTSegError, match="ended from outside"):
        each_of(killed, [1, 2], jobs=2)


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_jobs_are_refused(jobs):
    with pytest.raises(ParameterError, match="jobs"):
        each_of(abs, [1], jobs=jobs)
