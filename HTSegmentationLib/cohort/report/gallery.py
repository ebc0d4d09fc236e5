"""The best, the middle and the worst cases as pictures."""

from __future__ import annotations

from HTSegmentationLib.cohort.cells import number, one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.report.case_picture import case_picture
from HTSegmentationLib.cohort.report.content import CasePicture, Gallery
from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.progress import Progress, silent

_CASES = 3
"""Cases of each gallery."""


def galleries(cohort: Cohort, method: MethodResults, progress: Progress = silent) -> tuple[Gallery, ...]:
    """Galleries of the cases with the highest, the middle and the lowest DSC; no case is shown twice.

    Args:
        cohort: The cases.
        method: The method whose masks are shown.
        progress: Told of each case.
    """
    dices = cohort.values(method, "dice")
    failed = {case.case_id for case in method.failures}
    known = [
        (dice, case_id)
        for dice, case_id in zip(dices, cohort.total.case_ids, strict=True)
        if dice is not None and case_id not in failed
    ]
    ranked = sorted(known, key=lambda item: (-item[0], item[1]))
    best, worst = ranked[:_CASES], ranked[_CASES:][-_CASES:]
    rest = ranked[len(best) : len(ranked) - len(worst)]
    start = max(0, (len(rest) - _CASES) // 2)
    chosen = {"Highest DSC": best, "Around the median": rest[start : start + _CASES], "Lowest DSC": worst}
    count, done = sum(map(len, chosen.values())), 0
    found = []
    for title, cases in chosen.items():
        pictures = []
        for dice, case_id in cases:
            progress(f"drawing {one_line(case_id)}", done / count)
            pictures.append(_picture(cohort, method, case_id, dice))
            done += 1
        if pictures:
            found.append(Gallery(title, tuple(pictures)))
    return tuple(found)


def _picture(cohort: Cohort, method: MethodResults, case_id: str, dice: float) -> CasePicture:
    place = cohort.total.case_ids.index(case_id)
    mask, reference = (cohort.values(method, name)[place] for name in ("volume_ml", "reference_volume_ml"))
    kind = next((kind.name for kind in cohort.kinds if case_id in kind.case_ids), "")
    title = f"{one_line(case_id)}{f', {kind}' if kind else ''}: DSC {number(dice)}"
    volumes = f"mask {number(mask, 1)} mL, reference {number(reference, 1)} mL"
    files = method.files_of(case_id)
    if files is None:
        return CasePicture(title, volumes, problem="No picture: the results do not tell where the scan lies.")
    try:
        png, where = case_picture(files)
    except HTSegError as error:
        reason = str(error)
        for path in (files.image, files.mask, files.reference, *files.roi):
            reason = reason if path is None else reason.replace(str(path), path.name)
        return CasePicture(title, volumes, problem=f"No picture: {one_line(reason)}.")
    except (RuntimeError, OSError, MemoryError, ValueError) as error:
        return CasePicture(title, volumes, problem=f"No picture: unexpected {type(error).__name__} while it was drawn.")
    return CasePicture(title, f"{where}; {volumes}", png)
