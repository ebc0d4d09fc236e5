"""Where a data set is built, and how it takes its place as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.training.nnunet.case import FILE_ENDING, IMAGES, LABELS, RECORDS
from HTSegmentationLib.training.nnunet.settings import DatasetSettings

_PREPROCESSED = "nnUNet_preprocessed"
"""The environment variable of the folder for what nnU-Net makes of raw data."""

_NNUNET_FOLDERS = ("nnUNet_raw", _PREPROCESSED, "nnUNet_results")
"""Environment variables of the folders in which nnU-Net looks for the name that belongs to an ID."""


class DatasetPlace:
    """The folder of a data set, and a hidden one beside it in which it is built.

    What was built before a run was stopped stays there, and the next run goes on with it.

    Args:
        parent: nnU-Net's folder of raw data; it is there.
        settings: The data set.
    """

    def __init__(self, parent: Path, settings: DatasetSettings) -> None:
        self.target = parent / settings.folder_name
        self.workshop = parent / f".htseg-{settings.folder_name}"
        self.dataset = self.workshop / settings.folder_name
        self.records = self.workshop / RECORDS
        self.lock = self.workshop / "lock"
        self._settings = settings

    def namesakes(self) -> list[Path]:
        """Folders of other data sets with the same ID, of which nnU-Net allows one alone."""
        places = [self.target.parent, *(Path(os.environ[name]) for name in _NNUNET_FOLDERS if os.environ.get(name))]
        found = (path for place in dict.fromkeys(places) for path in sorted(place.glob(f"{self._settings.prefix}_*")))
        return [path for path in found if path.is_dir() and path.name != self.target.name]

    def preprocessed(self) -> Path | None:
        """What nnU-Net made of an earlier data set of this name; None where there is nothing, or where is not known."""
        parent = os.environ.get(_PREPROCESSED)
        made = Path(parent) / self.target.name if parent else None
        return made if made is not None and made.is_dir() else None

    def make(self) -> None:
        """Makes the folders to build in, those that are not there.

        Raises:
            OutputError: They cannot be made.
        """
        try:
            for folder in (self.dataset / IMAGES, self.dataset / LABELS, self.records):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failed(self.workshop, error) from error

    def keep_only(self, names: Iterable[str]) -> None:
        """Takes away the images of cases that were built by an earlier run and are not among these."""
        names = list(names)
        wanted = {f"{name}_0000{FILE_ENDING}" for name in names} | {f"{name}{FILE_ENDING}" for name in names}
        for folder in (IMAGES, LABELS):
            for path in (self.dataset / folder).iterdir():
                if path.name not in wanted:
                    path.unlink()

    def publish(self) -> None:
        """Puts the data set in its place; one that is there is replaced, and stays if that fails.

        Raises:
            OutputError: It cannot be moved.
        """
        replaced = self.workshop / "replaced"
        try:
            shutil.rmtree(replaced, ignore_errors=True)
            if self.target.exists():
                self.target.rename(replaced)
            try:
                self.dataset.rename(self.target)
            except OSError:
                if replaced.exists():
                    replaced.rename(self.target)
                raise
        except OSError as error:
            raise _failed(self.target, error) from error

    def clear(self) -> None:
        """Takes the hidden folder away."""
        shutil.rmtree(self.workshop, ignore_errors=True)


def _failed(path: Path, error: OSError) -> OutputError:
    return OutputError(path, (error.strerror or str(error)).lower(), "free space or choose another place")
