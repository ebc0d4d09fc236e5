"""Masks of any program against references, and several raters on the same cases."""

import numpy as np
import pytest
import SimpleITK as sitk
from sklearn.metrics import cohen_kappa_score

from HTSegmentationLib.cohort.evaluation import evaluate, evaluate_masks, read_results
from HTSegmentationLib.cohort.evaluation.mask_files import MASK_STEMS, REFERENCE_STEMS, find_files
from HTSegmentationLib.cohort.evaluation.mask_folders import masks_against
from HTSegmentationLib.cohort.evaluation.raters import compare_raters
from HTSegmentationLib.cohort.evaluation.results_file import write_results
from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.measure.comparison import compare_masks
from HTSegmentationLib.roi import Roi

SIZE = (24, 20, 6)


def box(x, y, z=(1, 4), value=1, spacing=(1.0, 1.0, 5.0)):
    """A mask with one box of the value."""
    array = np.zeros(SIZE[::-1], np.uint8)
    array[z[0] : z[1], y[0] : y[1], x[0] : x[1]] = value
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    return image


def write(folder, **images):
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    return folder


@pytest.fixture
def folders(tmp_path):
    """Masks, references and ROIs of three cases; the third is empty on both sides."""
    masks = write(tmp_path / "masks", a=box((4, 10), (4, 10)), b=box((2, 5), (2, 5)), c=box((0, 0), (0, 0)))
    truth = write(tmp_path / "truth", a=box((6, 12), (4, 10)), b=box((12, 15), (12, 15)), c=box((0, 0), (0, 0)))
    rois = write(tmp_path / "rois", a=box((2, 14), (2, 12)), b=box((0, 20), (0, 18)), c=box((0, 9), (0, 9)))
    return masks, truth, rois


def test_each_row_is_the_comparison_of_its_masks(folders):
    masks, truth, rois = folders
    found = evaluate_masks(masks, truth, rois=rois, jobs=1)
    assert [case.case_id for case in found.cases] == ["a", "b", "c"]
    for case in found.cases:
        mask, true, roi = (sitk.ReadImage(str(folder / f"{case.case_id}.nii.gz")) for folder in folders)
        expected = compare_masks(mask, true, roi=Roi.from_mask(roi)).as_dict()
        for column, value in expected.items():
            assert case.number(column) == (None if value is None else pytest.approx(value, abs=2e-6)), column
    assert [case.number("dice") for case in found.cases] == [pytest.approx(2 / 3, abs=1e-6), 0.0, 1.0]


def test_several_processes_give_the_same_rows(folders):
    masks, truth, _ = folders
    assert evaluate_masks(masks, truth, jobs=1) == evaluate_masks(masks, truth, jobs=2)


def test_a_mask_on_another_grid_fails_alone_and_says_why(folders):
    masks, truth, _ = folders
    write(masks, b=box((2, 5), (2, 5), spacing=(1.0, 1.0, 4.0)))
    (masks / "c.nii.gz").write_bytes(b"no image")
    found = evaluate_masks(masks, truth, jobs=1)
    assert [case.failed for case in found.cases] == [False, True, True]
    assert "mask and reference lie on different grids" in found.cases[1].error
    assert "c.nii.gz" in found.cases[2].error
    assert str(masks) not in found.cases[2].error
    assert "2 failed and not in the tables" in evaluate([found]).remarks[0]


def test_files_without_a_partner_are_named(folders):
    masks, truth, _ = folders
    write(masks, extra=box((2, 5), (2, 5)))
    write(truth, lonely=box((2, 5), (2, 5)))
    found = evaluate_masks(masks, truth, jobs=1)
    assert [case.case_id for case in found.without_reference] == ["extra"]
    assert found.cases[-1].number("volume_ml") == pytest.approx(0.135)
    assert any("1 references have no mask and are not in the tables: lonely." in remark for remark in found.remarks)
    with pytest.raises(InputError, match="no mask has the name of a reference"):
        evaluate_masks(masks, write(truth.parent / "other", x=box((2, 5), (2, 5))), jobs=1)


def test_case_folders_are_found_by_what_their_files_are_called(tmp_path):
    write(tmp_path / "cohort" / "p1", truth=box((2, 5), (2, 5)), ct=box((2, 5), (2, 5)), roi=box((2, 5), (2, 5)))
    write(tmp_path / "cohort" / "p2", anything=box((2, 5), (2, 5)))
    write(tmp_path / "cohort" / "p3", one=box((2, 5), (2, 5)), two=box((2, 5), (2, 5)))
    (tmp_path / "cohort" / "notes.txt").write_text("nothing")
    found = find_files(tmp_path / "cohort", REFERENCE_STEMS, "references")
    assert {case: path.name for case, path in found.files.items()} == {"p1": "truth.nii.gz", "p2": "anything.nii.gz"}
    assert found.unclear == {"p3": "one.nii.gz, two.nii.gz"}
    with pytest.raises(InputError, match="it holds no masks"):
        find_files(write(tmp_path / "none"), MASK_STEMS, "masks")
    with pytest.raises(InputError, match="no such folder"):
        find_files(tmp_path / "missing", MASK_STEMS, "masks")


