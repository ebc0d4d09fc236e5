"""One case from files to files, through the logic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import slicer

from HTSegmentationLib import methods
from HTSegmentationLib.export.mask_files import SLICER_FORMAT
from HTSegmentationLib.files import require_writable, write_json
from HTSegmentationModule.batch.inputs import Reader, loadReference, loadRois, loadVolume
from HTSegmentationModule.batch.results import rowOf
from HTSegmentationModule.parameters import storeParameters
from HTSegmentationModule.roi_conversion import hasRoi
from HTSegmentationModule.sureness import volumeText

if TYPE_CHECKING:
    from pathlib import Path

    from HTSegmentationModule.batch.arguments import Batch, Outputs
    from HTSegmentationModule.batch.cases import Case
    from HTSegmentationModule.outcome import Outcome


class Files(Reader, Protocol):
    """Makes nodes of files and files of nodes."""

    def saveSegmentation(self, node: Any, path: Path) -> None:
        """Writes a segmentation in Slicer's own format."""

    def saveScene(self, path: Path) -> None:
        """Writes the scene with all its data."""


class OneCase:
    """Segments a case in an empty scene, and leaves an empty scene.

    Args:
        batch: What was asked for.
        logic: The module's logic.
        files: Reads and writes nodes.

    Raises:
        HTSegError: The parameter file or the method cannot be used.
    """

    def __init__(self, batch: Batch, logic: Any, files: Files) -> None:
        self._batch, self._logic, self._files = batch, logic, files
        chosen = methods.method(batch.method)
        # A network is made by the worker process; here it would only be asked whether it has parameters.
        if chosen.is_network and batch.parameters is None:
            self._parameters = None
        else:
            self._parameters = getattr(chosen.make(batch.parameters), "parameters", None)

    def __call__(self, case: Case, outputs: Outputs) -> dict[str, Any]:
        """Does one case.

        Returns:
            Its row of the table.

        Raises:
            HTSegError: An input cannot be used, or an output cannot be written; every file is whole or not there.
        """
        for path in outputs.all():
            require_writable(path)
        slicer.mrmlScene.Clear(0)
        try:
            return self._segment(case, outputs)
        finally:
            slicer.mrmlScene.Clear(0)

    def _segment(self, case: Case, outputs: Outputs) -> dict[str, Any]:
        node = self._logic.getParameterNode()
        volumeNode = loadVolume(case, self._batch, self._files, self._logic)
        node.inputVolume = volumeNode
        node.method = self._batch.method
        node.device = self._batch.device
        node.assumeHU = self._batch.assumeHU
        if self._parameters is not None:
            storeParameters(node, self._parameters)
        prepared = self._logic.prepare(volumeNode, assumeHU=self._batch.assumeHU)
        remarks = loadRois(case, prepared.scan.image, volumeNode, self._files, node)
        remarks += loadReference(case, volumeNode, node)
        outcome = self._logic.apply(node)
        remarks = tuple(dict.fromkeys((*outcome.remarks, *remarks)))
        self._write(case, outputs, outcome, node)
        row = rowOf(self._logic.tableNode(), 0)
        row |= {f"VolumeMl {other.name}": other.measurement.mask.volume_ml for other in outcome.further}
        return row | {"remarks": " ".join(remark.text for remark in remarks), "summary": _summary(outcome)}

    def _write(self, case: Case, outputs: Outputs, outcome: Outcome, node: Any) -> None:
        from HTSegmentationLib.export.image_files import write_image
        from HTSegmentationLib.export.mask_files import write_mask
        from HTSegmentationLib.export.preview import write_preview
        from HTSegmentationLib.export.record import result_record

        scan = self._logic.prepared(node.inputVolume).scan
        if outputs.mask.name.lower().endswith(SLICER_FORMAT):
            self._files.saveSegmentation(outcome.segmentationNode, outputs.mask)
        else:
            write_mask(outputs.mask, outcome.result.mask, outcome.result.labels)
        if outputs.ct:
            write_image(outputs.ct, scan.image)
        if outputs.json or outputs.preview:
            roi = self._logic.roi(node, node.inputVolume) if hasRoi(node) else None
            if outputs.preview:
                write_preview(outputs.preview, scan.image, outcome.result.mask, roi=roi)
            if outputs.json:
                record = result_record(scan, roi, outcome.result, outcome.measurement.mask)
                write_json(outputs.json, record | {"case": case.name, "mask": str(outputs.mask)})
        if outputs.scene:
            self._files.saveScene(outputs.scene)


def _summary(outcome: Outcome) -> str:
    words = [volumeText(outcome.measurement.mask.volume_ml, outcome.result.uncertainty_ml)]
    if outcome.result.confidence is not None:
        words.append(f"confidence {outcome.result.confidence.value:.2f}")
    if outcome.measurement.overlap is not None:
        words.append(f"Dice {outcome.measurement.overlap.dice:.3f}")
    return ", ".join(words)
