"""What whoever watches a training is told."""

import io

from HTSegmentationLib.commands.training_progress import TrainingProgress, moment_in_words
from HTSegmentationLib.training.fold_plan import Moment
from HTSegmentationLib.training.watching import RunMoment, Watching


def moment(epoch=1, share=0.1, seconds=60.0):
    return Moment(epoch=epoch, epochs=10, step=3, steps=30, loss=0.5, best=None, seconds=seconds, share=share)


def told(watching, *arguments):
    watching(*arguments)
    return watching.told[-1]


def watching(trainings, seconds=None):
    heard = []
    found = Watching(trainings, seconds, heard.append)
    found.told = heard
    return found


def test_the_time_left_counts_the_networks_that_wait():
    found = told(watching(5), 0, 0, None, moment(share=0.1, seconds=60.0))
    # A tenth took a minute: nine more, and four networks of ten minutes.
    assert found.seconds_left == 9 * 60 + 4 * 600
    assert found.share == 0.1 / 5


def test_the_minutes_given_are_an_end_as_well():
    found = told(watching(1, seconds=120.0), 0, 0, None, moment(share=0.01, seconds=60.0))
    assert found.seconds_left == 60.0
    assert found.share == 0.5


def test_folds_and_stages_that_are_done_are_counted():
    heard = watching(4)
    heard.finished(2)
    assert told(heard, 1, 1, 2, moment(share=0.5)).share == 3.5 / 4
    assert told(heard, 1, 0, 1, moment(share=0.0)).seconds_left is None


def test_the_line_names_fold_stage_epoch_losses_and_time():
    found = RunMoment(2, 1, moment(), 0.3, 75.0)
    words = "fold 2, stage 1, epoch 1 of 10, step 3 of 30, loss 0.500, at most 1 min 15 s left"
    assert moment_in_words(found) == words


def test_a_log_gets_a_line_for_each_epoch_and_a_silent_process_none():
    log, silent = io.StringIO(), io.StringIO()
    for stream, shown in ((log, True), (silent, False)):
        progress = TrainingProgress(stream, shown=shown)
        for epoch in (1, 1, 2, 2, 3):
            progress.watch(RunMoment(0, None, moment(epoch), 0.25, None))
        progress("preparing", 0.5)
        progress.clear()
    assert [line[:24] for line in log.getvalue().splitlines()] == ["25%: fold 0, epoch 2 of ", "25%: fold 0, epoch 3 of "]
    assert silent.getvalue() == ""


def test_a_terminal_gets_one_line_that_is_taken_away():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    progress = TrainingProgress(terminal)
    progress("preparing cases, 1 of 2", 0.5)
    progress.clear()
    assert "\rpreparing cases, 1 of 2 50%" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().endswith(" \r")
