"""A network from a model folder as a segmentation method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import ROIError
from HTSegmentationLib.inference.answer import Answer, answer_on_scan
from HTSegmentationLib.inference.details import NetworkDetails
from HTSegmentationLib.inference.device import Device, choose_device
from HTSegmentationLib.inference.loading import load_networks
from HTSegmentationLib.inference.one_pass import PassResult, run_pass, window_of
from HTSegmentationLib.inference.predictor import Predictor
from HTSegmentationLib.inference.preprocess import SYMMETRIC
from HTSegmentationLib.inference.second_stage import refine, stages_of
from HTSegmentationLib.inference.symmetric import mirror_transform
from HTSegmentationLib.progress import Progress, StageClock, part_of, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.prepare import prepare

if TYPE_CHECKING:
    from torch import nn

    from HTSegmentationLib.inference.models.folder import Model

_LOADED, _MIRRORED, _RUN = 0.05, 0.12, 0.95
"""Fractions of the whole call at which the model is loaded, the symmetric modality made, and the network done."""

_FIRST_STAGE = 0.9
"""Fraction of a cascade's time that its first stage, which sees the whole brain, takes."""


@dataclass(frozen=True)
class _Loaded:
    """What is kept from one scan to the next."""

    device: Device
    networks: list[nn.Module]


