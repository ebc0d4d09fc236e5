"""The training of one network."""

import csv
import errno
import math

import pytest

from HTSegmentationLib.errors import OutputError

from ..needs import deep_learning
from .tiny_plan import MadeUp, settings, tiny_plan

torch = deep_learning()

from HTSegmentationLib.inference.models.weights import load_tensors  # noqa: E402
from HTSegmentationLib.training import checkpoint  # noqa: E402
from HTSegmentationLib.training.curve import read_curve  # noqa: E402
from HTSegmentationLib.training.distributed import Team  # noqa: E402
from HTSegmentationLib.training.loop import BEST_FILE, LATEST_FILE, DivergedError, FoldTraining  # noqa: E402

CPU = torch.device("cpu")


def training(plan):
    return FoldTraining(plan, Team(), CPU)


def after(steps):
    """Wants to stop when it was asked so many times."""
    left = iter(range(steps))
    return lambda: next(left, None) is None


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first) and set(first) == set(second)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training from the first step to the last one."""
    plan = tiny_plan(tmp_path_factory.mktemp("whole") / "fold_0")
    path = training(plan).run()
    return plan, path


@pytest.mark.parametrize("stops", [(1,), (3,), (4, 5), (2, 2, 2, 2)])
def test_a_training_that_was_stopped_anywhere_ends_with_the_same_curve_and_weights(whole, tmp_path, stops):
    folder = tmp_path / "fold_0"
    for steps in stops:
        assert training(tiny_plan(folder)).run(stop=after(steps)) is None
    plan = tiny_plan(folder)
    path = training(plan).run()
    assert (folder / "curve.csv").read_bytes() == (whole[0].folder / "curve.csv").read_bytes()
    assert same(plan.network.state_dict(), whole[0].network.state_dict())
    assert same(load_tensors(path), load_tensors(whole[1]))


def test_a_kill_between_checkpoints_costs_steps_and_changes_nothing(whole, tmp_path, monkeypatch):
    folder = tmp_path / "fold_0"
    spoilt = MadeUp()

    def killed(number, first_step=0):
        for step, batch in enumerate(MadeUp().epoch(number, first_step)):
            if (number, step) == (2, 1):
                raise KeyboardInterrupt
            yield batch

    spoilt.epoch = killed
    with pytest.raises(KeyboardInterrupt):
        training(tiny_plan(folder, spoilt)).run()
    again = MadeUp()
    training(tiny_plan(folder, again)).run()
    assert again.asked[0] == (2, 0)
    assert (folder / "curve.csv").read_bytes() == (whole[0].folder / "curve.csv").read_bytes()


def test_the_loss_falls_and_the_best_epoch_is_kept(whole):
    points = read_curve(whole[0].folder)
    assert len(points) == 4
    assert points[-1].training_loss < points[0].training_loss
    best = min(range(4), key=lambda n: points[n].validation_loss)
    assert [n for n in range(4) if points[n].is_best][-1] == best
    assert whole[1].name == BEST_FILE


def test_a_finished_training_does_nothing_more(whole):
    asked = MadeUp()
    plan = tiny_plan(whole[0].folder, asked)
    assert training(plan).run() == whole[1]
    assert asked.asked == []


def test_a_loss_that_is_no_number_stops_with_the_state_before_it(tmp_path):
    folder = tmp_path / "fold_0"
    with pytest.raises(DivergedError, match=r"fold_0, epoch 2, step 3: the loss is nan .* smaller --learning-rate"):
        training(tiny_plan(folder, MadeUp(spoilt=(1, 2)))).run()
    kept = training(tiny_plan(folder))
    assert (kept.state.epoch, kept.state.step) == (1, 2)
    assert all(bool(torch.isfinite(value).all()) for value in kept._plan.network.state_dict().values())
    assert math.isfinite(kept.state.loss_sum)


def test_no_gain_for_long_enough_ends_it(tmp_path):
    blind = MadeUp(steps=1, seed=9)
    found = training(
        tiny_plan(tmp_path / "fold_0", validation=blind, of=settings(epochs=50, learning_rate=1e-9), patience=3)
    )
    found.run()
    points = read_curve(tmp_path / "fold_0")
    assert found.state.ended == "patience"
    assert found.state.epoch - found.state.best_epoch == 3
    assert len(points) == found.state.epoch < 50


def test_dice_can_decide_which_epoch_is_the_best(tmp_path):
    training(tiny_plan(tmp_path / "fold_0", criterion="dice")).run()
    points = read_curve(tmp_path / "fold_0")
    assert [p.epoch for p in points if p.is_best][-1] == max(points, key=lambda p: p.validation_dice).epoch


def test_the_end_of_the_time_gives_weights_and_more_time_the_same_curve(whole, tmp_path):
    folder = tmp_path / "fold_0"
    path = training(tiny_plan(folder)).run(seconds=1e-6)
    assert path.name == LATEST_FILE
    assert training(tiny_plan(folder)).state.step == 1
    training(tiny_plan(folder)).run()
    assert (folder / "curve.csv").read_bytes() == (whole[0].folder / "curve.csv").read_bytes()


def test_time_that_was_over_before_is_not_begun_again(tmp_path):
    folder = tmp_path / "fold_0"
    training(tiny_plan(folder)).run(seconds=1e-6)
    asked = MadeUp()
    assert training(tiny_plan(folder, asked)).run(seconds=1e-6).name == LATEST_FILE
    assert asked.asked == []


def test_without_validation_the_last_epoch_counts(tmp_path):
    plan = tiny_plan(tmp_path / "fold_0")
    plan = plan.__class__(**{**vars(plan), "validation": None})
    path = training(plan).run()
    assert same(load_tensors(path), plan.network.state_dict())
    with (tmp_path / "fold_0" / "curve.csv").open(encoding="utf-8", newline="") as file:
        assert [row["validation_loss"] for row in csv.DictReader(file)] == ["", "", "", ""]


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    folder = tmp_path / "fold_0"
    training(tiny_plan(folder)).run(stop=after(2))
    before = (folder / "checkpoint.pt").read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="no space left on device"):
        training(tiny_plan(folder)).run()
    assert (folder / "checkpoint.pt").read_bytes() == before
    assert not list(folder.glob(".htseg-*"))


def test_a_checkpoint_is_read_without_running_code(tmp_path):
    from ..inference.model_folders import Malicious

    path = tmp_path / "checkpoint.pt"
    torch.save({"format": 1, "state": Malicious(tmp_path / "owned")}, path)
    with pytest.raises(checkpoint.InputError, match="damaged"):
        checkpoint.load_checkpoint(path)
    assert not (tmp_path / "owned").exists()


def test_whoever_watches_hears_of_each_step(tmp_path):
    moments = []
    training(tiny_plan(tmp_path / "fold_0")).run(watcher=moments.append)
    assert [(m.epoch, m.step) for m in moments[:4]] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert [m.share for m in moments] == sorted(m.share for m in moments)
    assert moments[-1].share == 1
