"""What a model folder says of the nnU-Net model in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.inference.models.fields import Fields

NNUNET_FOLDER = "nnunet"
"""The folder in a model folder that holds what nnU-Net trained."""

_IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}"
"""Names of trainers, plans and configurations, which are parts of file names."""

_MOST_FOLDS = 50
"""Nobody trains more folds."""


@dataclass(frozen=True)
class NnUNetDescription:
    """An nnU-Net model.

    Args:
        folder: Its folder in the model folder, always ``"nnunet"``.
        folds: The folds that are averaged: numbers, or ``"all"`` alone.
        checkpoint: Name of the weights file in each fold's folder.
        trainer: The trainer's class.
        plans: The plans' name.
        configuration: As ``"3d_fullres"``.
    """

    folder: str
    folds: tuple[int | str, ...]
    checkpoint: str
    trainer: str
    plans: str
    configuration: str

    @classmethod
    def from_json(cls, values: Any, place: str) -> NnUNetDescription:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, tuple(cls.__dataclass_fields__))
        return cls(
            folder=fields.choice("folder", (NNUNET_FOLDER,)),
            folds=fields.parts("folds", lambda value, where: _fold({"fold": value}, where), most=_MOST_FOLDS),
            checkpoint=fields.matching("checkpoint", rf"{_IDENTIFIER}\.pth", "a file name that ends in .pth"),
            trainer=fields.matching("trainer", _IDENTIFIER, "letters, digits, _ . and -"),
            plans=fields.matching("plans", _IDENTIFIER, "letters, digits, _ . and -"),
            configuration=fields.matching("configuration", _IDENTIFIER, "letters, digits, _ . and -"),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: list(value) if key == "folds" else value for key, value in vars(self).items()}


def _fold(values: dict[str, Any], place: str) -> int | str:
    fields = Fields(values, place, ("fold",))
    return "all" if values["fold"] == "all" else fields.whole("fold", low=0, high=_MOST_FOLDS)
