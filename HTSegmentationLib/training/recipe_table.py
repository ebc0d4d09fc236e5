"""The papers' training recipes beside ours, and the reason of every difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from HTSegmentationLib.training.recipes import published_settings
from HTSegmentationLib.training.settings import TrainingSettings

SILENT = "not told"
"""What a paper says of something that it does not say."""


@dataclass(frozen=True)
class PublishedRow:
    """One choice of a recipe.

    Args:
        architecture: The network.
        what: What is chosen.
        paper: What the paper says, with the place.
        ours: What the recipe takes.
        reason: Why it differs, or why this was taken where the paper is silent; empty where it is the same.
    """

    architecture: str
    what: str
    paper: str
    ours: str
    reason: str = ""


def published_table(architecture: str | None = None) -> tuple[PublishedRow, ...]:
    """The rows of one architecture, or of all.

    Example:
        >>> published_table("se-unet")[0].what
        'patch'
    """
    rows = tuple(PublishedRow(*row) for row in _ROWS)
    return rows if architecture is None else tuple(row for row in rows if row.architecture == architecture)


def table_as_markdown(rows: Sequence[PublishedRow]) -> str:
    """The table as the documentation has it, one line a row.

    Example:
        >>> table_as_markdown(published_table("se-unet")).splitlines()[0]
        '| network | choice | paper | here | why |'
    """
    lines = ["| network | choice | paper | here | why |", "|---|---|---|---|---|"]
    cells = ((row.architecture, row.what, row.paper, row.ours, row.reason) for row in rows)
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)]) + "\n"


def _sides(settings: TrainingSettings) -> str:
    return "x".join(map(str, settings.patch or settings.input.size))


_SE, _CASCADE, _DS = (published_settings(name) for name in ("se-unet", "cascaded-unet", "cnn-ds"))
_PATCH, _SLICE, _BASIC, _DEEPLAB = (
    published_settings(name) for name in ("patch-unet", "slice-unet", "basic-unet", "deeplab")
)

_ROWS: tuple[tuple[str, ...], ...] = (
    ("se-unet", "patch", "32x32x16 (2.2.3)", _sides(_SE)),
    ("se-unet", "patches of a case", "3,000 (2.2.3)", f"{_SE.patches_per_case:,}, the same ones each epoch"),
    ("se-unet", "lesion : background", "half each (2.2.1)", "half each", ""),
    ("se-unet", "background", "in the brain, 30% in a cubic ROI around the lesion's borders (3.3)",
     "in the brain, 30% in boxes around the lesion's parts", "the boxes reach 8 mm beyond a part; the size is not told"),
    ("se-unet", "ventricles", "ROI around the hematoma or IVH area (Table 4, last row); the share is not told",
     "30% of the background from voxels of 50 HU and more, no lesion, 0.3 mL and larger", "the border's share is taken"),
    ("se-unet", "patches at the border", SILENT, "moved into the brain's box", "the windows of inference lie so"),
    ("se-unet", "channels", "CT and symmetric modality (3.6)", "ct, symmetric", ""),
    ("se-unet", "values", "skull stripped; scaling not told", "0 to 100 HU become 0 to 1, 0 outside the brain",
     "the absolute density tells blood from clot, tissue and bone"),
    ("se-unet", "augmentation", "none in the final design (3.6); six views in Table 5",
     "none; `--augmentation six-views`", ""),
    ("se-unet", "loss", "Dice + cross-entropy (2.2.3)", "Dice of the lesion over the batch + cross-entropy",
     "half of the patches have no lesion and no Dice of their own"),
    ("se-unet", "optimiser", "Adadelta, no rate to tune (2.2.3)", f"Adadelta, rho 0.9, rate {_SE.learning_rate:g}",
     "Zeiler's own method"),
    ("se-unet", "batch", "batch-wise; size not told", str(_SE.batch_size), "fits 2 cores and every card"),
    ("se-unet", "end", "100 epochs at most, patience 15 on the validation loss (2.2.3)",
     f"{_SE.epochs} epochs at most, patience {_SE.patience}", ""),
    ("se-unet", "evaluation", "5 folds, 61 and 15 of 76 cases (2.3)",
     f"{_SE.folds} folds by patient, even in type and volume", ""),
    ("se-unet", "validation cases", "from the training part; share not told", f"{_SE.validation_share:.0%} of its patients",
     "early stopping must not see the held-out cases"),
    ("cascaded-unet", "patch", "16x320x320, slices first (4.1)", f"{_sides(_CASCADE)} (x, y, z)", ""),
    ("cascaded-unet", "spacing", "5x0.488x0.488 mm, second stage 5x0.518x0.518 (5.1)", "0.488x0.488x5 mm",
     "the second stage's patch is resized to its side, whatever the spacing was"),
    ("cascaded-unet", "values", "level 40, width 90; z-score (3, 4.3)", "-5 to 85 HU, z-score over the scan", ""),
    ("cascaded-unet", "sampling", "random crops (4.3)", "random crops in the brain's box, two of a case in an epoch",
     "how many make an epoch is not told"),
    ("cascaded-unet", "augmentation", "rotation +-30 degrees, flips, noise, smoothing, contrast, each with 50% (4.3)",
     "the same; noise up to SD 0.1, sigma 0.5 to 1 voxel, gamma 0.7 to 1.5", "strengths are not told; these are nnU-Net's"),
    ("cascaded-unet", "loss", "Dice + cross-entropy at each depth, added (4.2)", "the same, at four depths",
     "how many depths is not told"),
    ("cascaded-unet", "optimiser", "AdamW, 1e-2, cosine annealing with warm restarts (4.3)",
     f"AdamW, {_CASCADE.learning_rate:g}, restarts after 10, 30, 70 epochs", "the length of rounds is not told"),
    ("cascaded-unet", "batch, epochs", SILENT, f"{_CASCADE.batch_size}, {_CASCADE.epochs}",
     "nnU-Net's batch; epochs that end with a round"),
    ("cascaded-unet", "second stage", "the coarse bleed enlarged, cropped, resized (4.1)",
     "the reference's box, enlarged by 0 to 50%",
     "the first stage answers better on its own training cases than it will on new ones"),
    ("cascaded-unet", "evaluation", "one split, 238 and 103 of 341 cases (3)", "one split, a fifth held out; `--folds`", ""),
    ("cnn-ds", "input", "whole head, 128x128x64, linear and nearest (Image preprocessing)", f"{_sides(_DS)}, linear",
     "each voxel gets the class that has the most of it"),
    ("cnn-ds", "values", "clipped to 0 to 100 HU", "the same", ""),
    ("cnn-ds", "loss", "minus the mean Dice of both labels", "1 minus that Dice", "the slope is the same"),
    ("cnn-ds", "deep supervision", "segmentation layers of all depths summed", "the same, in the network", ""),
    ("cnn-ds", "optimiser", "Adam; rate tuned among 1e-2 to 1e-4 (Table 5)", f"Adam, {_DS.learning_rate:g}",
     "the table's values are not in the text; 0.0005 ended with background alone on simulated heads"),
    ("cnn-ds", "schedule", "halved after 10 epochs without gain", "the same", ""),
    ("cnn-ds", "batch, epochs", "1, 500", f"{_DS.batch_size}, {_DS.epochs}", ""),
    ("cnn-ds", "end", "50 epochs without gain", f"patience {_DS.patience}", ""),
    ("cnn-ds", "evaluation", "40 training, 5 validation, 10 test cases",
     "one split, a fifth held out, 11% of the rest watched", ""),
    ("basic-unet", "training", "MONAI's defaults, 1,800 epochs",
     f"patches {_sides(_BASIC)}, Adam {_BASIC.learning_rate:g}, Dice + cross-entropy, {_BASIC.epochs:,} epochs",
     "MONAI has no defaults for a training; its tutorials' habits are taken"),
    ("deeplab", "training", "MONAI's defaults, 1,800 epochs",
     f"patches {_sides(_DEEPLAB)}, otherwise as basic-unet", "its coarsest map has a sixteenth of the sides"),
    ("patch-unet", "training", "a U-Net on small patches, no skip connections, varied patches",
     f"patches {_sides(_PATCH)}, otherwise as cnn-ds", "nothing else is told"),
    ("slice-unet", "training", "classic U-Net on slices, batch norm, 50% dropout, 30 to 130 HU, z-score",
     f"slices {_sides(_SLICE)}, Adam {_SLICE.learning_rate:g}, half of them with a lesion", "nothing else is told"),
    ("slice-unet", "denoising, closing", "curvature-driven denoising; references closed", "left out",
     "a network that must have its references changed is not compared with the others"),
)  # fmt: skip
"""Paper against recipe; numbers of ours come from the recipes themselves."""