class NetworkSegmenter(Segmenter):
    """Segments with one network or with several whose probabilities are averaged.

    The whole brain is looked at; an ROI, if one is given, restricts the answer and spares the windows that lie elsewhere.
    Nothing is ever found outside the skull. The networks are loaded at the first scan and kept for the next ones.

    Args:
        model: What :func:`HTSegmentationLib.inference.models.folder.read_model` gave.
        device: Where it runs, see :func:`HTSegmentationLib.inference.device.choose_device`.
        batch_size: Windows that run at once; None chooses from the free memory.
        mirroring: Whether mirrored windows are averaged in; None does as the model says.
        half: Whether to compute in half precision; None does on CUDA cards alone.

    Example:
        >>> segmenter = NetworkSegmenter(read_model("models/se-unet"), device="cpu")   # doctest: +SKIP
        >>> segmenter.run(read_ct("head.nii.gz")).details.explain()                    # doctest: +SKIP
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "auto",
        batch_size: int | None = None,
        mirroring: bool | None = None,
        half: bool | None = None,
    ) -> None:
        self.model = model
        self.name = model.description.name
        self.title = model.description.title
        self._device = device
        self._batch_size = batch_size
        self._mirroring = model.description.inference.mirroring if mirroring is None else mirroring
        self._half = half
        self._loaded: _Loaded | None = None

    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Finds the brain, as for the threshold methods."""
        return prepare(scan, progress)

    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments the brain, or the part of it in the ROI.

        Raises:
            ROIError: The model needs an ROI and there is none; it is on another grid or holds no voxel inside the skull.
            InputError: The model folder is damaged.
            UsageError: The device that was asked for cannot be used.
            SegmentationError: The memory does not suffice, or the weights give no numbers.
            MissingPackageError: A deep-learning library is not installed.
        """
        description = self.model.description
        allowed = _allowed(prepared, roi, needs_roi=description.inference.needs_roi)
        clock = StageClock(progress)
        with clock.stage("loading the model", 0.0):
            loaded = self._load(part_of(progress, 0.0, _LOADED))
        mirror = None
        if SYMMETRIC in description.input.channels:
            with clock.stage("symmetric modality", _LOADED):
                mirror = mirror_transform(prepared, part_of(progress, _LOADED, _MIRRORED))
        with clock.stage("network", _MIRRORED):
            found, predictors = self._find(loaded, prepared, allowed, mirror, part_of(progress, _MIRRORED, _RUN))
        with clock.stage("answer", _RUN):
            answer = answer_on_scan(
                found.probabilities,
                found.grid,
                allowed,
                description.labels,
                activation=description.inference.activation,
                threshold=description.inference.probability_threshold,
            )
        progress("done", 1.0)
        said = dict.fromkeys(remark for predictor in predictors for remark in predictor.remarks)
        told = (*loaded.device.remarks, *said, *found.remarks, *self._remarks(roi, answer))
        return SegmentationResult(
            method=self.name,
            mask=answer.mask,
            labels=description.labels,
            parameters=self._parameters(),
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=(*prepared.remarks, *(() if roi is None else roi.remarks), *told),
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            details=self._details(loaded, predictors[0], found, clock.seconds["network"]),
            probability=answer.probability,
        )

    def _find(
        self,
        loaded: _Loaded,
        prepared: PreparedScan,
        allowed: sitk.Image,
        mirror: sitk.Transform | None,
        progress: Progress,
    ) -> tuple[PassResult, list[Predictor]]:
        """Runs the network, and the second stage if there is one."""
        first, second = stages_of(self.model, loaded.networks)
        predictor = self._predictor(loaded, first)
        rest = part_of(progress, 0.0, _FIRST_STAGE) if second else progress
        how = {"batch_size": self._batch_size, "mirror": mirror, "progress": rest}
        found = run_pass(prepared, self.model, predictor, allowed, **how)
        if not second:
            return found, [predictor]
        progress("second stage", _FIRST_STAGE)
        finer = self._predictor(loaded, second)
        cascade = self.model.description.inference.cascade
        return refine(found, cascade, finer, window_of(self.model, second[0])), [predictor, finer]

    def _load(self, progress: Progress) -> _Loaded:
        if self._loaded is None:
            device = choose_device(self._device)
            self._loaded = _Loaded(device, load_networks(self.model, device, progress))
        return self._loaded

    def _predictor(self, loaded: _Loaded, networks: Sequence[nn.Module]) -> Predictor:
        description = self.model.description
        return Predictor(
            networks,
            loaded.device,
            activation=description.inference.activation,
            mirroring=self._mirroring,
            half=loaded.device.is_cuda if self._half is None else self._half,
            standardize=description.input.normalization.over == "patch",
        )

    def _parameters(self) -> dict[str, Any]:
        """What the result depends on, as plain values."""
        description = self.model.description
        return {
            "model": description.name,
            "version": description.version,
            "weights_sha256": [entry.sha256 for entry in description.weights],
            "input": description.input.as_dict(),
            "inference": description.inference.as_dict() | {"mirroring": self._mirroring},
        }

    def _details(self, loaded: _Loaded, predictor: Predictor, found: PassResult, seconds: float) -> NetworkDetails:
        description, tiled = self.model.description, hasattr(loaded.networks[0], "output_size")
        return NetworkDetails(
            model=description.name,
            version=description.version,
            warning=description.warning,
            networks=len(loaded.networks),
            device=loaded.device.name,
            device_title=loaded.device.title,
            half=predictor.half,
            spacing_mm=found.grid.spacing,
            windows=found.windows,
            window=found.window,
            batch_size=found.batch_size,
            overlap=0.0 if tiled else description.inference.overlap,
            blending="none" if tiled else description.inference.blending,
            mirroring=self._mirroring,
            seconds=seconds,
        )

    def _remarks(self, roi: Roi | None, answer: Answer) -> list[Remark]:
        remarks = []
        if self.model.description.warning:
            remarks.append(Remark("model-warning", self.model.description.warning, Severity.WARNING))
        if roi is not None:
            text = "Only the ROI was searched: what the network might find elsewhere in the brain is not in the mask."
            remarks.append(Remark("roi-restricts", text))
        if not sitk.GetArrayViewFromImage(answer.mask).any():
            place = "the ROI" if roi is not None else "the brain"
            text = f"The network found nothing in {place}: the volume is 0 mL."
            remarks.append(Remark("mask-empty", text))
        return remarks


def _allowed(prepared: PreparedScan, roi: Roi | None, *, needs_roi: bool) -> sitk.Image:
    """Where a label may lie: in the brain, and in the ROI if there is one."""
    if roi is None:
        if needs_roi:
            raise ROIError("this model needs a region of interest around the bleed; draw one")
        return prepared.brain_mask
    allowed = roi.on_grid(prepared.scan.image) & prepared.brain_mask
    if not np.any(sitk.GetArrayViewFromImage(allowed)):
        raise ROIError("the ROI holds no voxel inside the skull; draw it around the bleed in the brain")
    return allowed
