"""The results of one method on a cohort."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.cells import one_line, unsafe_cell
from HTSegmentationLib.cohort.evaluation.metrics import LABEL_MARK, NUMBER_COLUMNS, of_label
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import InputError

RECORDS_FOLDER, MASKS_FOLDER = "records", "masks"


@dataclass(frozen=True)
class CaseResult:
    """One case of a method: a row of results.csv.

    Args:
        case_id: The case.
        error: Why it failed; empty if it was done.
        texts: The row's cells as they are written, by column; empty ones are left out.
        numbers: Those that an evaluation reads as numbers.
    """

    case_id: str
    error: str
    texts: Mapping[str, str]
    numbers: Mapping[str, float]

    @property
    def failed(self) -> bool:
        """Whether the method has no mask of this case."""
        return bool(self.error)

    def number(self, column: str, label: str = "") -> float | None:
        """A measurement; None where it is not defined.

        Args:
            column: Its column.
            label: The label's name, empty for the first one.
        """
        return self.numbers.get(of_label(column, label))

    def text(self, column: str) -> str:
        """A cell's text on one line, without characters that would steer a terminal."""
        return one_line(self.texts.get(column, ""))


@dataclass(frozen=True)
class CaseFiles:
    """Where the images of a case lie; None or empty for what there is not.

    Args:
        image: The CT, a file or a DICOM folder.
        mask: The method's mask.
        reference: The reference.
        roi: The files of the region of interest.
        series: UID of the CT's DICOM series.
        assume_hu: Whether the CT's values were taken for HU although they did not look like it.
        hu_offset: HU that were added to every voxel of the CT.
    """

    image: Path | None = None
    mask: Path | None = None
    reference: Path | None = None
    roi: tuple[Path, ...] = ()
    series: str | None = None
    assume_hu: bool = False
    hu_offset: float = 0.0

    def read_image(self) -> CTScan:
        """The CT as it was read for the mask.

        Raises:
            InputError: The results do not tell where it lies, or it cannot be read.
        """
        if self.image is None:
            raise InputError(
                "the CT", "the results do not tell where it lies", "give the folder of a batch with its records"
            )
        return read_ct(self.image, series=self.series, assume_hu=self.assume_hu, hu_offset=self.hu_offset)


@dataclass(frozen=True)
class MethodResults:
    """One method on a cohort.

    Args:
        name: As the tables call it.
        cases: Its cases in the order of the table.
        method: The method's name in the registry; empty for masks of unknown origin.
        labels: Names of the masks' further labels, as the columns have them.
        seconds: Time of each case in s, where it is known.
        settings: What batch.json says of the run; empty if there is none.
        folder: The batch's folder, with records and masks; None for a table alone.
        files: The images of cases that come from no batch.
        remarks: What a reader must know of where the results come from.
    """

    name: str
    cases: tuple[CaseResult, ...]
    method: str = ""
    labels: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    files: Mapping[str, CaseFiles] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(case for case in self.cases if case.failed)

    @property
    def without_reference(self) -> tuple[CaseResult, ...]:
        """The cases that were done and have nothing to be compared with."""
        return tuple(case for case in self.cases if not case.failed and case.number("dice") is None)

    def record(self, case_id: str) -> dict[str, Any] | None:
        """The JSON record of a case; None if there is none that can be read."""
        if self.folder is None:
            return None
        path = self.folder / RECORDS_FOLDER / f"{case_id}.json"
        if path.parent != self.folder / RECORDS_FOLDER:
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def files_of(self, case_id: str) -> CaseFiles | None:
        """The images of a case, as the batch's record or the folders have them; None if neither knows it."""
        if case_id in self.files or self.folder is None:
            return self.files.get(case_id)
        record = self.record(case_id)
        if record is None:
            return None
        inputs, scan = _mapping(record.get("inputs")), _mapping(record.get("scan"))
        roi = inputs.get("roi")
        mask = self.folder / MASKS_FOLDER / f"{case_id}.nii.gz"
        series, offset = scan.get("series"), self.settings.get("hu_offset")
        return CaseFiles(
            image=_path(inputs.get("image")),
            mask=mask if mask.is_file() else None,
            reference=_path(inputs.get("reference")),
            roi=tuple(path for path in map(_path, roi if isinstance(roi, list) else []) if path is not None),
            series=series if isinstance(series, str) else None,
            assume_hu=self.settings.get("assume_hu") is True,
            hu_offset=offset if isinstance(offset, (int, float)) else 0.0,
        )


def case_result(row: Mapping[str, Any], *, path: str | Path = "row", line: int = 0) -> CaseResult:
    """One case from the cells of its row.

    Args:
        row: Cells by column; None and empty text are not defined.
        path: The file, for the message.
        line: The row's number in it, for the message.

    Raises:
        InputError: A cell that must hold a number does not.

    Example:
        >>> case_result({"case_id": "ph-01", "status": "done", "dice": "0.7"}).number("dice")
        0.7
    """
    texts = {name: str(value) for name, value in row.items() if value is not None and str(value) != ""}
    numbers = {}
    for name, text in texts.items():
        if name.split(LABEL_MARK)[0] not in NUMBER_COLUMNS:
            continue
        try:
            value = float(text)
        except ValueError:
            problem = f"row {line}, column {name}: {one_line(text)[:40]!r} is no number"
            raise InputError(path, problem, "write the table with a point as decimal mark") from None
        if math.isfinite(value):
            numbers[name] = value
    case_id = unsafe_cell(texts.get("case_id", "")).strip()
    error = one_line(texts.get("error", "")) or "it failed without a reason" if texts.get("status") != "done" else ""
    return CaseResult(case_id, error, {name: unsafe_cell(text) for name, text in texts.items()}, numbers)


def labels_of(cases: Iterable[CaseResult]) -> tuple[str, ...]:
    """Names of the further labels that any case has a Dice or a volume of, in the order of the columns."""
    names = dict.fromkeys(
        name.split(LABEL_MARK, 1)[1]
        for case in cases
        for name in case.numbers
        if LABEL_MARK in name and name.split(LABEL_MARK, 1)[0] in ("dice", "volume_ml")
    )
    return tuple(names)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _path(source: Any) -> Path | None:
    """The path of an input as a record has it."""
    path = _mapping(source).get("path")
    return Path(path) if isinstance(path, str) and path else None
