"""A table of cases as values: the cases, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.remark import Remark

ROI_SEPARATOR = "|"
"""Between several ROI files of one case; it can be in no file name on Windows."""

REQUIRED_COLUMNS = ("case_id", "image")
"""Columns that every table of cases has."""

ROI_COLUMN = "roi"
"""The column that is required where the method works in an ROI alone."""

OPTIONAL_COLUMNS = ("reference", "ht_type", "baseline", "baseline_roi", "series")
"""Columns that are used if they are there."""

KNOWN_COLUMNS = (*REQUIRED_COLUMNS, ROI_COLUMN, *OPTIONAL_COLUMNS)
"""All columns that mean something here; others are kept as they are."""

_MOST_IN_A_LINE = 3
"""Problems that fit into a message of one line."""


class ManifestError(InputError):
    """A table of cases cannot be read; no case can be worked on, so that it counts as wrong usage."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """Something in the table that must be mended.

    Args:
        row: The row as a spreadsheet program counts it: the column names are row 1.
        case_id: The case, in characters that harm no terminal; empty where it is about the whole table.
        text: What is wrong and what to do.
    """

    row: int
    case_id: str
    text: str

    def __str__(self) -> str:
        name = self.case_id.removesuffix(f"(row {self.row})").strip()
        return f"row {self.row} ({name}): {self.text}" if name else f"row {self.row}: {self.text}"


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Args:
        row: The row as a spreadsheet program counts it.
        case_id: What the case is called in tables and file names. One that cannot be used (unsafe, empty, given twice) has
            its row behind it, as ``ph-01 (row 7)``, and is among the problems.
        image: The CT: a volume file, or a DICOM file or folder; absolute.
        roi: Markups and masks, absolute; their union counts. Empty where there is none.
        reference: A mask that results are compared with; None where there is none.
        baseline: An earlier CT of the same patient; None where there is none.
        baseline_roi: The ROI on the earlier CT.
        ht_type: HI1, HI2, PH1, PH2, or any other group; empty where there is none.
        series: Which DICOM series of ``image``, by number or UID; None where there is but one.
        written: The cells of the paths as the table has them, by column, for messages.
        extra: The table's other columns, by their names as written.
        problems: What must be mended before the case can be worked on.
    """

    row: int
    case_id: str
    image: Path
    roi: tuple[Path, ...] = ()
    reference: Path | None = None
    baseline: Path | None = None
    baseline_roi: tuple[Path, ...] = ()
    ht_type: str = ""
    series: str | None = None
    written: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def inputs(self) -> tuple[Path, ...]:
        """All files and folders that are read for it."""
        single = (self.image, self.reference, self.baseline)
        return (*(path for path in single if path is not None), *self.roi, *self.baseline_roi)


@dataclass(frozen=True)
class Manifest:
    """A table of cases that was read.

    Args:
        path: The file.
        cases: All rows in the file's order, those with problems as well.
        columns: The names of all columns; known ones in snake_case, others as written.
        problems: Everything that must be mended, in the order of the rows.
        remarks: What was assumed on reading.
    """

    path: Path
    cases: tuple[Case, ...]
    columns: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def ready(self) -> tuple[Case, ...]:
        """The cases without a problem."""
        return tuple(case for case in self.cases if not case.problems)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """The columns that mean nothing here, in their order."""
        return tuple(name for name in self.columns if name not in KNOWN_COLUMNS)

    @property
    def table_problems(self) -> tuple[Problem, ...]:
        """What is wrong with the table itself; until that is mended, no case can be worked on."""
        return tuple(problem for problem in self.problems if not problem.case_id)

    def require_sound(self) -> None:
        """Checks that nothing must be mended.

        Raises:
            UsageError: Something must; the message has the first problems and the number of the others.
        """
        if not self.problems:
            return
        shown = "; ".join(str(problem) for problem in self.problems[:_MOST_IN_A_LINE])
        more = len(self.problems) - _MOST_IN_A_LINE
        raise UsageError(f"{self.path}: {shown}{f'; and {more} more problems' if more > 0 else ''}")
