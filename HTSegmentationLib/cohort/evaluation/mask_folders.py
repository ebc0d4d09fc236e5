"""Masks of any program compared with references: folders in, results of a method out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from HTSegmentationLib.cohort.cells import one_line
from HTSegmentationLib.cohort.evaluation.mask_case import MaskCase, compare_case
from HTSegmentationLib.cohort.evaluation.mask_files import (
    IMAGE_STEMS,
    MASK_STEMS,
    REFERENCE_STEMS,
    ROI_STEMS,
    FoundFiles,
    find_files,
)
from HTSegmentationLib.cohort.evaluation.results import CaseFiles, MethodResults, case_result
from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.progress import Progress, silent

Labels = tuple[tuple[str, int], ...]

_MOST_NAMED = 10
"""Cases that a remark names; the rest is counted."""


def evaluate_masks(
    masks: str | Path,
    references: str | Path,
    *,
    rois: str | Path | None = None,
    images: str | Path | None = None,
    types: Mapping[str, str] | None = None,
    labels: Labels = (),
    name: str | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> MethodResults:
    """Compares a folder of masks with a folder of references.

    Args:
        masks: One mask a case: ``CASE.nii.gz`` and the like, or a folder a case.
        references: The references, named likewise.
        rois: Regions of interest, for sensitivity, specificity and AUC inside them.
        images: The scans, for HU; files or folders named as the cases.
        types: Type of hemorrhagic transformation of each case.
        labels: Names and values of labels to be compared one by one; all voxels above 0 as one label if empty.
        name: What the tables call the method; the folder's name if None.
        jobs: How many processes; as many as there are cores if None.
        progress: Told of each case.

    Returns:
        The results; cases without a partner are in its remarks, or have no reference.

    Raises:
        InputError: A folder is missing or holds no such files, or no mask has a reference.

    Example:
        >>> evaluate_masks("masks", "references").cases[0].number("dice")   # doctest: +SKIP
        0.71
    """
    found = find_files(masks, MASK_STEMS, "masks")
    true = find_files(references, REFERENCE_STEMS, "references")
    drawn = find_files(rois, ROI_STEMS, "regions of interest") if rois is not None else FoundFiles({}, {})
    scans = _scans(Path(images), found.files) if images is not None else {}
    if not set(found.files) & set(true.files):
        problem = f"no mask has the name of a reference in {Path(references)} ({_named(found.files)}; {_named(true.files)})"
        raise InputError(masks, problem, "give both the same names")
    remarks = [*_unclear(found, "mask"), *_unclear(true, "reference"), *_unclear(drawn, "region of interest")]
    without_mask = [case_id for case_id in true.files if case_id not in found.files]
    if without_mask:
        remarks.append(f"{len(without_mask)} references have no mask and are not in the tables: {_named(without_mask)}.")
    files = {
        case_id: CaseFiles(
            image=scans.get(case_id),
            mask=mask,
            reference=true.files.get(case_id),
            roi=(drawn.files[case_id],) if case_id in drawn.files else (),
        )
        for case_id, mask in found.files.items()
    }
    without_roi = [case_id for case_id in files if case_id not in drawn.files]
    if rois is not None and without_roi:
        remarks.append(f"{len(without_roi)} masks have no region of interest: {_named(without_roi)}.")
    title = one_line(name or Path(masks).resolve().name)
    return compared(title, files, types=types, labels=labels, jobs=jobs, progress=progress, remarks=tuple(remarks))


def masks_against(
    main: MethodResults,
    masks: str | Path,
    *,
    labels: Labels = (),
    name: str | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> MethodResults:
    """Compares a folder of masks with the references of another method's cases.

    Args:
        main: The method that knows where references and regions of interest lie.
        masks: One mask a case, named as the cases.
        labels: Names and values of the labels; all voxels above 0 as one label if empty.
        name: What the tables call the new method; the folder's name if None.
        jobs: How many processes; as many as there are cores if None.
        progress: Told of each case.

    Raises:
        InputError: The folder holds no masks, none has the name of a case, or the cases' references are not known.
    """
    found = find_files(masks, MASK_STEMS, "masks")
    known = {case.case_id: (main.files_of(case.case_id), case.text("ht_type")) for case in main.cases}
    files = {
        case_id: replace(of_case, mask=found.files[case_id])
        for case_id, (of_case, _) in known.items()
        if case_id in found.files and of_case is not None
    }
    if not any(of_case.reference for of_case in files.values()):
        advice = "give the batch's folder with its records, and masks named as its cases"
        raise InputError(masks, f"no mask has the name of a case of {main.name} whose reference is known", advice)
    unknown = [case_id for case_id in found.files if case_id not in files]
    missing = [case_id for case_id in known if case_id not in found.files]
    remarks = list(_unclear(found, "mask"))
    if unknown:
        remarks.append(f"{len(unknown)} masks are of no case of {main.name} and were left out: {_named(unknown)}.")
    if missing:
        remarks.append(f"{len(missing)} cases of {main.name} have no mask here: {_named(missing)}.")
    types = {case_id: kind for case_id, (_, kind) in known.items()}
    title = one_line(name or Path(masks).resolve().name)
    return compared(title, files, types=types, labels=labels, jobs=jobs, progress=progress, remarks=tuple(remarks))


def compared(
    name: str,
    files: Mapping[str, CaseFiles],
    *,
    types: Mapping[str, str] | None = None,
    labels: Labels = (),
    jobs: int | None = None,
    progress: Progress = silent,
    remarks: tuple[str, ...] = (),
) -> MethodResults:
    """The results of masks whose files are known, each case in a process of its own if there are several jobs."""
    kinds = types or {}
    cases = [
        MaskCase(case_id, of_case, labels, (("ht_type", kinds.get(case_id, "")), ("method", name)))
        for case_id, of_case in files.items()
    ]
    rows = each_of(compare_case, cases, jobs=jobs, stage=f"comparing {name}", progress=progress)
    return MethodResults(
        name=name,
        cases=tuple(case_result(row) for row in rows),
        labels=tuple(label for label, _ in labels[1:]),
        files=files,
        remarks=tuple(f"{name}: {remark}" for remark in remarks),
    )


def _scans(folder: Path, case_ids: Iterable[str]) -> dict[str, Path]:
    """The scan of each case: a file, the file in the case's folder that is named as a scan, or a DICOM folder."""
    found = find_files(folder, IMAGE_STEMS, "scans", may_be_none=True).files
    return found | {
        case_id: folder / case_id for case_id in case_ids if case_id not in found and (folder / case_id).is_dir()
    }


def _unclear(found: FoundFiles, what: str) -> list[str]:
    return [f"{one_line(case)}: which file is the {what} is unclear ({names})." for case, names in found.unclear.items()]


def _named(case_ids: Iterable[str]) -> str:
    names = [one_line(case_id) for case_id in case_ids]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
