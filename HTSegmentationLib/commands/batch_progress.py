"""How far a batch is, for whoever watches: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from HTSegmentationLib.cohort.batch.book import BatchState

_BAR_LETTERS = 24
"""Width of the bar."""

_LINE_WIDTH = 100
"""The line is blanked to this width when it is replaced."""

_LOG_PERCENT = 10
"""In a log, one line each time that so much more is done."""

_MINUTE_S, _HOUR_S = 60, 3600


class BatchProgress:
    """Shows the state of a batch on stderr.

    Args:
        stream: Where to write; stderr if None.

    Example:
        >>> run_batch(manifest, "results", settings, watcher=BatchProgress())   # doctest: +SKIP
        [############............] 26 of 51, 1 failed, 38.2 a minute, 39 s left
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._watched = self._stream.isatty()
        self._shown = False
        self._logged: int | None = None

    def __call__(self, state: BatchState) -> None:
        """Shows the state."""
        share = (state.done + state.failed) / state.total
        if self._watched:
            self._shown = True
            bar = "#" * int(share * _BAR_LETTERS)
            self._stream.write(f"\r{f'[{bar:.<{_BAR_LETTERS}}] {state_in_words(state)}':<{_LINE_WIDTH}}")
            self._stream.flush()
            return
        step = int(share * 100) // _LOG_PERCENT
        if self._logged is not None and step > self._logged:
            self._stream.write(f"{step * _LOG_PERCENT}%: {state_in_words(state)}\n")
            self._stream.flush()
        self._logged = step

    def clear(self) -> None:
        """Takes the bar away."""
        if self._shown:
            self._stream.write("\r" + " " * _LINE_WIDTH + "\r")
            self._stream.flush()
            self._shown = False


def state_in_words(state: BatchState) -> str:
    """How many cases are done and failed, how quickly, and how long the rest may take."""
    finished = state.done + state.failed
    words = f"{finished} of {state.total}{f', {state.failed} failed' if state.failed else ''}"
    worked = finished - state.kept
    if worked <= 0 or state.seconds <= 0:
        return words
    rate = worked / state.seconds
    left = (state.total - finished) / rate
    return f"{words}, {rate * _MINUTE_S:.1f} a minute{f', {duration(left)} left' if left else ''}"


def duration(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> duration(4.2), duration(200), duration(7300)
        ('4 s', '3 min 20 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
