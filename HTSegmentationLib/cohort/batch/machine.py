"""How many cases fit on this machine at once."""

from __future__ import annotations

from HTSegmentationLib.machine import free_memory, usable_cores

WORKER_BYTES = 700 * 2**20
"""What one process needs at most for a head CT of 512 x 512 x 40; measured by Testing/Benchmarks/bench_batch.py."""


def default_jobs(cases: int) -> int:
    """How many cases are worked on at once unless the user says otherwise: as cores, cases and free memory allow.

    Example:
        >>> default_jobs(1)
        1
    """
    memory = free_memory()
    fitting = usable_cores() if memory is None else memory // WORKER_BYTES
    return max(1, min(usable_cores(), cases, fitting))
