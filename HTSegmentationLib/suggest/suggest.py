"""Finds where a bleed may be, ranks it and makes regions of interest of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import SimpleITK as sitk

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.symmetric import mirror_transform
from HTSegmentationLib.progress import Progress, StageClock, part_of, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi, roi_from_shapes
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.suggest.appraisal import appraise
from HTSegmentationLib.suggest.brain_copy import copy_brain
from HTSegmentationLib.suggest.candidate import Candidate
from HTSegmentationLib.suggest.evidence import evidence_of
from HTSegmentationLib.suggest.regions import hyperdense_regions

LEAST_SCORE = 0.5
"""Candidates of this score and more are proposed."""

MOST_PROPOSED = 5
"""More regions than this help nobody; bleeds seldom fall into more parts."""

_LEAST_TOLD = 4.0
"""What stands out by less than this, in mL x HU, is not worth a word where it is not proposed."""

AUTOMATIC = "found by the program"
"""What stands as the source of a region of interest that nobody drew."""


@dataclass(frozen=True)
class Suggestions:
    """What was found in a scan.

    Args:
        proposed: Regions that may be a bleed, the most likely first.
        set_aside: Other dense things that the mirrored side lacks and that something else explains, the largest first.
        remarks: What must be said of the search.
        stage_seconds: Wall time of each stage in s.
    """

    proposed: tuple[Candidate, ...]
    set_aside: tuple[Candidate, ...]
    remarks: tuple[Remark, ...]
    stage_seconds: Mapping[str, float]

    def roi(self, image: sitk.Image) -> Roi | None:
        """The boxes of all proposed regions as one region of interest; None if nothing is proposed.

        Args:
            image: The scan; only its grid is used.
        """
        if not self.proposed:
            return None
        boxes = [candidate.box for candidate in self.proposed]
        return roi_from_shapes(image, boxes, sources=(AUTOMATIC,), remarks=(_chosen(self.proposed), *self.remarks))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "proposed": [candidate.as_dict() for candidate in self.proposed],
            "set_aside": [candidate.as_dict() for candidate in self.set_aside],
            "remarks": [remark.as_dict() for remark in self.remarks],
            "stage_seconds": dict(self.stage_seconds),
        }


def suggest_regions(
    prepared: PreparedScan,
    *,
    most: int = MOST_PROPOSED,
    least_score: float = LEAST_SCORE,
    progress: Progress = silent,
) -> Suggestions:
    """Looks through the whole brain for what may be a bleed.

    What is denser than normal brain of this very scan and than its own mirror image speaks for blood; what bone, calcium
    or the midline explain does not. Nothing was trained, and the same scan gives the same answer.

    Args:
        prepared: The scan with its masks, as any method prepares it.
        most: How many regions are proposed at most.
        least_score: Score, above 0 and at most 1, from which on a region is proposed.
        progress: Told the stages; may stop the work.

    Raises:
        ParameterError: A number is out of its range.

    Example:
        >>> found = suggest_regions(prepare(read_ct("head.nii.gz")))            # doctest: +SKIP
        >>> [(region.side, region.reason) for region in found.proposed]         # doctest: +SKIP
    """
    if most < 1:
        raise ParameterError(f"most is {most}; at least 1 region must be allowed")
    if not 0 < least_score <= 1:
        raise ParameterError(f"least_score is {least_score:g}; it must be above 0 and at most 1")
    clock = StageClock(progress)
    with clock.stage("mirror image", 0.0):
        mirror = mirror_transform(prepared, part_of(progress, 0.0, 0.6))
    with clock.stage("copy of the brain", 0.6):
        copy = copy_brain(prepared, mirror)
    with clock.stage("hyperdense regions", 0.7):
        evidence = evidence_of(copy)
        candidates = appraise(copy, evidence, hyperdense_regions(copy, evidence))
    progress("done", 1.0)
    likely = [candidate for candidate in candidates if candidate.score >= least_score]
    proposed = tuple(likely[:most])
    others = [candidate for candidate in candidates if candidate.score < least_score]
    told = [candidate for candidate in others if candidate.suspicion and candidate.standing_out >= _LEAST_TOLD]
    aside = tuple(sorted(told, key=lambda candidate: -candidate.standing_out))
    remarks = () if proposed else (_nothing(),)
    if len(likely) > most:
        remarks = (_left_out(len(likely) - most),)
    return Suggestions(proposed, aside, remarks, clock.seconds)


def _chosen(proposed: tuple[Candidate, ...]) -> Remark:
    places = "; ".join(f"{candidate.where()}: {candidate.reason}" for candidate in proposed)
    text = (
        f"The region of interest was found by the program, {_count(len(proposed), 'box', 'boxes')}. Look whether it holds "
        f"the bleed and nothing else; contrast staining after a thrombectomy looks the same. {places}."
    )
    return Remark("roi-automatic", text, Severity.CAUTION)


def _nothing() -> Remark:
    text = (
        "No region of the brain stands out as blood does: nothing is proposed. That does not exclude a bleed: small or "
        "faint ones are missed. Look at the scan."
    )
    return Remark("no-region-found", text, Severity.CAUTION)


def _left_out(number: int) -> Remark:
    text = f"{_count(number, 'more region stands', 'more regions stand')} out and were not proposed; allow more to see them."
    return Remark("regions-left-out", text, Severity.CAUTION)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
