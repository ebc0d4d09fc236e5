"""The cases of a batch: from a table in a file, or the one of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.cohort.manifest import ManifestError, read_manifest
from HTSegmentationLib.cohort.manifest.case_ids import id_problem

_USED_COLUMNS = ("case_id", "image", "roi", "reference", "series")
"""Columns of the library's table of cases that mean something here."""

_MOST_SHOWN = 3
"""Problems that fit into a message of one line."""


@dataclass(frozen=True)
class Case:
    """One scan to segment.

    Args:
        name: What it is called in the table of results, and in file names.
        image: The CT: a volume file, or a DICOM file or folder.
        rois: Markups and masks; their union counts.
        box: The ROI as a box instead, LPS mm: x0, x1, y0, y1, z0, z1.
        slices: First and last slice that the ROI is cut to, counted from 1 at the lowest.
        series: Which DICOM series, where there are several.
        reference: A mask that the result is compared with.
    """

    name: str
    image: str
    rois: tuple[str, ...] = ()
    box: tuple[float, ...] | None = None
    slices: tuple[int, int] | None = None
    series: str | None = None
    reference: str | None = None

    def inputs(self) -> list[str]:
        """All files that it reads."""
        return [path for path in (self.image, *self.rois, self.reference) if path]


def readCases(path: str | Path) -> tuple[list[Case], list[str]]:
    """Reads a table of cases, the same that ``htseg batch`` reads.

    Args:
        path: CSV or TSV with the columns case_id, image, roi, and reference and series if wanted.

    Returns:
        The cases in the file's order, and the names of columns that are not used. A case whose files are missing is among
        them, since it must not keep the others from being done.

    Raises:
        ManifestError: The file cannot be read, a column is missing, or a case_id is missing, doubled or unfit for files.

    Example:
        >>> cases, unused = readCases("cases.csv")   # doctest: +SKIP
    """
    manifest = read_manifest(path, needs_roi=True)
    # What is wrong with the files of one case is found when it is its turn; a name that cannot be used is no case at all.
    grave = [problem for problem in manifest.problems if not problem.case_id or id_problem(problem.case_id)]
    if grave:
        more = f"; and {len(grave) - _MOST_SHOWN} more" if len(grave) > _MOST_SHOWN else ""
        shown = "; ".join(str(problem) for problem in grave[:_MOST_SHOWN])
        raise ManifestError(path, f"{shown}{more}", "mend the table")
    cases = [
        Case(
            name=case.case_id,
            image=str(case.image) if case.written["image"] else "",
            rois=tuple(str(file) for file in case.roi),
            series=case.series,
            reference=str(case.reference) if case.reference else None,
        )
        for case in manifest.cases
    ]
    return cases, [name for name in manifest.columns if name not in _USED_COLUMNS]
