"""Folders of masks: which file belongs to which case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.cohort.evaluation.results import MASKS_FOLDER
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.roi.mask_files import MASK_ENDINGS, is_mask_name

MASK_STEMS = ("mask", "segmentation", "bleed", "hemorrhage")
REFERENCE_STEMS = ("truth", "reference", "mask", "label")
ROI_STEMS = ("roi",)
IMAGE_STEMS = ("ct", "image", "scan")

_MARKUP_ENDING = ".mrk.json"
"""How markups of 3D Slicer are named."""


@dataclass(frozen=True)
class FoundFiles:
    """What a folder holds.

    Args:
        files: The file of each case, cases in the order of their names.
        unclear: Cases of which the folder holds several files, none of them named as it should be, with these names.
    """

    files: dict[str, Path]
    unclear: dict[str, str]


def find_files(folder: str | Path, stems: tuple[str, ...], purpose: str, *, may_be_none: bool = False) -> FoundFiles:
    """Finds one file a case: ``<case>.nii.gz`` and the like, or ``<case>/<stem>.nii.gz`` in a folder of its own.

    Args:
        folder: The folder; of a batch's output the folder ``masks`` in it.
        stems: How the file in a case's folder may be named, the preferred name first; a single file may have any name.
        purpose: What is looked for, for the message, as ``"masks"``.
        may_be_none: Whether a folder without any such file is fine.

    Raises:
        InputError: There is no such folder, or it holds no such file.

    Example:
        >>> find_files("cohort", REFERENCE_STEMS, "references").files["ph-01"].name   # doctest: +SKIP
        'truth.nii.gz'
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(root, "there is no such folder", f"give the folder with the {purpose}")
    if stems == MASK_STEMS and (root / "results.csv").is_file() and (root / MASKS_FOLDER).is_dir():
        root = root / MASKS_FOLDER
    files: dict[str, Path] = {}
    unclear: dict[str, str] = {}
    for entry in sorted(root.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            held = sorted(path for path in entry.iterdir() if path.is_file() and _is_wanted(path, stems))
            named = [path for stem in stems for path in held if stem_of(path).lower() == stem]
            if named or len(held) == 1:
                files.setdefault(entry.name, (named or held)[0])
            elif held:
                unclear[entry.name] = ", ".join(path.name for path in held)
        elif _is_wanted(entry, stems):
            files[stem_of(entry)] = entry
    if not files and not may_be_none:
        names = f"CASE.nii.gz or CASE/{stems[0]}.nii.gz"
        raise InputError(root, f"it holds no {purpose}", f"name the files as {names} (also .nrrd, .mha)")
    return FoundFiles(files, unclear)


def stem_of(path: Path) -> str:
    """A file's name without its ending.

    Example:
        >>> stem_of(Path("ph-01.seg.nrrd")), stem_of(Path("a.b.nii.gz"))
        ('ph-01', 'a.b')
    """
    endings = (*MASK_ENDINGS, _MARKUP_ENDING)
    ending = next((ending for ending in endings if path.name.lower().endswith(ending)), path.suffix)
    return path.name[: len(path.name) - len(ending)]


def _is_wanted(path: Path, stems: tuple[str, ...]) -> bool:
    return is_mask_name(path) or (stems == ROI_STEMS and path.name.lower().endswith(_MARKUP_ENDING))
