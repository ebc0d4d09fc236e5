"""Ctrl+C and its relatives as a wish that is granted at the next safe moment."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

_WISHES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that ask a program to end; not every system has all of them."""


@dataclass
class StopRequest:
    """Whether somebody wants the run to end.

    Args:
        signal: The signal that asked for it; None as long as nobody did.
    """

    signal: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether it was asked for."""
        return self.signal is not None

    @property
    def by_keyboard(self) -> bool:
        """Whether it was Ctrl+C."""
        return self.signal == signal.SIGINT


@contextlib.contextmanager
def heeding_signals() -> Iterator[StopRequest]:
    """Notes the signals that ask to end, instead of being ended by them at any line; outside the main thread none."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (a signal handler's arguments)
        request.signal = number

    numbers = [getattr(signal, name) for name in _WISHES if hasattr(signal, name)]
    # What nohup or a shell's background job has set aside stays so.
    numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
