"""What the command line writes while it works and when it is done."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, TextIO

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.files import to_json, write_json

_PATIENCE_S = 1.0
"""Work that takes less than this needs no progress line."""

_LINE_WIDTH = 60
"""Wide enough for every stage's name; the line is blanked to this width when it is replaced."""


class ProgressLine:
    """One line on stderr that is written over as the work goes on; silent when nobody watches.

    Args:
        stream: Where to write; it must be a terminal to be written to.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._watched = self._stream.isatty()
        self._start = time.monotonic()
        self._shown = False

    def __call__(self, stage: str, fraction: float) -> None:
        """Shows the stage and its share of the work."""
        if not self._watched or time.monotonic() - self._start < _PATIENCE_S:
            return
        self._shown = True
        self._stream.write(f"\r{f'{stage} {fraction:.0%}':<{_LINE_WIDTH}}")
        self._stream.flush()

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._stream.write("\r" + " " * _LINE_WIDTH + "\r")
            self._stream.flush()
            self._shown = False


def say(text: str = "") -> None:
    """Writes a line of the result on stdout."""
    sys.stdout.write(text + "\n")


def deliver(record: dict[str, Any], words: list[str], json_target: str | None) -> None:
    """Gives a result: in words on stdout, as JSON to a file, or with ``-`` as JSON on stdout alone."""
    if json_target == "-":
        sys.stdout.write(to_json(record))
        return
    if json_target is not None:
        write_json(json_target, record)
    for line in words:
        say(line)


def require_not_input(outputs: list[str | None], inputs: list[str]) -> None:
    """Checks that no output would overwrite an input, nor another output.

    Raises:
        UsageError: One would.
    """
    taken = {Path(name).resolve() for name in inputs}
    for name in outputs:
        if name is None or name == "-":
            continue
        path = Path(name).resolve()
        if path in taken:
            raise UsageError(f"{name}: it is an input or another output of this command; choose another name")
        taken.add(path)
