"""The networks of BLAST-CT, taken from the folder that its authors publish into a model folder of ours."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.files import write_json
from HTSegmentationLib.inference.models.description import Architecture, ModelDescription, WeightsFile
from HTSegmentationLib.inference.models.findings import label_of
from HTSegmentationLib.inference.models.folder import MODEL_FILE, read_json
from HTSegmentationLib.inference.models.inference_description import InferenceDescription
from HTSegmentationLib.inference.models.input_description import InputDescription, Normalization
from HTSegmentationLib.inference.models.pickles import load_pickle
from HTSegmentationLib.inference.models.weights import require_tensors, save_tensors, sha256_of, trained_numbers
from HTSegmentationLib.progress import Progress, silent

ALL_MODELS = (1, 2, 3)
"""The networks of version 1, which are averaged."""

_CLASSES = {"iph": "IPH", "eah": "EAH", "oedema": "oedema", "ivh": "IVH"}
"""The classes of version 1 in their order, after the background."""

_SCALED_TO = (-1.0, 1.0)
"""What the ends of BLAST-CT's HU window become."""

_SPACING_MM = 1.0
"""BLAST-CT resamples every scan to this."""

_CITATION = (
    "Monteiro M, Newcombe VFJ, Mathieu F, et al. Multiclass semantic segmentation and quantification of traumatic brain "
    "injury lesions on head CT using deep learning: an algorithm development and multicentre validation study. "
    "Lancet Digital Health 2020; 2: e314-e322."
)

_WARNING = (
    "BLAST-CT was trained on traumatic brain injury and not on hemorrhagic transformation; an infarct's edema is found "
    "as perilesional edema."
)


def write_blast_ct(
    source: str | Path, target: Path, models: Sequence[int] = ALL_MODELS, progress: Progress = silent
) -> None:
    """Makes a model folder of BLAST-CT's ``config.json`` and ``model_N.pt``.

    Args:
        source: The folder with these files.
        target: An empty folder, which becomes the model folder.
        models: Which of the networks to take; several are averaged.
        progress: Told of each network.

    Raises:
        InputError: A file is missing, is not BLAST-CT's, or holds more than tensors.
        UsageError: ``models`` is empty or names one twice, or one that there is not.
    """
    folder = Path(source)
    if not models or len(set(models)) != len(models) or not set(models) <= set(ALL_MODELS):
        raise UsageError(f"models of BLAST-CT are {', '.join(map(str, ALL_MODELS))}, each at most once and at least one")
    architecture, window = _from_config(folder / "config.json")
    weights = []
    for number, model in enumerate(models):
        progress("reading weights", number / len(models))
        file = folder / f"model_{model}.pt"
        tensors = require_tensors(load_pickle(file), file)
        name = f"weights-{model}.safetensors"
        save_tensors(target / name, tensors)
        weights.append(WeightsFile(name, sha256_of(target / name), trained_numbers(tensors)))
    description = ModelDescription(
        name="blast-ct",
        title="BLAST-CT",
        version="1",
        architecture=architecture,
        labels=tuple(label_of(number, name) for number, name in enumerate(_CLASSES.values(), start=1)),
        input=InputDescription(
            channels=("ct",),
            orientation="LPS",
            spacing_mm=(_SPACING_MM,) * 3,
            size=None,
            window_hu=window,
            normalization=Normalization("scale", *_SCALED_TO),
        ),
        inference=InferenceDescription(overlap=0.0, blending="uniform"),
        weights=tuple(weights),
        training={"data": "Head CT after traumatic brain injury; see the citation.", "source": "BLAST-CT version 1"},
        licence="Apache-2.0",
        citation=_CITATION,
        intended_use="Research: lesions of traumatic brain injury on non-contrast head CT.",
        warning=_WARNING,
    )
    write_json(target / MODEL_FILE, description.as_dict())
    for name in ("LICENSE", "NOTICE"):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)


def _from_config(file: Path) -> tuple[Architecture, tuple[float, float]]:
    """The network and its HU window, from BLAST-CT's own configuration."""
    config = read_json(file)
    try:
        layers = config["model"]["DeepMedic"]
        data = config["data"]
        window = data["transformation"]["IntensityWindowNormalization"]
        classes = [name.lower() for name in data["class_names"][1:]]
        bounds = (float(window["lower_bound"]), float(window["upper_bound"]))
        if classes != list(_CLASSES) or data["num_classes"] != len(_CLASSES) + 1 or data["input_channels"] != 1:
            raise InputError(file, f"its classes are {', '.join(classes)}", f"give version 1, with {', '.join(_CLASSES)}")
        return Architecture("deepmedic", _arguments(layers)), bounds
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(file, "it is not the configuration of BLAST-CT", "give the folder of its version 1") from error


def _arguments(layers: dict[str, Any]) -> dict[str, Any]:
    return {
        "input_channels": 1,
        "classes": len(_CLASSES) + 1,
        "feature_maps": list(layers["feature_maps"]),
        "fully_connected": list(layers["fully_connected"]),
    }
