"""A model that nnU-Net trained as a segmentation method."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import HTSegError, InputError, MissingPackageError
from HTSegmentationLib.inference.device import choose_device
from HTSegmentationLib.inference.nnunet.details import NnUNetDetails
from HTSegmentationLib.inference.nnunet.predictor import make_predictor, quiet
from HTSegmentationLib.inference.nnunet.reader import as_read, on_scan
from HTSegmentationLib.inference.nnunet.resampling import mask_and_probability
from HTSegmentationLib.inference.nnunet.trained import TrainedModel, read_trained
from HTSegmentationLib.inference.whole_scan import cut_to_roi, found_remarks
from HTSegmentationLib.progress import Progress, StageClock, part_of, silent
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.prepare import prepare

if TYPE_CHECKING:
    from HTSegmentationLib.inference.device import Device
    from HTSegmentationLib.inference.models.folder import Model

_LOADED, _PREPROCESSED, _PREDICTED = 0.05, 0.1, 0.9
"""Shares of the work that are done after each step; the network's is by far the longest."""


@dataclass(frozen=True)
class _Loaded:
    """A model in memory, ready to run."""

    trained: TrainedModel
    predictor: Any
    device: Device


class NnUNetSegmenter(Segmenter):
    """Segments with a model that nnU-Net (version 2) trained.

    Preprocessing, tiles, mirroring and resampling are nnU-Net's own, so that the mask is that of ``nnUNetv2_predict`` on
    the same grid. Neither ``nnUNet_raw`` nor the other folders of nnU-Net's have to be named. The model stays loaded.

    Args:
        model: A model folder of the kind ``"nnunet"``.
        device: Where it runs, see :func:`HTSegmentationLib.inference.device.choose_device`.
        mirroring: Whether mirrored tiles are averaged in, which takes up to eight times as long; None does as the model
            folder says.

    Example:
        >>> segmenter = NnUNetSegmenter(read_model("models/ich-phe-ivh"), device="cpu")   # doctest: +SKIP
        >>> segmenter.run(read_ct("head.nii.gz")).volume_ml()                             # doctest: +SKIP

    Source: Isensee et al., nnU-Net, Nature Methods 18 (2021); for hemorrhage and edema, the paper on ICH, PHE and IVH.
    """

    def __init__(self, model: Model, *, device: str = "auto", mirroring: bool | None = None) -> None:
        description = model.description
        self.model = model
        self.name = description.name  # type: ignore[misc]
        self.title = description.title  # type: ignore[misc]
        self.labels = description.labels
        self.mirroring = description.inference.mirroring if mirroring is None else mirroring
        self._device_name = device
        self._in_memory: _Loaded | None = None

    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Finds the brain; nnU-Net itself looks at the whole scan."""
        return prepare(scan, progress)

    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments the scan; with an ROI, what lies outside it is left out.

        Raises:
            InputError: The model folder is damaged, or asks for more than a trained model needs.
            MissingPackageError: nnU-Net or PyTorch is not installed.
            UsageError: The device is not there.
            ROIError: The ROI is on another grid.
        """
        image = prepared.scan.image
        if roi is not None:
            roi.require_grid(image)
        clock = StageClock(progress)
        with clock.stage("model", 0.0):
            loaded = self._loaded()
        predictor, reader = loaded.predictor, loaded.trained.reader
        with clock.stage("preprocessing", _LOADED), quiet():
            data, properties = _preprocessed(predictor, image, reader)
        with clock.stage("network", _PREPROCESSED), quiet():
            predictor.progress = part_of(progress, _PREPROCESSED, _PREDICTED)
            logits = predictor.predict_logits_from_preprocessed_data(data).cpu()
        with clock.stage("resampling", _PREDICTED), quiet():
            found, likely = mask_and_probability(predictor, logits, properties, self.labels[0].value)
            mask, probability = (cut_to_roi(on_scan(part, image, reader), roi) for part in (found, likely))
        progress("done", 1.0)
        remarks = found_remarks(mask, roi, self.model.description.warning)
        details = self._details(loaded, predictor.tiles, clock.seconds["network"])
        return SegmentationResult(
            method=self.name,
            mask=mask,
            labels=self.labels,
            parameters=self._parameters(loaded),
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=(*prepared.remarks, *loaded.device.remarks, *remarks),
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            details=details,
            probability=probability,
        )

    def _loaded(self) -> _Loaded:
        if self._in_memory is None:
            device = choose_device(self._device_name)
            _require_nnunet()
            trained = read_trained(self.model)
            try:
                predictor = make_predictor(trained, device, mirroring=self.mirroring)
            except (RuntimeError, KeyError, TypeError) as error:
                reason = " ".join(str(error).split())[:_LONGEST_REASON]
                problem = f"its weights and plans do not belong together ({reason})"
                raise InputError(trained.folder, problem, "install the model again") from error
            self._in_memory = _Loaded(trained, predictor, device)
        return self._in_memory

    def _mirroring_axes(self, loaded: _Loaded) -> tuple[int, ...]:
        return loaded.trained.mirroring_axes or () if self.mirroring else ()

    def _parameters(self, loaded: _Loaded) -> dict[str, Any]:
        described = self.model.description.nnunet
        return {
            "folds": list(described.folds),
            "checkpoint": described.checkpoint,
            "configuration": loaded.trained.configuration,
            "mirroring_axes": list(self._mirroring_axes(loaded)),
            "tile_step_size": loaded.predictor.tile_step_size,
            "device": loaded.device.name,
        }

    def _details(self, loaded: _Loaded, tiles: int, seconds: float) -> NnUNetDetails:
        return NnUNetDetails(
            model=self.title,
            version=self.model.description.version,
            configuration=loaded.trained.configuration,
            trainer=loaded.trained.trainer,
            folds=len(loaded.trained.weights),
            tiles=tiles,
            mirroring_axes=self._mirroring_axes(loaded),
            device=loaded.device.title,
            seconds=seconds,
            warning=self.model.description.warning,
        )


_LONGEST_REASON = 300
"""Letters of a library's own words that fit into a sentence."""


def _preprocessed(predictor: Any, image: sitk.Image, reader: str) -> tuple[Any, dict[str, Any]]:
    """The scan as the network wants it, and what is needed for the way back; as nnU-Net does with a file."""
    import torch

    channels, properties = as_read(image, reader)
    configuration = predictor.configuration_manager
    preprocessor = configuration.preprocessor_class(verbose=False)
    data, _, properties = preprocessor.run_case_npy(
        channels, None, properties, predictor.plans_manager, configuration, predictor.dataset_json
    )
    return torch.from_numpy(data).to(dtype=torch.float32, memory_format=torch.contiguous_format), properties


def _require_nnunet() -> None:
    try:
        with quiet():
            importlib.import_module("nnunetv2")
            importlib.import_module("nnunetv2.inference.predict_from_raw_data")
    except ImportError as error:
        if error.name == "nnunetv2":
            raise MissingPackageError("nnunetv2", "to run a model of nnU-Net", "dl") from error
        raise HTSegError(f"nnunetv2 is installed by half ({error}); pip install --force-reinstall nnunetv2") from error
