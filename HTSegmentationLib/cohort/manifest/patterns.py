"""How the files of a case are named, and which files of a folder are named so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from HTSegmentationLib.errors import UsageError

CASE_MARK = "{id}"
"""Stands in a pattern for the case's name, where the files of many cases lie in one folder."""


@dataclass(frozen=True)
class Patterns:
    """The names of a case's files.

    A pattern is a file name in which ``*`` stands for any letters and ``?`` for one; capital letters do not matter. It is
    looked for in the folder of each case and may hold ``/`` for folders in that. With ``{id}``, what stands at that place
    names the case: ``{id}_ct.nii.gz``; one with folders, as ``images/{id}.nii.gz``, starts at the top of the tree.

    Args:
        image: Patterns of the CT, the preferred one first.
        roi: Patterns of regions of interest; of all files that suit, the union counts.
        reference: Patterns of the reference, the preferred one first.
        baseline: Patterns of an earlier CT.
        baseline_roi: Patterns of its regions of interest.
    """

    image: tuple[str, ...]
    roi: tuple[str, ...] = ("roi.*",)
    reference: tuple[str, ...] = ("truth.*", "reference.*", "mask.*")
    baseline: tuple[str, ...] = ("baseline.*",)
    baseline_roi: tuple[str, ...] = ("baseline_roi.*",)

    def by_column(self) -> Mapping[str, tuple[str, ...]]:
        """The patterns of each column but the image's."""
        return {
            "roi": self.roi,
            "reference": self.reference,
            "baseline": self.baseline,
            "baseline_roi": self.baseline_roi,
        }


FOLDER_PATTERNS = Patterns(image=("ct.nii.gz", "ct.*", "image.*"))
"""Names that are looked for where each case has a folder of its own."""

FLAT_PATTERNS = Patterns(
    image=("{id}_ct.*", "{id}_image.*"),
    roi=("{id}_roi.*",),
    reference=("{id}_truth.*", "{id}_reference.*", "{id}_mask.*"),
    baseline=("{id}_baseline.*",),
    baseline_roi=("{id}_baseline_roi.*",),
)
"""Names that are looked for where the files of all cases lie in one folder."""


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as an expression that a path with slashes must match; what ``{id}`` stands for is its group ``id``.

    Raises:
        UsageError: It is empty, leads out of the folder, or has ``{id}`` twice.

    Example:
        >>> compiled("images/{id}_ct.*").fullmatch("images/ph-01_ct.nii.gz")["id"]
        'ph-01'
    """
    if not pattern.strip() or pattern.startswith("/") or ".." in pattern.split("/"):
        raise UsageError(
            f"the pattern {pattern!r} must name a file below the folder, as ct.nii.gz or images/{CASE_MARK}.nii.gz"
        )
    if pattern.count(CASE_MARK) > 1:
        raise UsageError(f"the pattern {pattern!r} has {CASE_MARK} more than once; write * for the other")
    words = {"*": "[^/]*", "?": "[^/]", CASE_MARK: "(?P<id>[^/]+?)"}
    parts = re.split(r"(\*|\?|\{id\})", pattern)
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.IGNORECASE)
