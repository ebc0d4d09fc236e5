"""The learning curve of a fold, as a table, as a picture and for TensorBoard."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError, MissingPackageError
from HTSegmentationLib.files import write_text, written_whole

CURVE_FILE, TIMINGS_FILE, PICTURE_FILE = "curve.csv", "timings.csv", "curve.png"
"""The names in a fold's folder."""

_PICTURE_INCHES, _PICTURE_DPI = (8.0, 4.5), 120


@dataclass(frozen=True)
class CurvePoint:
    """What one epoch gave; the same seed gives the same numbers.

    Args:
        epoch: From 1.
        learning_rate: The optimiser's, during this epoch.
        training_loss: Mean over the epoch's patches, with dropout and augmentation.
        validation_loss: Mean over the fixed patches of the held-out cases; None without any.
        validation_dice: Dice of all hemorrhage voxels of these patches together; None without any.
        is_best: Whether it was the best epoch so far.
    """

    epoch: int
    learning_rate: float
    training_loss: float
    validation_loss: float | None
    validation_dice: float | None
    is_best: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class EpochTime:
    """How long an epoch took.

    Args:
        epoch: From 1.
        seconds: Wall time in s, validation included.
        wait_seconds: Time in s in which the network waited for its patches.
        patches: Patches that were trained on, over all processes.
    """

    epoch: int
    seconds: float
    wait_seconds: float
    patches: int


def write_curve(folder: Path, points: Sequence[CurvePoint], times: Sequence[EpochTime]) -> None:
    """Writes ``curve.csv``, which the same seed gives again byte for byte, and beside it ``timings.csv``.

    Raises:
        OutputError: A file cannot be written.
    """
    write_text(folder / CURVE_FILE, _table(tuple(CurvePoint.__dataclass_fields__), (point.as_dict() for point in points)))
    rounded = (
        {**asdict(time), "seconds": round(time.seconds, 3), "wait_seconds": round(time.wait_seconds, 3)} for time in times
    )
    write_text(folder / TIMINGS_FILE, _table(tuple(EpochTime.__dataclass_fields__), rounded))


def read_curve(folder: Path) -> tuple[CurvePoint, ...]:
    """The points of a ``curve.csv``.

    Raises:
        InputError: It is not there or no such table.
    """
    path = folder / CURVE_FILE
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        return tuple(_point(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            path, "it is no learning curve that can be read", "give the same command again to write it"
        ) from error


def write_curve_picture(path: Path, title: str, points: Sequence[CurvePoint]) -> None:
    """Draws losses and Dice against epochs.

    Args:
        path: A PNG.
        title: What stands above it.
        points: At least one.

    Raises:
        MissingPackageError: matplotlib is not installed.
        OutputError: It cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingPackageError("matplotlib", "to draw the learning curve", "report") from error
    figure = Figure(figsize=_PICTURE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    losses = figure.add_subplot(title=title, xlabel="epoch", ylabel="loss")
    epochs = [point.epoch for point in points]
    losses.plot(epochs, [point.training_loss for point in points], "o-", markersize=3, label="training loss", color="C0")
    if points[-1].validation_loss is not None:
        losses.plot(
            epochs, [point.validation_loss for point in points], "o-", markersize=3, label="validation loss", color="C1"
        )
        dice = losses.twinx()
        dice.plot(
            epochs, [point.validation_dice for point in points], "s--", markersize=3, label="validation Dice", color="C2"
        )
        dice.set(ylabel="Dice of the patches", ylim=(0, 1))
        best = [point.epoch for point in points if point.is_best][-1:]
        for epoch in best:
            losses.axvline(epoch, color="0.6", linewidth=1, label="best epoch")
        dice.legend(loc="upper right")
    losses.xaxis.get_major_locator().set_params(integer=True)
    losses.legend(loc="upper left")
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=_PICTURE_DPI, format="png")


class EventFile:
    """The same numbers for TensorBoard; nothing where that package is not installed, or where they cannot be written.

    The table has all of it: no training ends because of a picture of itself.

    Args:
        folder: The folder that TensorBoard is given.
        first_epoch: Events from this epoch on, of an earlier run that was stopped, are hidden.
    """

    def __init__(self, folder: Path, first_epoch: int) -> None:
        self._writer = None
        if has_tensorboard():
            from torch.utils.tensorboard import SummaryWriter

            with contextlib.suppress(OSError):
                self._writer = SummaryWriter(str(folder), purge_step=first_epoch)

    def add(self, point: CurvePoint, time: EpochTime) -> None:
        """Adds an epoch."""
        if self._writer is None:
            return
        values: Mapping[str, float | None] = {
            "loss/training": point.training_loss,
            "loss/validation": point.validation_loss,
            "dice/validation": point.validation_dice,
            "learning rate": point.learning_rate,
            "speed/patches per second": time.patches / time.seconds if time.seconds else None,
            "speed/share waited for data": time.wait_seconds / time.seconds if time.seconds else None,
        }
        with contextlib.suppress(OSError):
            for name, value in values.items():
                if value is not None:
                    self._writer.add_scalar(name, value, point.epoch)
            self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()


def has_tensorboard() -> bool:
    """Whether the package ``tensorboard`` is installed, which writes the events."""
    return importlib.util.find_spec("tensorboard") is not None


def _table(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    # repr of a float gives it back exactly, so that two curves can be compared to the last digit.
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _point(row: Mapping[str, str]) -> CurvePoint:
    def number(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    return CurvePoint(
        int(row["epoch"]),
        float(row["learning_rate"]),
        float(row["training_loss"]),
        number("validation_loss"),
        number("validation_dice"),
        row["is_best"] == "true",
    )
