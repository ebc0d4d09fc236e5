"""What is shown while a batch runs, and how many cases are worked on at once."""

import io

import pytest

from HTSegmentationLib.cohort.batch import machine
from HTSegmentationLib.cohort.batch.book import BatchState
from HTSegmentationLib.commands.batch_progress import BatchProgress, duration, state_in_words


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_one_line_for_each_tenth():
    log = io.StringIO()
    progress = BatchProgress(log)
    for done in range(101):
        progress(BatchState(total=100, done=done, failed=0, kept=0, seconds=float(done)))
        progress(BatchState(total=100, done=done, failed=0, kept=0, seconds=float(done)))
    progress.clear()
    lines = log.getvalue().splitlines()
    assert [line.split(":")[0] for line in lines] == [f"{tenth}%" for tenth in range(10, 101, 10)]


def test_a_terminal_gets_a_bar_that_is_taken_away_in_the_end():
    terminal = Terminal()
    progress = BatchProgress(terminal)
    progress(BatchState(total=48, done=23, failed=1, kept=0, seconds=60.0))
    assert terminal.getvalue().startswith("\r[############............] 24 of 48, 1 failed, 24.0 a minute, 1 min 0 s left")
    progress.clear()
    assert terminal.getvalue().endswith(" \r")


def test_cases_of_earlier_runs_do_not_count_for_the_rate():
    words = state_in_words(BatchState(total=100, done=60, failed=0, kept=50, seconds=60.0))
    assert words == "60 of 100, 10.0 a minute, 4 min 0 s left"
    assert state_in_words(BatchState(total=100, done=50, failed=0, kept=50, seconds=60.0)) == "50 of 100"


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (7300, "2 h 1 min")])
def test_times_are_said_as_people_say_them(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(("free", "cases", "jobs"), [(None, 100, 8), (3 * 700 * 2**20, 100, 3), (1, 100, 1), (None, 2, 2)])
def test_jobs_are_as_many_as_cores_cases_and_memory_allow(monkeypatch, free, cases, jobs):
    monkeypatch.setattr(machine, "usable_cores", lambda: 8)
    monkeypatch.setattr(machine, "free_memory", lambda: free)
    assert machine.default_jobs(cases) == jobs
