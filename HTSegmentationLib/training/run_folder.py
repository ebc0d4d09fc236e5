"""The folder of a training run: what lies where, and whether it is the run that is asked for."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.cells import safe_cell
from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.files import write_json, write_text

LOCK_NAME = ".train.lock"
"""The file that a run holds while it works."""

_TEMPORARY = ".htseg-*"
"""Names of files that are being written; what a killed process leaves of them is swept up."""

_OWN = ("folds.csv", "models", "predictions")
"""What a run writes beside its settings, its folds and the prepared cases."""

_DECISIVE = ("settings", "name", "cases", "split", "htsegmentation")
"""What must be the same for a run to go on."""

_MOST_SHOWN = 4
"""Differences that a message names."""

_LONGEST_VALUE = 40
"""Letters of a value that a message shows."""


@dataclass(frozen=True)
class RunFolder:
    """Where everything of a training run lies.

    Args:
        path: The folder; absolute.

    Example:
        >>> RunFolder(Path("/data/run")).fold(2).as_posix()
        '/data/run/fold_2'
    """

    path: Path

    @property
    def settings(self) -> Path:
        """What is trained, on which cases, with which versions."""
        return self.path / "settings.json"

    @property
    def folds(self) -> Path:
        """Which case belongs to which fold."""
        return self.path / "folds.csv"

    @property
    def cache(self) -> Path:
        """The prepared cases."""
        return self.path / "cache"

    @property
    def models(self) -> Path:
        """The model folders."""
        return self.path / "models"

    @property
    def predictions(self) -> Path:
        """What the models give for the cases that they were not trained on."""
        return self.path / "predictions"

    def fold(self, number: int) -> Path:
        """The folder of a fold: checkpoint, weights and learning curve, or those of its stages."""
        return self.path / f"fold_{number}"

    def stage(self, number: int, stage: int | None) -> Path:
        """The folder of a network of a fold; ``stage`` is None where there is but one."""
        return self.fold(number) if stage is None else self.fold(number) / f"stage_{stage}"

    def outcome(self, number: int) -> Path:
        """How a fold ended; written when its model is there."""
        return self.fold(number) / "fold.json"

    def make(self) -> None:
        """Makes the folder if it is not there.

        Raises:
            OutputError: It cannot be made.
        """
        made(self.path)

    def require_own(self) -> None:
        """Checks that it is empty or was written by a training.

        Raises:
            UsageError: It holds other files.
        """
        if self.settings.is_file():
            return
        known = (LOCK_NAME, self.cache.name)
        foreign = sorted(p.name for p in self.path.iterdir() if p.name not in known and not p.match(_TEMPORARY))
        if foreign:
            raise UsageError(f"{self.path}: it holds files that no training wrote, as {foreign[0]}; choose an empty folder")

    def read_settings(self) -> dict[str, Any] | None:
        """The record of the run that lies there; None if there is none, empty if it cannot be read."""
        if not self.settings.is_file():
            return None
        try:
            content = json.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def require_same(self, record: Mapping[str, Any]) -> None:
        """Checks that the run that lies there is the one that is asked for.

        Raises:
            UsageError: It is another one; the message says what differs.
        """
        before = self.read_settings()
        if before is None:
            return
        texts = [text for key in _DECISIVE for text in _differences(key, before.get(key), record.get(key))]
        if texts:
            more = f"; and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
            found = f"it holds another training ({'; '.join(texts[:_MOST_SHOWN])}{more})"
            raise UsageError(f"{self.path}: {found}; choose another folder, or give --force to take that training away")

    def clear(self) -> None:
        """Takes an earlier training away; the prepared cases stay, since they are known by their content.

        Raises:
            OutputError: A file cannot be taken away.
        """
        try:
            # The settings go last: as long as anything is left, the folder is known as a training's.
            for name in (*_OWN, *(path.name for path in self.path.glob("fold_*"))):
                path = self.path / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            self.settings.unlink(missing_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OutputError(error.filename or self.path, reason, "check the permissions of the folder") from error

    def begin(self, record: Mapping[str, Any], folds: Sequence[Mapping[str, Any]]) -> None:
        """Writes the record and the table of folds, and sweeps up what a killed process left half-written.

        Raises:
            OutputError: A file cannot be written.
        """
        write_json(self.settings, record)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([safe_cell(name) for name in folds[0]])
        writer.writerows([safe_cell(cell) for cell in row.values()] for row in folds)
        write_text(self.folds, text.getvalue())
        for file in (*self.path.glob(_TEMPORARY), *self.path.glob(f"fold_*/**/{_TEMPORARY}")):
            file.unlink(missing_ok=True)


def made(folder: Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        OutputError: It cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, (error.strerror or str(error)).lower(), "choose another folder") from error
    return folder


def _differences(key: str, old: Any, new: Any) -> list[str]:
    """What differs between two values, key by key."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = dict.fromkeys((*old, *new))
        prefix = "" if key == "settings" else f"{key}."
        return [text for name in names for text in _differences(f"{prefix}{name}", old.get(name), new.get(name))]
    return [] if old == new else [f"{key} was {_short(old)} and is {_short(new)}"]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
