"""Errors on their way from the worker to its parent, where they become what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from HTSegmentationLib.errors import (
    FileError,
    HTSegError,
    InputError,
    OutputError,
    ParameterError,
    ROIError,
    SegmentationError,
    UsageError,
)
from HTSegmentationLib.inference.worker.diagnosis import diagnose

_FILE_ERRORS = {kind.__name__: kind for kind in (InputError, OutputError)}
"""Errors that are made of path, problem and advice."""

_PLAIN_ERRORS = {kind.__name__: kind for kind in (UsageError, ROIError, ParameterError, SegmentationError)}
"""Errors that are made of one sentence."""


class WorkerError(HTSegError):
    """The worker, or a library in it, failed.

    Args:
        problem: What happened, without a full stop.
        advice: What to do, without a full stop.
        exit_status: The process's exit status, negative for a signal; None while it runs.
        stderr: The last lines that the process wrote, for a report; they may name files.
    """

    def __init__(self, problem: str, advice: str, exit_status: int | None = None, stderr: str = "") -> None:
        super().__init__(" ".join(f"{problem}; {advice}".split()))
        self.problem = problem
        self.advice = advice
        self.exit_status = exit_status
        self.stderr = stderr


def error_event(error: BaseException) -> dict[str, str]:
    """An error as the event that tells of it."""
    if isinstance(error, FileError):
        told = {"message": error.problem, "advice": error.advice, "path": error.path}
    elif isinstance(error, HTSegError):
        told = {"message": str(error), "advice": ""}
    else:
        found = diagnose(f"{type(error).__name__}: {error}")
        told = {"message": found.problem, "advice": found.advice}
    return {"event": "error", "code": type(error).__name__, **told}


def error_of_event(event: Mapping[str, Any], stderr: str = "") -> HTSegError:
    """The error that an event tells of, of its own kind where there is one.

    Example:
        >>> error_of_event({"code": "ROIError", "message": "the ROI is empty; draw one", "advice": ""})
        ROIError('the ROI is empty; draw one')
    """
    code, message, advice = (str(event.get(name, "")) for name in ("code", "message", "advice"))
    if code in _FILE_ERRORS:
        return _FILE_ERRORS[code](str(event.get("path", "")), message, advice)
    if code in _PLAIN_ERRORS:
        return _PLAIN_ERRORS[code](message)
    if not advice:
        return HTSegError(message)
    return WorkerError(message, advice, stderr=stderr)