def test_labels_are_compared_one_by_one(tmp_path):
    first, second = box((2, 8), (2, 8)), box((10, 16), (2, 8), value=2)
    masks = write(tmp_path / "masks", a=first + second)
    truth = write(tmp_path / "truth", a=first + box((13, 19), (2, 8), value=2))
    case = evaluate_masks(masks, truth, labels=(("hemorrhage", 1), ("edema", 2)), jobs=1).cases[0]
    assert case.number("dice") == 1.0
    assert case.number("dice", "edema") == pytest.approx(0.5)
    together = evaluate_masks(masks, truth, jobs=1)
    assert together.cases[0].number("dice") == pytest.approx(0.75)
    assert together.labels == ()


def test_written_results_are_evaluated_as_the_masks_were(folders, tmp_path):
    found = evaluate_masks(folders[0], folders[1], types={"a": "PH", "b": "HI2"}, name="mine", jobs=1)
    write_results(found, tmp_path / "results.csv")
    again = read_results(tmp_path, "mine")
    assert evaluate([again]).as_dict()["tables"] == evaluate([found]).as_dict()["tables"]


def test_a_folder_of_masks_is_compared_with_a_methods_own_references(folders, tmp_path):
    masks, truth, rois = folders
    main = evaluate_masks(masks, truth, rois=rois, jobs=1)
    other = write(tmp_path / "other", a=box((6, 12), (4, 10)), zzz=box((1, 2), (1, 2)))
    found = masks_against(main, other, jobs=1)
    assert [(case.case_id, case.number("dice"), case.number("auc_roi")) for case in found.cases] == [("a", 1.0, 1.0)]
    assert any("zzz" in remark for remark in found.remarks)
    assert any("2 cases of masks have no mask here: b, c." in remark for remark in found.remarks)
    paired = evaluate([main, found]).table("paired").rows[0]
    assert (paired["n"], paired["mean_difference"]) == (1, pytest.approx(2 / 3 - 1, abs=1e-6))
    with pytest.raises(InputError, match="no mask has the name of a case"):
        masks_against(main, write(tmp_path / "strange", q=box((1, 2), (1, 2))), jobs=1)


def raters(tmp_path, shift):
    first = write(tmp_path / "E1", a=box((6, 12), (4, 10)), b=box((12, 16), (12, 16)), c=box((0, 0), (0, 0)))
    second = write(tmp_path / "E2", a=box((7, 12), (4, 10)), b=box((12, 16), (12, 16 - shift)), c=box((0, 0), (0, 0)))
    return {"E1": first, "E2": second}


@pytest.mark.parametrize("with_roi", [True, False])
def test_kappa_is_scikit_learns_in_the_roi_or_the_box_of_all_masks(folders, tmp_path, with_roi):
    masks, truth, rois = folders
    method = evaluate_masks(masks, truth, rois=rois if with_roi else None, jobs=1)
    study = compare_raters(raters(tmp_path, 1), (method,), jobs=1)
    case = study.cases[0]
    assert case.in_roi == with_roi
    read = {"masks": masks, "E1": tmp_path / "E1", "E2": tmp_path / "E2"}
    arrays = {name: sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "a.nii.gz"))) > 0 for name, folder in read.items()}
    if with_roi:
        domain = sitk.GetArrayFromImage(sitk.ReadImage(str(rois / "a.nii.gz"))) > 0
    else:
        domain = np.zeros(SIZE[::-1], bool)
        domain[tuple(slice(ends.min(), ends.max() + 1) for ends in np.nonzero(np.any(list(arrays.values()), axis=0)))] = True
    for (one, other), kappa in case.kappas.items():
        assert kappa == pytest.approx(cohen_kappa_score(arrays[one][domain], arrays[other][domain]))
    assert case.volumes_ml == pytest.approx({name: array.sum() * 0.005 for name, array in arrays.items()})


def test_raters_and_method_are_set_side_by_side(folders, tmp_path):
    method = evaluate_masks(folders[0], folders[1], name="auto", jobs=1)
    study = compare_raters(raters(tmp_path, 1), (method,), jobs=1)
    evaluation = evaluate([method], raters=study)
    pairs = evaluation.table("raters").rows
    assert [(row["first"], row["second"], row["n"]) for row in pairs] == [
        ("E1", "E2", 2),
        ("auto", "E1", 2),
        ("auto", "E2", 2),
    ]
    assert "smallest box that holds all masks" in evaluation.table("raters").note
    kinds = evaluation.table("rater_kinds").rows
    assert [row["method"] for row in kinds] == [
        "Expert against expert",
        "auto against expert",
        "Expert against expert",
        "Method against expert",
    ]
    assert kinds[0]["kappa_mean"] > kinds[1]["kappa_mean"]
    assert 0 < kinds[1]["p"] <= 1
    with pytest.raises(UsageError, match="called as a method is"):
        compare_raters({"auto": folders[0]}, (method,), jobs=1)


def test_a_raters_mask_on_another_grid_is_named_and_the_others_are_compared(folders, tmp_path):
    method = evaluate_masks(folders[0], folders[1], name="auto", jobs=1)
    of_raters = raters(tmp_path, 1)
    write(tmp_path / "E2", b=box((2, 5), (2, 5), spacing=(1.0, 1.0, 4.0)))
    study = compare_raters(of_raters, (method,), jobs=1)
    assert [bool(case.error) for case in study.cases] == [False, True, False]
    assert any("b could not be compared" in remark for remark in study.remarks)
    assert "b could not be compared" in evaluate([method], raters=study).table("raters").note
