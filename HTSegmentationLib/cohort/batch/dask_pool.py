"""The workers of a Dask cluster: the same cases, the same records, handed out by a scheduler."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.cohort.batch.job import CaseJob, do_case
from HTSegmentationLib.cohort.batch.pool import Finished
from HTSegmentationLib.cohort.batch.worker import limit_threads
from HTSegmentationLib.errors import HTSegError, MissingPackageError, UsageError
from HTSegmentationLib.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_S = 20.0
"""How long the scheduler is waited for."""

_WORKERS_S = 30.0
"""How long a first worker is waited for: clusters start them when they are asked to."""

_AHEAD = 2
"""Cases that are with the scheduler for each thread: one at work and one that can begin at once."""

_START = "dask worker ADDRESS --nworkers N --nthreads 1 --memory-limit 1GB"


class DaskPool:
    """A pool of a Dask cluster's workers, which see the same folders as this machine.

    A worker that is lost costs no case: the scheduler gives it to another one, up to its own limit for cases that lose their
    workers again and again (``distributed.scheduler.allowed-failures``).

    Args:
        address: The scheduler's, as ``tcp://10.0.0.1:8786``.
        work: What is done with a case; a function that workers can import.

    Raises:
        UsageError: There is no scheduler, it has no workers, or they have another version.
        MissingPackageError: Dask is not installed.
    """

    def __init__(self, address: str, work: Callable[[Any], Any] | None = None) -> None:
        self._work = do_on_cluster if work is None else work
        self._client = _connected(address)
        self._jobs: dict[Future, CaseJob] = {}
        try:
            self._require_workers(address)
        except BaseException:
            self._client.close()
            raise

    def has_room(self) -> bool:
        """Whether a worker would begin another case soon."""
        threads = sum(self._client.nthreads().values())
        return len(self._jobs) < max(1, _AHEAD * threads)

    def is_busy(self) -> bool:
        """Whether any case is with the scheduler."""
        return bool(self._jobs)

    def submit(self, job: CaseJob) -> None:
        """Takes a case."""
        self._jobs[self._client.submit(self._work, job, pure=False)] = job

    def wait(self, seconds: float) -> list[Finished]:
        """The cases that were finished, as soon as there are any.

        Raises:
            HTSegError: The scheduler is gone.
        """
        import distributed

        if not self._jobs:
            return []
        try:
            with self._client.as_current():
                done = distributed.wait(list(self._jobs), timeout=seconds, return_when="FIRST_COMPLETED").done
        except distributed.TimeoutError:
            done = set()
        if self._client.status != "running":
            raise HTSegError("the scheduler is gone; what is done is kept, give the same command again when it is back")
        return [self._finished(future) for future in done]

    def close(self) -> None:
        """Gives up what is not finished, and leaves the cluster to others."""
        self._client.cancel(list(self._jobs))
        self._jobs.clear()
        self._client.close()

    def _finished(self, future: Future) -> Finished:
        job = self._jobs.pop(future)
        if future.status == "finished":
            return Finished(job, future.result())
        if future.status == "cancelled":
            return Finished(job, None, "the scheduler cancelled it")
        return Finished(job, None, _loss(future.exception()))

    def _require_workers(self, address: str) -> None:
        import distributed

        try:
            self._client.wait_for_workers(1, timeout=_WORKERS_S)
        except distributed.TimeoutError as error:
            raise UsageError(f"{address}: it has no workers; start them with: {_START}") from error
        found: dict[str, str] = self._client.run(version_of_worker)
        other = sorted({version for version in found.values() if version != __version__})
        if other:
            raise UsageError(
                f"{address}: its workers have htseg {', '.join(other)}, here it is {__version__}; install the same"
            )


def do_on_cluster(job: CaseJob) -> dict[str, Any]:
    """Works on a case in a worker, which shares its machine with others and so takes one thread."""
    limit_threads(1)
    return do_case(job)


def version_of_worker() -> str:
    """The version of this library where it is called."""
    return __version__


def _connected(address: str) -> Client:
    try:
        import distributed
    except ImportError as error:
        raise MissingPackageError("distributed", "to hand cases to a cluster", "cluster") from error
    try:
        return distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, distributed.TimeoutError, ValueError) as error:
        advice = "start one with: dask scheduler, and check address and firewall"
        raise UsageError(f"{address}: there is no Dask scheduler; {advice}") from error


def _loss(error: BaseException) -> str:
    import distributed

    if isinstance(error, distributed.KilledWorker):
        return f"it lost {error.allowed_failures + 1} workers one after the other, as happens when memory runs out"
    return f"its worker failed with {type(error).__name__}: {error}"
