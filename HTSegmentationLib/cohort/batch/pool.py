"""What the batch asks of whoever works on its cases: processes of this machine, or those of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from HTSegmentationLib.cohort.batch.job import CaseJob


@dataclass(frozen=True)
class Finished:
    """A case that a pool is done with.

    Args:
        job: The case.
        record: Its record; None if its worker was lost.
        loss: How the worker was lost, in words.
    """

    job: CaseJob
    record: dict[str, Any] | None
    loss: str = ""


class Pool(Protocol):
    """Workers that take cases and give records."""

    def has_room(self) -> bool:
        """Whether another case would be begun soon."""
        ...

    def is_busy(self) -> bool:
        """Whether any case is with it."""
        ...

    def submit(self, job: CaseJob) -> None:
        """Takes a case."""
        ...

    def wait(self, seconds: float) -> list[Finished]:
        """The cases that were finished, as soon as there are any, but none after so many seconds.

        Raises:
            HTSegError: No work can be done at all.
        """
        ...

    def close(self) -> None:
        """Stops all work at once; cases that are not finished are given up."""
        ...
