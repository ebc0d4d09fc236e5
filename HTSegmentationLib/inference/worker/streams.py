"""The worker's own stdin and stdout, out of the reach of libraries that print or read."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def claim_streams() -> tuple[BinaryIO, BinaryIO]:
    """Takes stdin and stdout for the protocol alone.

    From then on, whatever anybody prints, in Python or in C, goes to stderr, and who reads stdin finds its end. Processes
    that are started later inherit neither stream.

    Returns:
        Where requests come from and where answers go.
    """
    sys.stdout.flush()
    requests, answers = os.dup(sys.__stdin__.fileno()), os.dup(sys.__stdout__.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb", buffering=0)
