"""Does one case after the other: none can stop the others, and the table is up to date after each."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from HTSegmentationLib.errors import HTSegError, OutputError
from HTSegmentationModule.batch.results import writeResults

if TYPE_CHECKING:
    from HTSegmentationModule.batch.arguments import Batch, Outputs
    from HTSegmentationModule.batch.cases import Case

DONE, FAILED = "done", "failed"
"""What a case's status is in the table."""


def runCases(
    batch: Batch,
    segmentCase: Callable[[Case, Outputs], dict[str, Any]],
    *,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Segments all cases.

    Args:
        batch: The cases, and where the table goes.
        segmentCase: Does one case and gives its row of the table; raises if it cannot.
        out: Takes one line a case; standard output when None.
        err: Takes one line for each case that failed; standard error when None.

    Returns:
        The exit status: 0 when all went well, 1 when a case failed or the table could not be written.
    """
    console = _Console(out or sys.stdout, err or sys.stderr, batch.debug)
    if batch.unusedColumns:
        console.say(f"columns not used: {', '.join(batch.unusedColumns)}")
    rows: list[dict[str, Any]] = []
    tableFailed = False
    for number, (case, outputs) in enumerate(batch.cases, start=1):
        place = f"{number}/{len(batch.cases)} {case.name}"
        started = time.monotonic()
        row: dict[str, Any] = {"case_id": case.name, "status": DONE}
        try:
            row |= segmentCase(case, outputs)
        except Exception as error:
            row |= {"status": FAILED, "error": sentence(error)}
            console.complain(f"{case.name}: {row['error']}")
        row["seconds"] = round(time.monotonic() - started, 1)
        rows.append(row)
        console.say(f"{place}: {_summary(row)}")
        tableFailed = not _wroteTable(batch, rows, console)
    failed = sum(row["status"] == FAILED for row in rows)
    where = f"; table in {batch.table}" if batch.table and not tableFailed else ""
    console.say(f"{len(rows) - failed} of {len(rows)} cases done{where}")
    return 1 if failed or tableFailed else 0


def sentence(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, HTSegError):
        return text
    if isinstance(error, MemoryError):
        return "out of memory; close other programs or use a machine with more"
    return f"unexpected {type(error).__name__}: {text}; please report it with the output of --debug"


def _summary(row: dict[str, Any]) -> str:
    if row["status"] == FAILED:
        return f"failed, {row['seconds']} s"
    words = [str(row.get("summary", DONE)), f"{row['seconds']} s"]
    return ", ".join(words)


def _wroteTable(batch: Batch, rows: list[dict[str, Any]], console: _Console) -> bool:
    if batch.table is None:
        return True
    try:
        writeResults(batch.table, [{name: cell for name, cell in row.items() if name != "summary"} for row in rows])
    except OutputError as error:
        console.complain(str(error))
        return False
    return True


class _Console:
    """Where the lines go; each is shown at once, since the next may take long."""

    def __init__(self, out: TextIO, err: TextIO, debug: bool) -> None:
        self._out, self._err, self._debug = out, err, debug

    def say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def complain(self, text: str) -> None:
        if self._debug:
            traceback.print_exc(file=self._err)
        self._err.write(f"HTSegmentationBatch: {text}\n")
        self._err.flush()
