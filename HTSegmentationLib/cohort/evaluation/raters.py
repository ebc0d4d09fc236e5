"""Several raters and methods on the same cases: kappa of each pair, voxel by voxel, and the volumes of each.

As in the paper on a CNN with deep supervision: if the kappas of a method with the experts come from the same distribution as
those of the experts among each other, the method is as good as an expert.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import SimpleITK as sitk

from HTSegmentationLib.cohort.cells import one_line
from HTSegmentationLib.cohort.evaluation.mask_case import read_binary
from HTSegmentationLib.cohort.evaluation.mask_files import MASK_STEMS, find_files
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.ct.geometry import bounding_box, crop
from HTSegmentationLib.errors import HTSegError, UsageError
from HTSegmentationLib.measure.mask import measure_mask, require_same_grid
from HTSegmentationLib.measure.statistics import masks_kappa
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.roi import read_roi

_FEWEST = 2
"""One mask agrees with nothing."""

Labels = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RatedCase:
    """One case as several rated it.

    Args:
        case_id: The case.
        volumes_ml: Volume in mL by rater.
        kappas: Cohen's kappa by pair of raters; None where nobody marked anything.
        in_roi: Whether the voxels of an ROI were counted, else those of the box that holds all masks.
        error: Why it could not be compared; empty if it was.
    """

    case_id: str
    volumes_ml: Mapping[str, float] = field(default_factory=dict)
    kappas: Mapping[tuple[str, str], float | None] = field(default_factory=dict)
    in_roi: bool = False
    error: str = ""


@dataclass(frozen=True)
class RaterStudy:
    """All cases that more than one rated.

    Args:
        experts: Names of the raters.
        methods: Names of the methods.
        cases: The cases.
        remarks: What a reader must know.
    """

    experts: tuple[str, ...]
    methods: tuple[str, ...]
    cases: tuple[RatedCase, ...]
    remarks: tuple[str, ...] = ()

    def kappas(self, first: str, second: str) -> list[float | None]:
        """Kappa of a pair in each case that both rated."""
        return [case.kappas[first, second] for case in self.cases if (first, second) in case.kappas]

    def volumes(self, first: str, second: str) -> tuple[list[float], list[float]]:
        """Volumes in mL by both of a pair, of the cases that both rated."""
        both = [case.volumes_ml for case in self.cases if first in case.volumes_ml and second in case.volumes_ml]
        return [volumes[first] for volumes in both], [volumes[second] for volumes in both]

    @property
    def expert_pairs(self) -> list[tuple[str, str]]:
        """Each pair of raters."""
        return list(combinations(self.experts, 2))

    def method_pairs(self, method: str) -> list[tuple[str, str]]:
        """The method with each rater."""
        return [(method, expert) for expert in self.experts]


@dataclass(frozen=True)
class _Work:
    """One case's masks by rater and its ROI."""

    case_id: str
    masks: tuple[tuple[str, Path], ...]
    roi: tuple[Path, ...]
    labels: Labels


def compare_raters(
    raters: Mapping[str, str | Path],
    methods: tuple[MethodResults, ...],
    *,
    labels: Labels = (),
    jobs: int | None = None,
    progress: Progress = silent,
) -> RaterStudy:
    """Reads the masks of all raters and methods and compares each pair.

    Voxels count inside the case's ROI if there is one, else in the smallest box that holds all masks of the case: on a whole
    head nearly every voxel is background to everyone, and kappa is all but Dice.

    Args:
        raters: Folder of masks by rater, named as the cases.
        methods: The methods; cases whose mask is not known are left out.
        labels: The first label is compared; all voxels above 0 if empty.
        jobs: How many processes; as many as there are cores if None.
        progress: Told of each case.

    Raises:
        InputError: A rater's folder is missing or holds no masks.
        UsageError: A rater is called as a method is.
    """
    names = [method.name for method in methods]
    twice = sorted(set(raters) & set(names))
    if twice:
        raise UsageError(f"the rater {twice[0]!r} is called as a method is; name it otherwise")
    of_raters = {name: find_files(folder, MASK_STEMS, "masks").files for name, folder in raters.items()}
    known = {
        method.name: {case.case_id: method.files_of(case.case_id) for case in method.cases if not case.failed}
        for method in methods
    }
    case_ids = dict.fromkeys(
        [*(i for found in known.values() for i in found), *(i for found in of_raters.values() for i in found)]
    )
    work = []
    for case_id in case_ids:
        of_methods = {name: found[case_id] for name, found in known.items() if found.get(case_id)}
        masks = [(name, files.mask) for name, files in of_methods.items() if files and files.mask]
        masks += [(name, found[case_id]) for name, found in of_raters.items() if case_id in found]
        roi = next((files.roi for files in of_methods.values() if files and files.roi), ())
        if len(masks) >= _FEWEST:
            work.append(_Work(case_id, tuple(masks), roi, labels))
    cases = each_of(_rated, work, jobs=jobs, stage="comparing raters", progress=progress)
    return RaterStudy(tuple(raters), tuple(names), tuple(cases), _remarks(tuple(cases), len(case_ids)))


def _rated(work: _Work) -> RatedCase:
    try:
        masks = {name: read_binary(path, work.labels) for name, path in work.masks}
        (first_name, first), *others = masks.items()
        for name, mask in others:
            require_same_grid(mask, first, f"{name}'s mask", f"{first_name}'s mask")
        volumes = {name: measure_mask(mask).volume_ml for name, mask in masks.items()}
        roi = read_roi(work.roi, first) if work.roi else None
        if roi is None:
            box = bounding_box(sitk.NaryMaximum([*masks.values()]) if others else first)
            if box is None:
                return RatedCase(work.case_id, volumes, dict.fromkeys(combinations(masks, 2)))
            masks = {name: crop(mask, *box) for name, mask in masks.items()}
        kappas = {pair: masks_kappa(masks[pair[0]], masks[pair[1]], roi=roi).kappa for pair in combinations(masks, 2)}
    except HTSegError as error:
        reason = str(error)
        for _, path in work.masks:
            reason = reason.replace(str(path), path.name)
        return RatedCase(work.case_id, error=reason)
    return RatedCase(work.case_id, volumes, kappas, in_roi=roi is not None)


def _remarks(cases: tuple[RatedCase, ...], total: int) -> tuple[str, ...]:
    done = [case for case in cases if not case.error]
    in_roi = sum(case.in_roi for case in done)
    if in_roi == len(done):
        domain = "the region of interest"
    elif in_roi:
        domain = (
            f"the region of interest in {in_roi} of {len(done)} cases, in the others the smallest box that holds all masks"
        )
    else:
        domain = "the smallest box that holds all masks of the case"
    said = [f"Kappa counts the voxels in {domain}."] if done else []
    if len(cases) < total:
        said.append(f"{total - len(cases)} of {total} cases were rated by one alone and are not compared.")
    said += [f"{one_line(case.case_id)} could not be compared: {case.error}." for case in cases if case.error]
    return tuple(said)
