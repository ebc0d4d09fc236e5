"""Several processes that train one network together."""

import os
import socket

import pytest

from HTSegmentationLib.errors import UsageError

from ..needs import deep_learning
from .tiny_plan import MadeUp, settings, tiny_plan

torch = deep_learning()

from HTSegmentationLib.networks.registry import build_network  # noqa: E402
from HTSegmentationLib.training.curve import read_curve  # noqa: E402
from HTSegmentationLib.training.distributed import Team, joined, team_from_environment  # noqa: E402
from HTSegmentationLib.training.loop import BEST_FILE, FoldTraining  # noqa: E402
from HTSegmentationLib.training.optimisers import Schedule, make_optimiser  # noqa: E402
from HTSegmentationLib.training.train_options import device_name  # noqa: E402

CPU = torch.device("cpu")


class Shared(MadeUp):
    """One process's share of the batches."""

    def __init__(self, rank, size):
        super().__init__(steps=2, size=2)
        self.share = slice(rank, None, size)

    def epoch(self, number, first_step=0):
        for x, target in super().epoch(number, first_step):
            yield x[self.share], target[self.share]


def plan_for(folder, team):
    """CNN-DS, which normalizes each patch by itself, without dropout: two halves of a batch are as good as the whole."""
    # SGD goes by the gradients as they are; Adam would make the last digits of tiny ones large.
    chosen = settings(optimiser="sgd", learning_rate=0.05, epochs=2)
    torch.manual_seed(3)
    network = build_network("cnn-ds", {"levels": 2, "filters": 4, "dropout": 0.0})
    optimiser = make_optimiser(chosen, network.parameters())
    parts = {"network": network, "optimiser": optimiser, "schedule": Schedule(chosen, optimiser)}
    return tiny_plan(folder, Shared(team.rank, team.size), of=chosen, **parts)


def one_of_two(rank, port, folder):
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    team = team_from_environment()
    with joined(team, CPU):
        assert team.any(rank == 1, False) == (True, False)
        assert team.sums(1.0, rank) == (2.0, 1.0)
        assert team.told({"said": "first"} if team.is_first else None) == {"said": "first"}
        # One process wants to stop: both do, after the same step.
        asked = []
        first = FoldTraining(plan_for(folder, team), team, CPU)
        assert first.run(stop=lambda: rank == 1 and (asked.append(1) or len(asked) > 1)) is None
        assert (first.state.epoch, first.state.step) == (0, 1)
        team.told(True)
        FoldTraining(plan_for(folder, team), team, CPU).run()
        team.told(True)


def test_two_processes_learn_what_one_learns_and_stop_together(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "two").mkdir()
    torch.multiprocessing.spawn(one_of_two, args=(port, tmp_path / "two"), nprocs=2)
    FoldTraining(plan_for(tmp_path / "one", Team()), Team(), CPU).run()
    both, alone = read_curve(tmp_path / "two"), read_curve(tmp_path / "one")
    assert len(both) == len(alone) == 2
    for ours, theirs in zip(both, alone, strict=True):
        assert ours.training_loss == pytest.approx(theirs.training_loss, rel=1e-4)
        assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-4)
    assert (tmp_path / "two" / BEST_FILE).is_file()
    assert not list((tmp_path / "two").glob(".htseg-*"))


def test_without_torchrun_one_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    team = team_from_environment()
    assert (team, team.is_first) == (Team(0, 1, 0), True)
    assert (team.any(True, False), team.sums(2.0), team.told("x")) == ((True, False), (2.0,), "x")


def test_half_an_environment_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(UsageError, match="RANK=1, WORLD_SIZE=None"):
        team_from_environment()


def test_processes_of_a_team_do_not_take_one_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_name("auto", Team(3, 4, 1)) == "cuda:1"
    assert device_name("cuda:0", Team()) == "cuda:0"
    with pytest.raises(UsageError, match="each process takes its own card"):
        device_name("cuda:0", Team(1, 2, 1))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_name("auto", Team(1, 2, 1)) == "cpu"
