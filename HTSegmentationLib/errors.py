"""The errors that HTSegmentation raises on purpose.

Each message is one line that says what is wrong with which file or value, and what to do about it, so that the
command line and the widget can show it as it is.
"""

from __future__ import annotations

from pathlib import Path


class HTSegError(Exception):
    """Base of every error that a user can mend; its text is one line, ready to be shown."""

    exit_code = 1
    """The status with which the command line ends."""

    def __reduce__(self) -> tuple:
        # An error goes from a process to its parent as its text: what it was made from need not be its text.
        return _restored, (type(self), self.args), self.__dict__


class UsageError(HTSegError):
    """A command or function was called with arguments that do not go together."""

    exit_code = 2


class FileError(HTSegError):
    """A file or folder cannot be used.

    Args:
        path: The file or folder, as the user named it.
        problem: What is wrong with it, without a full stop.
        advice: What to do about it, without a full stop.

    Example:
        >>> str(FileError("head.nii.gz", "it is empty", "copy it again"))
        'head.nii.gz: it is empty; copy it again'
    """

    def __init__(self, path: str | Path, problem: str, advice: str) -> None:
        super().__init__(_one_line(f"{path}: {problem}; {advice}"))
        self.path = str(path)
        self.problem = problem
        self.advice = advice


class InputError(FileError):
    """A file cannot be read, or does not hold what it should."""


class OutputError(FileError):
    """A file cannot be written."""


class ROIError(HTSegError):
    """The region of interest is empty, outside the scan, or on a grid that cannot be used."""


class ParameterError(HTSegError):
    """A parameter is out of its range; the message names parameter, value, unit and range."""


class SegmentationError(HTSegError):
    """The method cannot work on this scan, for example because no brain was found in it."""


class MissingPackageError(HTSegError):
    """An optional package is needed for what was asked; the message names the command that installs it.

    Args:
        package: The package's name on PyPI.
        purpose: What it is needed for, as in "to draw a preview".
        extra: The extra of this distribution that brings it.
    """

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        super().__init__(f"{package} is needed {purpose} and is not installed; pip install 'htsegmentation[{extra}]'")
        self.package = package


class Cancelled(HTSegError):
    """The user stopped the work; raised by a progress callback and passed on unchanged."""

    def __init__(self) -> None:
        super().__init__("stopped by the user")


def _restored(kind: type[HTSegError], args: tuple) -> HTSegError:
    return kind.__new__(kind, *args)


def _one_line(text: str) -> str:
    return " ".join(text.split())
