"""The words that go with a trained model: title, warning, intended use, citation, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.cohort.cells import one_line

TITLES = {
    "se-unet": "3D SE U-Net",
    "cascaded-unet": "Cascaded residual U-Net",
    "cnn-ds": "CNN with deep supervision",
    "basic-unet": "BasicUNet",
    "deeplab": "3D DeepLabv3+",
    "deepmedic": "DeepMedic",
    "patch-unet": "Patch-wise U-Net",
    "slice-unet": "Slice-wise U-Net",
}
"""The architectures as users read them."""

_PAPERS = {
    "se-unet": "Abramova et al. Hemorrhagic stroke lesion segmentation using a 3D U-Net with squeeze-and-excitation blocks. "
    "Comput Med Imaging Graph 2021.",
    "cascaded-unet": "Xu et al. An automatic cascaded model for hemorrhagic stroke segmentation and hemorrhagic volume "
    "estimation. 2023.",
    "cnn-ds": "Arab et al. A fast and fully-automated deep-learning approach for accurate hemorrhage segmentation and "
    "volume quantification in non-contrast whole-head CT. Sci Rep 2020.",
    "deeplab": "Chen et al. Encoder-decoder with atrous separable convolution for semantic image segmentation. ECCV 2018.",
    "basic-unet": "MONAI, BasicUNet; Falk et al. U-Net: deep learning for cell counting, detection, and morphometry. Nat "
    "Methods 2019.",
}
"""Whose architecture and recipe it is."""

INTENDED_USE = "Research on bleeding in non-contrast head CT. Not for decisions about patients."
"""What is said where the user says nothing else."""


@dataclass(frozen=True)
class ModelWords:
    """What the user says of the models; None for the usual words.

    Args:
        title: What users read as the method.
        licence: Under which terms the weights are given on.
        citation: What is to be cited.
        intended_use: What it is for.
        warning: What every result is shown with.
        simulated: Whether the cases were simulated, so that no network of this training saw a patient.
    """

    title: str | None = None
    licence: str = ""
    citation: str | None = None
    intended_use: str | None = None
    warning: str | None = None
    simulated: bool = False


def texts_of(words: ModelWords, architecture: str, cases: int) -> dict[str, str]:
    """The texts of a ``model.json``.

    Args:
        words: What the user said.
        architecture: The network.
        cases: On how many cases it was trained.

    Example:
        >>> texts_of(ModelWords(simulated=True), "se-unet", 40)["title"]
        '3D SE U-Net trained on 40 simulated heads'
    """
    trained = f"{cases} simulated heads" if words.simulated else f"{cases} cases"
    if words.simulated:
        warning = f"This network was trained on {trained} and never saw a patient: it shows how a network is used, no more."
    else:
        warning = f"This network was trained on {trained} of those who made it; how it does on other scans is not known."
    warning += " It is not a medical device: look at every mask."
    usual = {
        "title": f"{TITLES[architecture]} trained on {trained}",
        "citation": _PAPERS.get(architecture, ""),
        "intended_use": INTENDED_USE,
        "warning": warning,
    }
    said = {key: getattr(words, key) for key in usual}
    return {"licence": words.licence, **{key: text if said[key] is None else said[key] for key, text in usual.items()}}


def model_card(
    name: str, texts: Mapping[str, str], training: Mapping[str, Any], metrics: Mapping[str, Any], changed: Sequence[str]
) -> str:
    """A model's card in Markdown: what it is, how it was trained, what it reaches, what it must not be used for.

    Args:
        name: The model's name.
        texts: What :func:`texts_of` gave.
        training: The key ``training`` of its ``model.json``.
        metrics: The key ``metrics``.
        changed: What differs from the published recipe, one sentence each.
    """
    lines = [f"# {one_line(texts['title'])}", "", f"**{one_line(texts['warning'])}**", ""]
    lines += [one_line(texts["intended_use"]), "", f"    htseg segment CT --method {name} --output mask.nii.gz", ""]
    lines += ["## Results", "", *_results(metrics), "", "## Training", "", "| | |", "|---|---|"]
    lines += [f"| {_cell(key.replace('_', ' '))} | {_cell(value)} |" for key, value in training.items() if key != "settings"]
    lines += [
        "",
        "Everything else stands in `model.json` under `training.settings`.",
        "",
        "## Against the published recipe",
        "",
    ]
    lines += [f"- {_plain(sentence)}" for sentence in changed] or [
        "As published, with the deviations that htseg train --show names."
    ]
    lines += ["", "## Licence and citation", "", _plain(texts["licence"]) or "No licence was named."]
    lines += [_plain(texts["citation"])] if texts["citation"] else []
    return "\n".join(lines).rstrip() + "\n"


def _results(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics:
        return ["No case was held out, or none of them was segmented: what it reaches is not known."]
    lines = [_plain(str(metrics["measured_on"])), "", "| group | cases | Dice, mean (SD) | median | volume error, mean mL |"]
    lines.append("|---|---|---|---|---|")
    groups = {"all": metrics, **metrics.get("by_type", {})}
    for group, values in groups.items():
        spread = "" if values["dice_sd"] is None else f" ({values['dice_sd']:.2f})"
        numbers = f"{values['dice_mean']:.2f}{spread} | {values['dice_median']:.2f} | {values['volume_error_ml_mean']:.2f}"
        lines.append(f"| {_cell(group)} | {values['cases']} | {numbers} |")
    return lines


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{key} {part}" for key, part in value.items()]
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(_cell(part) for part in value)
    return _plain(str(value)).replace("|", "/")


def _plain(text: str) -> str:
    """A text of the user's on one line, without what Markdown or a browser would take for more."""
    return one_line(text).replace("<", "&lt;").replace("`", "'")
