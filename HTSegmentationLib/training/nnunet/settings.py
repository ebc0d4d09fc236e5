"""What decides an nnU-Net data set besides its cases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.training.nnunet.labels import LabelScheme

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
"""nnU-Net splits the names of its folders at underscores."""

_LARGEST_ID = 999
"""nnU-Net's identifiers have three digits."""

_FEWEST_FOLDS = 2


@dataclass(frozen=True)
class DatasetSettings:
    """An nnU-Net data set.

    Args:
        dataset_id: nnU-Net's number of it, 1 to 999.
        name: Its name, which becomes part of folder names.
        scheme: What the values of the references mean.
        folds: Folds of the cross-validation.
        seed: The same seed gives the same folds.
        assume_hu: Whether values are taken as HU even if they do not look like it.
        hu_offset: HU that are added to every value.
        allow_empty: Whether a reference may hold nothing: a scan without a lesion.
        licence: Under which terms the data may be used; kept in ``dataset.json``.
        reference: Where the data come from; kept in ``dataset.json``.

    Raises:
        UsageError: A value cannot be used.
    """

    dataset_id: int
    name: str
    scheme: LabelScheme = field(default_factory=LabelScheme)
    folds: int = 5
    seed: int = 0
    assume_hu: bool = False
    hu_offset: float = 0.0
    allow_empty: bool = False
    licence: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        """Checks what becomes part of names and what nnU-Net counts by."""
        if not 1 <= self.dataset_id <= _LARGEST_ID:
            raise UsageError(f"the data set's ID is {self.dataset_id}; nnU-Net's are 1 to {_LARGEST_ID}, its own up to 10")
        if not _NAME.fullmatch(self.name):
            allowed = "up to 40 letters, digits and '-', beginning with a letter or digit"
            raise UsageError(f"the data set's name is {self.name!r}; use {allowed}")
        if self.folds < _FEWEST_FOLDS:
            raise UsageError(f"{self.folds} folds: a cross-validation has {_FEWEST_FOLDS} or more")
        if self.seed < 0:
            raise UsageError(f"the seed is {self.seed}; it must be 0 or more")

    @property
    def prefix(self) -> str:
        """How nnU-Net knows the data set's folders, as ``"Dataset501"``."""
        return f"Dataset{self.dataset_id:03d}"

    @property
    def folder_name(self) -> str:
        """As ``"Dataset501_HT"``."""
        return f"{self.prefix}_{self.name}"

    def case_names(self, count: int) -> list[str]:
        """nnU-Net's names of so many cases, which say nothing of the patients.

        Example:
            >>> DatasetSettings(501, "HT").case_names(2)
            ['HT_001', 'HT_002']
        """
        digits = max(3, len(str(count)))
        return [f"{self.name}_{number:0{digits}d}" for number in range(1, count + 1)]
