"""Writes an evaluation as a report."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from HTSegmentationLib.cohort.evaluation.evaluate import Evaluation
from HTSegmentationLib.cohort.report.html import report_html
from HTSegmentationLib.cohort.report.pdf import report_pdf
from HTSegmentationLib.cohort.report.sections import build_report
from HTSegmentationLib.errors import MissingPackageError, UsageError
from HTSegmentationLib.files import require_writable, write_text, written_whole
from HTSegmentationLib.progress import Progress, part_of, silent

_PACKAGES = {".html": ("matplotlib", "jinja2"), ".htm": ("matplotlib", "jinja2"), ".pdf": ("matplotlib", "reportlab")}
"""What each format needs, by the ending of the file's name."""

_DRAWN = 0.6
"""Share of the work after which all cases are drawn."""


def require_report_path(path: str | Path) -> None:
    """Checks that a report can be written under this name, before any work is done.

    Raises:
        UsageError: The name ends in neither ``.html`` nor ``.pdf``.
        OutputError: The folder is missing or cannot be written to.
        MissingPackageError: A package that the format needs is not installed.
    """
    ending = Path(path).suffix.lower()
    if ending not in _PACKAGES:
        raise UsageError(f"{path}: reports are written as .html or .pdf; give a name that ends so")
    require_writable(path)
    for package in _PACKAGES[ending]:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, "to write a report", "report")


def write_report(
    paths: str | Path | Iterable[str | Path], evaluation: Evaluation, *, name: str = "", progress: Progress = silent
) -> None:
    """Writes a report in one or several formats; the same results give the same file.

    Args:
        paths: Names that end in ``.html`` or ``.pdf``.
        evaluation: What to report.
        name: How the cohort is called; taken from the results if empty.
        progress: Told of the work.

    Raises:
        UsageError: A name ends in another way.
        OutputError: A file cannot be written.
        MissingPackageError: A package that the format needs is not installed.

    Example:
        >>> write_report(["report.html", "report.pdf"], evaluate([read_results("batch-of-june")]))   # doctest: +SKIP
    """
    targets = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    for path in targets:
        require_report_path(path)
    report = build_report(evaluation, name=name, progress=part_of(progress, 0.0, _DRAWN))
    for number, path in enumerate(targets):
        progress(f"writing {path.name}", _DRAWN + (1 - _DRAWN) * number / len(targets))
        if path.suffix.lower() == ".pdf":
            content = report_pdf(report)
            with written_whole(path) as temporary:
                temporary.write_bytes(content)
        else:
            write_text(path, report_html(report))
