"""What is known of all cases of a batch so far, and the tables that say so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.cohort.batch.columns import extra_names, result_columns
from HTSegmentationLib.cohort.batch.output_folder import OutputFolder
from HTSegmentationLib.cohort.batch.table import write_csv, write_parquet, write_timings
from HTSegmentationLib.cohort.manifest.case import Case, Manifest

_PATIENCE_S = 3.0
"""The tables are written anew at most so often, however quick the cases are."""

_SHARE = 50.0
"""Nor more often than that writing takes this small a part of the time."""


@dataclass(frozen=True)
class BatchState:
    """How far a batch is.

    Args:
        total: Cases of the table.
        done: Cases with a result, those of earlier runs as well.
        failed: Cases without one.
        kept: Those of the done cases that an earlier run did.
        seconds: Since the run began.
    """

    total: int
    done: int
    failed: int
    kept: int
    seconds: float


class BatchBook:
    """The rows of a batch.

    Args:
        manifest: The table of cases.
        place: The output folder.
    """

    def __init__(self, manifest: Manifest, place: OutputFolder) -> None:
        self.failures: dict[str, str] = {}
        """Why each case failed, by its name."""
        self._manifest = manifest
        self._place = place
        self._extra = extra_names(manifest)
        self._rows: dict[int, Mapping[str, Any]] = {}
        self._seconds: dict[int, tuple[str, float, Mapping[str, float]]] = {}
        self._kept = 0
        self._began = time.monotonic()
        self._next = 0.0

    def extra_of(self, case: Case) -> dict[str, str]:
        """A case's further cells, by the names of their columns among the results."""
        return {name: case.extra.get(column, "") for column, name in self._extra.items()}

    def reject(self, case: Case, method: str) -> None:
        """Notes a case that the table of cases has no use for."""
        reason = "; ".join(case.problems)
        self._rows[case.row] = {
            "case_id": case.case_id,
            "status": "failed",
            "error": reason,
            "ht_type": case.ht_type or None,
            "method": method,
            **{name: text or None for name, text in self.extra_of(case).items()},
        }
        self.failures[case.case_id] = reason

    def note(self, case: Case, record: Mapping[str, Any], *, kept: bool = False) -> None:
        """Notes a case that was worked on, now or (``kept``) by an earlier run."""
        self._rows[case.row] = record["row"]
        self._seconds[case.row] = (case.case_id, record["seconds"], record["stage_seconds"])
        self._kept += kept
        if record["status"] != "done":
            self.failures[case.case_id] = record["error"]

    @property
    def state(self) -> BatchState:
        """How far the batch is."""
        failed = len(self.failures)
        return BatchState(
            total=len(self._manifest.cases),
            done=len(self._rows) - failed,
            failed=failed,
            kept=self._kept,
            seconds=time.monotonic() - self._began,
        )

    def write_now_and_then(self) -> None:
        """Writes the tables if that was not done for a while.

        Raises:
            OutputError: They cannot be written.
        """
        start = time.monotonic()
        if start >= self._next:
            self.write()
            end = time.monotonic()
            self._next = end + max(_PATIENCE_S, _SHARE * (end - start))

    def write(self, *, parquet: bool = False) -> None:
        """Writes the tables with all cases that are known, in the order of the table of cases.

        Raises:
            OutputError: They cannot be written.
        """
        order = sorted(self._rows)
        rows = [self._rows[row] for row in order]
        columns = result_columns(self._manifest, rows)
        write_csv(self._place.results, rows, columns)
        seconds = {self._seconds[row][0]: self._seconds[row][1:] for row in order if row in self._seconds}
        write_timings(self._place.timings, seconds)
        if parquet:
            write_parquet(self._place.parquet, rows, columns, self._extra.values())
