"""Any method as a segmenter whose work is done by a worker process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.inference.worker.client import WorkerClient
from HTSegmentationLib.inference.worker.exchange import EXCHANGE_FORMAT, read_exchange, write_exchange
from HTSegmentationLib.inference.worker.protocol import Request
from HTSegmentationLib.progress import Progress, StageClock, part_of, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE, Label, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.prepare import prepare

_HANDED_OVER = 0.02
"""Share of the work that writing the files for the worker takes."""


@dataclass(frozen=True)
class RemoteDetails:
    """What a method in the worker had to tell of a run.

    Args:
        values: Plain values.
        sentences: What a clinician reads.
    """

    values: Mapping[str, Any]
    sentences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(self.values)

    def explain(self) -> list[str]:
        """A few sentences that a clinician reads."""
        return list(self.sentences)


class RemoteSegmenter(Segmenter):
    """A method that runs in a worker, so that neither its memory nor a crash are this process's.

    The brain is found here, without any deep-learning package; scan, masks and ROI go to the worker as files in a folder
    that nobody else can read and that is removed with the case.

    Args:
        worker: The worker; it may serve several segmenters, and keeps the last one's model loaded.
        name: The method's name.
        title: The name that users read.
        labels: The classes of its masks, as far as they are known beforehand.
        model: The model's folder; None lets the worker find the method by its name.
        device: Where a network runs.
        parameters: Parameter file of a threshold method.

    Example:
        >>> with WorkerClient() as worker:                                                           # doctest: +SKIP
        ...     result = RemoteSegmenter(worker, "blast-ct", title="BLAST-CT").run(scan)
    """

    def __init__(
        self,
        worker: WorkerClient,
        name: str,
        *,
        title: str = "",
        labels: Sequence[Label] = (HEMORRHAGE,),
        model: str | Path | None = None,
        device: str = "auto",
        parameters: str | Path | None = None,
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.title = title or name  # type: ignore[misc]
        self.labels = tuple(labels)
        self._worker = worker
        self._options = {
            "model": None if model is None else str(model),
            "device": device,
            "parameters": None if parameters is None else str(parameters),
        }

    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Finds the brain, in this process.

        Raises:
            SegmentationError: No soft tissue is enclosed by bone.
        """
        return prepare(scan, progress)

    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Has the worker segment the scan.

        Raises:
            Cancelled: The progress said so; the worker and all that it started are gone.
            ROIError: The ROI is on another grid, or is missing where the method needs one.
            OutputError: The temporary folder cannot hold the files for the worker.
            WorkerError: The worker crashed, was killed, or took too long.
        """
        image = prepared.scan.image
        clock = StageClock(progress)
        with self._worker.case_folder() as folder:
            with clock.stage("handing over", 0.0):
                request = self._write(folder, prepared, roi)
            record = self._worker.segment(request, part_of(progress, _HANDED_OVER, 1.0))
            mask = _read(request.output, image, sitk.sitkUInt8)
            probability = None
            if record["probability"] is not None:
                probability = _read(record["probability"], image, sitk.sitkFloat32)
        return SegmentationResult(
            method=record["method"],
            mask=mask,
            labels=tuple(Label(**label | {"color": tuple(label["color"])}) for label in record["labels"]),
            parameters=record["parameters"],
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=(*prepared.remarks, *(roi.remarks if roi is not None else ()), *_remarks(record)),
            stage_seconds={**prepared.stage_seconds, **clock.seconds, **record["stage_seconds"]},
            details=RemoteDetails(record["details"], tuple(record["explained"])),
            probability=probability,
        )

    def _write(self, folder: Path, prepared: PreparedScan, roi: Roi | None) -> Request:
        image = prepared.scan.image
        files = {"ct": image, "brain": prepared.brain_mask, "tissue": prepared.tissue_mask}
        if roi is not None:
            files["roi"] = roi.on_grid(image)
        names = {name: str(folder / f"{name}{EXCHANGE_FORMAT}") for name in (*files, "output", "probability")}
        for name, content in files.items():
            write_exchange(names[name], content)
        return Request(self.name, **names, **self._options)


def _remarks(record: Mapping[str, Any]) -> list[Remark]:
    return [Remark(told["code"], told["text"], Severity(told["severity"])) for told in record["remarks"]]


def _read(path: str, grid: sitk.Image, pixel_type: int) -> sitk.Image:
    image = sitk.Cast(read_exchange(path), pixel_type)
    if image.GetSize() != grid.GetSize():
        sizes = f"the worker's mask has {image.GetSize()} voxels, the scan {grid.GetSize()}"
        raise SegmentationError(f"{sizes}; please report it")
    image.CopyInformation(grid)
    return image
