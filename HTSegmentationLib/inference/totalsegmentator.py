"""TotalSegmentator's task for intracerebral hemorrhage, where that package and its weights are installed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image, index_to_point_matrix
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import HTSegError, InputError, MissingPackageError, SegmentationError
from HTSegmentationLib.inference.device import choose_device
from HTSegmentationLib.inference.whole_scan import cut_to_roi, found_remarks
from HTSegmentationLib.progress import Progress, StageClock, silent
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.prepare import prepare

_TASK = "cerebral_bleed"
"""The task's name."""

_TASKS_OF_WEIGHTS = {298: "total"}
"""Weights that other tasks bring: TotalSegmentator first looks for the brain with those of its main task."""

_THEIR_SETTINGS = {
    "totalseg_id": "",
    "send_usage_stats": False,
    "prediction_counter": 0,
    "statistics_disclaimer_shown": True,
}
"""TotalSegmentator's own settings file as this method leaves it to it."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI counts x toward the right and y toward the front."""

_SHIFT_MM = 0.01
"""A result whose grid lies farther off than this is not on the scan's grid."""


@dataclass(frozen=True)
class TotalSegmentatorDetails:
    """How TotalSegmentator was run.

    Args:
        version: The package's version.
        device: Where it ran, as users read it.
        seconds: Wall time in s.
    """

    version: str
    device: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"task": _TASK, **vars(self)}

    def explain(self) -> list[str]:
        """A few sentences that a clinician reads."""
        return [
            f"TotalSegmentator {self.version}, task {_TASK}, {self.seconds:.0f} s on {self.device}.",
            "It was made for hemorrhage in the brain at large, not for hemorrhagic transformation; please cite its paper.",
        ]


class TotalSegmentatorSegmenter(Segmenter):
    """Segments with TotalSegmentator, which runs with its usage statistics off and without downloading anything.

    It works as a whole: it can be stopped only before and after, or with the worker process that it runs in.

    Args:
        device: Where it runs, see :func:`HTSegmentationLib.inference.device.choose_device`.

    Example:
        >>> TotalSegmentatorSegmenter(device="cpu").run(read_ct("head.nii.gz")).volume_ml()   # doctest: +SKIP

    Source: Wasserthal et al., TotalSegmentator, Radiology: Artificial Intelligence 5 (2023).
    """

    name = "totalsegmentator"
    title = "TotalSegmentator, intracerebral hemorrhage"
    labels = (HEMORRHAGE,)

    def __init__(self, *, device: str = "auto") -> None:
        self._device_name = device

    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Finds the brain; TotalSegmentator looks at the whole scan and finds it for itself."""
        return prepare(scan, progress)

    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments the scan; with an ROI, what lies outside it is left out.

        Raises:
            MissingPackageError: TotalSegmentator or PyTorch is not installed.
            InputError: Its weights are not on this machine; the message names the command that gets them.
            SegmentationError: TotalSegmentator failed, or gave a mask on another grid.
            ROIError: The ROI is on another grid.
        """
        image = prepared.scan.image
        if roi is not None:
            roi.require_grid(image)
        clock = StageClock(progress)
        with clock.stage("starting TotalSegmentator", 0.0):
            device = choose_device(self._device_name)
            api = _api()
        with clock.stage("TotalSegmentator", 0.05):
            mask = _run(api, image, _their_device(device.name))
        mask = cut_to_roi(mask, roi)
        progress("done", 1.0)
        return SegmentationResult(
            method=self.name,
            mask=mask,
            labels=self.labels,
            parameters={"task": _TASK, "device": device.name},
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=(*prepared.remarks, *device.remarks, *found_remarks(mask, roi)),
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            details=TotalSegmentatorDetails(_version(), device.title, clock.seconds["TotalSegmentator"]),
        )


def _api() -> Any:
    """The module ``totalsegmentator.python_api``."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module("totalsegmentator")
            return importlib.import_module("totalsegmentator.python_api")
    except ImportError as error:
        if error.name == "totalsegmentator":
            raise MissingPackageError("TotalSegmentator", "for this method", "totalsegmentator") from error
        command = "pip install --force-reinstall TotalSegmentator"
        raise HTSegError(f"TotalSegmentator is installed by half ({error}); {command}") from error


def _run(api: Any, image: sitk.Image, device: str) -> sitk.Image:
    import nibabel

    affine = _LPS_TO_RAS @ index_to_point_matrix(image)
    scan = nibabel.Nifti1Image(sitk.GetArrayFromImage(image).T, affine)
    try:
        with _offline(api), contextlib.redirect_stdout(io.StringIO()):
            found = api.totalsegmentator(scan, None, ml=True, task=_TASK, device=device, quiet=True, skip_saving=True)
    except (HTSegError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SegmentationError(
            f"TotalSegmentator failed ({reason}); run its own command on the scan to see more"
        ) from error
    array = np.asanyarray(found.dataobj)
    if array.shape != scan.shape or np.abs(found.affine - affine).max() > _SHIFT_MM:
        raise SegmentationError("TotalSegmentator gave a mask on another grid than the scan's; please report it")
    return array_to_image(np.ascontiguousarray(array.T) == 1, image)


@contextlib.contextmanager
def _offline(api: Any) -> Iterator[None]:
    """No usage statistics, no download, and the user's settings and environment as they were.

    TotalSegmentator keeps its settings, among them whether it sends statistics, in a home folder; it is given one of its
    own, and shown where the user's weights are.
    """
    weights = importlib.import_module("totalsegmentator.config").get_weights_dir()
    before, download = dict(os.environ), api.download_pretrained_weights
    with tempfile.TemporaryDirectory(prefix="htseg-totalsegmentator-") as home:
        (Path(home) / "config.json").write_text(json.dumps(_THEIR_SETTINGS), encoding="utf-8")
        os.environ |= {"TOTALSEG_HOME_DIR": home, "TOTALSEG_WEIGHTS_PATH": str(weights)}
        api.download_pretrained_weights = _only_installed(Path(weights))
        try:
            yield
        finally:
            api.download_pretrained_weights = download
            for name in set(os.environ) - set(before):
                del os.environ[name]
            os.environ |= {name: value for name, value in before.items() if os.environ.get(name) != value}


def _only_installed(weights: Path) -> Callable[[int], None]:
    """What is called in the place of TotalSegmentator's download."""

    def require(task_id: int) -> None:
        if not any(weights.glob(f"Dataset{task_id:03d}_*")):
            task = _TASKS_OF_WEIGHTS.get(task_id, _TASK)
            problem = f"TotalSegmentator's weights {task_id} are not here"
            raise InputError(weights, problem, f"get them once with: totalseg_download_weights -t {task}")

    return require


def _their_device(name: str) -> str:
    return name.replace("cuda", "gpu")


def _version() -> str:
    try:
        return importlib.metadata.version("TotalSegmentator")
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"
