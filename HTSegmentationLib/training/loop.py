"""The training of one network: epochs, validation, early stopping, checkpoints; it goes on where it was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.files import written_whole
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.inference.models.weights import save_tensors
from HTSegmentationLib.training.checkpoint import load_checkpoint, save_checkpoint
from HTSegmentationLib.training.curve import CurvePoint, EpochTime, EventFile, write_curve
from HTSegmentationLib.training.distributed import Team, shared
from HTSegmentationLib.training.fold_plan import FoldPlan, Moment, torch_seed
from HTSegmentationLib.training.fold_state import FoldState
from HTSegmentationLib.training.step import NotANumberError, Stepper
from HTSegmentationLib.training.supervised import supervised
from HTSegmentationLib.training.validation import Validation, validate

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CHECKPOINT_FILE, BEST_FILE, LATEST_FILE = "checkpoint.pt", "best.safetensors", "latest.safetensors"
"""In a fold's folder: the state to go on from, the best epoch's weights, and those at the end of the time given."""

_CHECKPOINT_EVERY_S = 120.0
"""A kill costs two minutes of training at most; writing a checkpoint takes a fraction of a second."""


class DivergedError(HTSegError):
    """The training ran away; its last good state is kept."""


class FoldTraining:
    """Trains one network; a second one with the same plan goes on where the first one was stopped.

    Everything random follows from seed, epoch and step, so that a training that was stopped anywhere and went on gives the
    curve of one that was not, on a processor bit by bit.

    Args:
        plan: What it is made of.
        team: The processes that train it together.
        device: Where the network is.
    """

    def __init__(self, plan: FoldPlan, team: Team, device: torch.device) -> None:
        self._plan, self._team = plan, team
        self._network = shared(supervised(plan.network, deep=plan.deep_supervision), team, device)
        self._stepper = Stepper(
            self._network, plan.loss, plan.optimiser, device, half=plan.half, agreed=lambda bad: team.any(bad)[0]
        )
        self._file = plan.folder / CHECKPOINT_FILE
        self.state = self._restored()
        """How far it is."""
        self._since = self._saved = time.monotonic()

    def run(
        self,
        *,
        seconds: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        watcher: Callable[[Moment], None] = lambda _: None,
    ) -> Path | None:
        """Trains until all epochs are done, nothing is gained any more, the time is over, or somebody wants it to end.

        Args:
            seconds: Time in s that the training may take in all, with what it took before; None for any time.
            stop: Asked after each step.
            watcher: Told after each step.

        Returns:
            The weights that count; None when somebody wanted it to end before.

        Raises:
            DivergedError: Loss or gradients are no numbers any more; the state before is kept.
            OutputError: A file cannot be written; what was written before is kept.
        """
        events = EventFile(self._plan.folder / "tensorboard", self.state.epoch + 1) if self._team.is_first else None
        try:
            while not self.state.ended:
                late = seconds is not None and self.state.seconds >= seconds
                wanted, late = self._team.any(stop(), late)
                reason = "stop" if wanted else "time" if late else self._epoch(seconds, stop, watcher)
                if reason == "stop":
                    return None
                if reason == "time":
                    return self._latest()
                self._end_epoch(events)
        finally:
            if events is not None:
                events.close()
        return self._plan.folder / BEST_FILE

    def _restored(self) -> FoldState:
        known = load_checkpoint(self._file)
        if known is None:
            return FoldState()
        plan = self._plan
        plan.network.load_state_dict(known["network"])
        plan.optimiser.load_state_dict(known["optimiser"])
        plan.schedule.load_state_dict(known["schedule"])
        self._stepper.scaler.load_state_dict(known["scaler"])
        return FoldState.from_dict(known["state"])

    def _save(self) -> None:
        self._count_time()
        self._saved = time.monotonic()
        if not self._team.is_first:
            return
        plan = self._plan
        save_checkpoint(
            self._file,
            {
                "network": plan.network.state_dict(),
                "optimiser": plan.optimiser.state_dict(),
                "schedule": plan.schedule.state_dict(),
                "scaler": self._stepper.scaler.state_dict(),
                "state": self.state.as_dict(),
            },
        )

    def _count_time(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self._since
        self.state.epoch_seconds += now - self._since
        self._since = now

    def _epoch(self, seconds: float | None, stop: Callable[[], bool], watcher: Callable[[Moment], None]) -> str:
        """Trains to the end of the epoch; ``"stop"`` or ``"time"`` when it was broken off before."""
        plan, state = self._plan, self.state
        self._network.train()
        own = [0.0, 0.0, 0.0]
        batches = plan.training.epoch(state.epoch, state.step)
        while True:
            asked = time.monotonic()
            batch = next(batches, None)
            if batch is None:
                break
            own[2] += time.monotonic() - asked
            try:
                own[0] += self._step(*batch) * len(batch[0])
            except NotANumberError as error:
                self._merge(own)
                self._save()
                raise self._diverged(error) from error
            own[1] += len(batch[0])
            state.step += 1
            if self._team.size == 1:
                # Number by number, so that the sum has the same last digit wherever it was broken off.
                self._merge(own)
            self._count_time()
            watcher(self._moment(own))
            late = seconds is not None and state.seconds >= seconds
            stale = self._team.is_first and time.monotonic() - self._saved > _CHECKPOINT_EVERY_S
            wanted, late, stale = self._team.any(stop(), late, stale)
            if wanted or late or stale:
                self._merge(own)
                self._save()
            if (wanted or late) and state.step < plan.training.steps:
                batches.close()
                return "stop" if wanted else "time"
        self._merge(own)
        return ""

    def _step(self, x: Tensor, target: Tensor) -> float:
        plan, state = self._plan, self.state
        numbers = (*plan.seed, state.epoch, state.step, self._team.rank)
        # From seed, epoch and step, not from what was drawn before: going on anywhere needs no state of the generators.
        import_torch().manual_seed(torch_seed(*numbers))
        return self._stepper(x, target)

    def _diverged(self, error: NotANumberError) -> DivergedError:
        place = f"{self._plan.folder.name}, epoch {self.state.epoch + 1}, step {self.state.step + 1}"
        advice = "train anew with a smaller --learning-rate, and look for scans that are no CT in HU"
        return DivergedError(f"{place}: {error}; the state before this step is kept in its checkpoint; {advice}")

    def _merge(self, own: list[float]) -> None:
        """Adds loss, patches and waiting of all processes to the state, and counts from zero."""
        loss_sum, patches, waited = self._team.sums(*own)
        self.state.loss_sum += loss_sum
        self.state.patches += int(patches)
        self.state.wait_seconds += waited / self._team.size
        own[:] = [0.0, 0.0, 0.0]

    def _validation(self) -> Validation | None:
        if self._plan.validation is None:
            return None
        found = None
        if self._team.is_first:
            found = validate(self._plan.network, self._plan.validation.epoch(0), self._stepper)
        return self._team.told(found)

    def _end_epoch(self, events: EventFile | None) -> None:
        plan, state = self._plan, self.state
        rate, loss = plan.schedule.learning_rate, state.loss_sum / state.patches
        found = self._validation()
        value = self._cost(found, loss)
        plan.schedule.after_epoch(value)
        state.epoch += 1
        better = found is None or state.best is None or value < self._cost_of_best()
        if better:
            state.best_epoch = state.epoch
            state.best = None if found is None else getattr(found, plan.criterion)
        told = (None, None) if found is None else (found.loss, found.dice)
        state.points.append(CurvePoint(state.epoch, rate, loss, *told, better))
        self._count_time()
        state.times.append(EpochTime(state.epoch, state.epoch_seconds, state.wait_seconds, state.patches))
        state.begin_epoch()
        if state.epoch >= plan.epochs:
            state.ended = "epochs"
        elif plan.patience is not None and state.epoch - state.best_epoch >= plan.patience:
            state.ended = "patience"
        if self._team.is_first:
            if better:
                self._write_weights(BEST_FILE)
            write_curve(plan.folder, state.points, state.times)
            events.add(state.points[-1], state.times[-1])
        self._save()

    def _latest(self) -> Path:
        """At the end of the time: the weights of this moment if they are better than the best epoch's.

        The state is left as it is, so that more time goes on with the same curve.
        """
        found = self._validation()
        loss = self.state.loss_sum / max(self.state.patches, 1)
        best = self.state.best_epoch and self._plan.folder / BEST_FILE
        if best and (found is None or self._cost(found, loss) >= self._cost_of_best()):
            return best
        if self._team.is_first:
            self._write_weights(LATEST_FILE)
        return self._plan.folder / LATEST_FILE

    def _write_weights(self, name: str) -> None:
        with written_whole(self._plan.folder / name) as temporary:
            save_tensors(temporary, self._plan.network.state_dict())

    def _cost(self, found: Validation | None, training_loss: float) -> float:
        """What is to become small."""
        if found is None:
            return training_loss
        return found.loss if self._plan.criterion == "loss" else -found.dice

    def _cost_of_best(self) -> float:
        return self.state.best if self._plan.criterion == "loss" else -self.state.best

    def _moment(self, own: list[float]) -> Moment:
        plan, state = self._plan, self.state
        patches = state.patches + own[1]
        done = (state.epoch + state.step / plan.training.steps) / plan.epochs
        loss = (state.loss_sum + own[0]) / patches if patches else None
        return Moment(
            state.epoch + 1, plan.epochs, state.step, plan.training.steps, loss, state.best, state.seconds, min(done, 1.0)
        )
