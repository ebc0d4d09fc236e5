"""The folder that a batch writes to, and nothing outside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.settings import differences
from HTSegmentationLib.cohort.manifest.case import Manifest
from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.files import write_json

LOCK_NAME = ".batch.lock"
"""The file that a running batch holds."""

_TEMPORARY = ".htseg-*"
"""Names of files that are being written; what a killed process leaves of them is swept up."""

_TABLES = ("results.csv", "results.parquet", "timings.csv", "batch.json")


@dataclass(frozen=True)
class OutputFolder:
    """Where everything of a batch lies.

    Args:
        path: The folder; absolute.

    Example:
        >>> OutputFolder(Path("/data/out")).mask("ph-01").as_posix()
        '/data/out/masks/ph-01.nii.gz'
    """

    path: Path

    @property
    def results(self) -> Path:
        """One row a case."""
        return self.path / "results.csv"

    @property
    def parquet(self) -> Path:
        """The same for programs."""
        return self.path / "results.parquet"

    @property
    def timings(self) -> Path:
        """The time that each case took."""
        return self.path / "timings.csv"

    @property
    def settings(self) -> Path:
        """What was done with all cases."""
        return self.path / "batch.json"

    def mask(self, case_id: str) -> Path:
        """The mask of a case."""
        return self.path / "masks" / f"{case_id}.nii.gz"

    def record(self, case_id: str) -> Path:
        """Everything that is known of a case; written last."""
        return self.path / "records" / f"{case_id}.json"

    def preview(self, case_id: str) -> Path:
        """The picture of a case."""
        return self.path / "previews" / f"{case_id}.png"

    def make(self) -> None:
        """Makes the folder itself if it is not there.

        Raises:
            OutputError: It cannot be made, or is a file.
        """
        _made(self.path)

    def require_own(self) -> None:
        """Checks that it is empty or was written by a batch: nothing of anybody else is overwritten or swept up.

        Raises:
            UsageError: It holds other files.
        """
        if self.settings.is_file():
            return
        foreign = sorted(p.name for p in self.path.iterdir() if p.name != LOCK_NAME and not p.match(_TEMPORARY))
        if foreign:
            raise UsageError(f"{self.path}: it holds files that no batch wrote, as {foreign[0]}; choose an empty folder")

    def require_apart(self, manifest: Manifest, parameter_file: str | None) -> None:
        """Checks that no input would be overwritten.

        Raises:
            UsageError: One lies where results go.
        """
        own = self.path.resolve()
        inside = tuple(own / name for name in ("masks", "records", "previews"))
        tables = {own / name for name in _TABLES}
        inputs = [manifest.path, *([Path(parameter_file)] if parameter_file else [])]
        for path in (*inputs, *(path for case in manifest.ready for path in case.inputs())):
            real = path.resolve()
            if real in tables or any(real.is_relative_to(folder) for folder in inside):
                raise UsageError(f"{path}: it lies where the results go ({self.path}); choose another folder for them")

    def require_same(self, settings: Mapping[str, Any]) -> None:
        """Checks that what lies there was made in the same way.

        Raises:
            UsageError: It was not; the message says what differs.
        """
        before = self.read_settings()
        different = [] if before is None else differences(before, settings)
        if different:
            advice = "choose another folder, or give --force to do all cases again"
            raise UsageError(f"{self.path}: it holds results made otherwise ({'; '.join(different)}); {advice}")

    def read_settings(self) -> dict[str, Any] | None:
        """The settings of the batch that wrote it; None if there are none, empty if they cannot be read."""
        if not self.settings.is_file():
            return None
        try:
            content = json.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def begin(self, settings: Mapping[str, Any], *, previews: bool) -> None:
        """Writes the settings and makes the folders in it.

        Raises:
            OutputError: One of them cannot be made, or is a link to elsewhere.
        """
        write_json(self.settings, settings)
        for name in ("masks", "records", *(("previews",) if previews else ())):
            folder = self.path / name
            if folder.is_symlink():
                raise OutputError(folder, "it is a link, and files would be written elsewhere", "take the link away")
            _made(folder)
        self.sweep()

    def clear(self, case_id: str) -> None:
        """Takes away what an earlier run left of a case, its record first.

        Raises:
            OutputError: A file cannot be taken away.
        """
        try:
            for file in (self.record(case_id), self.mask(case_id), self.preview(case_id)):
                file.unlink(missing_ok=True)
        except OSError as error:
            advice = "check the permissions of the output folder"
            raise OutputError(error.filename, (error.strerror or str(error)).lower(), advice) from error

    def sweep(self) -> None:
        """Takes away what killed processes left half-written."""
        for folder in (self.path, *(self.path / name for name in ("masks", "records", "previews"))):
            for file in folder.glob(_TEMPORARY) if not folder.is_symlink() or folder == self.path else ():
                file.unlink(missing_ok=True)


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, (error.strerror or str(error)).lower(), "choose another folder") from error
