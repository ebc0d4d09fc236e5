import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.remark import Severity
from HTSegmentationLib.training import case_check
from HTSegmentationLib.training.cases import TrainingCasesError, case_remarks, label_values, read_training_cases

from .tiny_cohort import image_of, write_case, write_table

A, B = ((25.0, 10.0, 5.0), 14.0), ((-25.0, 0.0, 0.0), 12.0)


def problems(path, **how):
    with pytest.raises(TrainingCasesError) as caught:
        read_training_cases(path, jobs=1, **how)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return {problem.row: problem.text for problem in caught.value.problems}


def test_cases_have_what_the_folds_need_to_know(tiny):
    first = tiny.cases[0]
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(first.reference)))
    assert (first.case_id, first.patient, first.ht_type, first.labels) == ("hi2-01", "hi2-01", "HI2", (1,))
    assert first.volume_ml == pytest.approx(mask.sum() * 3.2 * 3.0 * 8.0 / 1000)
    assert not first.simulated


def test_everything_that_is_wrong_is_listed_at_once_with_its_row(tmp_path):
    rows = [write_case(tmp_path, f"ph-0{n}", n, *A) for n in range(6)]
    other = image_of(np.ones((14, 64, 56), np.uint8))
    other.SetOrigin((0, 0, 0))
    sitk.WriteImage(other, tmp_path / "ph-01/truth.nii.gz")
    (tmp_path / "ph-02/truth.nii.gz").write_bytes(b"not a mask")
    rows[3]["reference"] = ""
    rows[4]["image"] = "nowhere.nii.gz"
    shutil.copy(tmp_path / "ph-00/ct.nii.gz", tmp_path / "ph-05/ct.nii.gz")
    found = problems(write_table(tmp_path, rows))
    assert sorted(found) == [3, 4, 5, 6, 7]
    assert "different grids" in found[3]
    assert "truth.nii.gz" in found[4]
    assert "no reference" in found[5]
    assert "no such file" in found[6]
    assert "its scan is that of ph-00 (row 2)" in found[7]


def test_references_that_are_all_empty_are_refused_and_some_are_told(tmp_path):
    empty = [write_case(tmp_path, f"n-0{n}", n) for n in range(2)]
    assert problems(write_table(tmp_path, empty)) == {1: "every reference is empty; there is no lesion to learn from"}
    cases = read_training_cases(write_table(tmp_path, [*empty, write_case(tmp_path, "ph-01", 3, *A)]), jobs=1)
    assert [case.volume_ml > 0 for case in cases] == [False, False, True]
    (remark,) = case_remarks(cases)
    assert "2 of 3 references are empty (n-00, n-01)" in remark.text


def test_scans_that_are_no_hu_are_refused_with_the_offset_that_mends_them(tmp_path):
    rows = [write_case(tmp_path, f"ph-0{n}", n, *A) for n in range(2)]
    scan = sitk.ReadImage(str(tmp_path / "ph-01/ct.nii.gz"))
    sitk.WriteImage(scan + 1024, str(tmp_path / "ph-01/ct.nii.gz"))
    table, cache = write_table(tmp_path, rows), tmp_path / "cache"
    assert "--hu-offset -1024, or --assume-hu" in problems(table)[3]
    cases = read_training_cases(table, assume_hu=True, cache_folder=cache, jobs=1)
    assert case_remarks(cases)[0].severity is Severity.WARNING
    # What was assumed once is not taken for granted the next time.
    assert list(problems(table, cache_folder=cache)) == [3]


def test_mixed_sets_of_labels_are_refused_with_the_odd_ones(tmp_path):
    rows = [write_case(tmp_path, f"ph-0{n}", n, *A, value=255 if n == 2 else 1) for n in range(3)]
    assert list(problems(write_table(tmp_path, rows))) == [4]


def test_a_map_of_labels_lets_sets_of_labels_differ_and_must_name_every_value(tmp_path):
    rows = [write_case(tmp_path, f"ph-0{n}", n, *A, value=3 if n else 1) for n in range(2)]
    path = write_table(tmp_path, rows)
    assert label_values(read_training_cases(path, label_map=((1, 1), (3, 0)), jobs=1)) == (1, 3)
    assert "the value 3, for which no class is named" in problems(path, label_map=((1, 1),))[3]


def test_the_columns_patient_and_fold_are_read(tmp_path):
    rows = [{**write_case(tmp_path, "ph-01", 1, *A), "Patient ID": " p7 ", "fold": "2"}]
    (case,) = read_training_cases(write_table(tmp_path, rows), jobs=1)
    assert (case.patient, case.fold) == ("p7", "2")


def test_a_record_of_a_simulation_beside_the_scan_is_noticed(tmp_path):
    rows = [write_case(tmp_path, "ph-01", 1, *A)]
    (tmp_path / "ph-01/case.json").write_text('{"htsegmentation": "1", "parameters": {}}')
    assert read_training_cases(write_table(tmp_path, rows), jobs=1)[0].simulated


def test_files_that_have_not_changed_are_not_read_again(tmp_path, monkeypatch):
    path = write_table(tmp_path, [write_case(tmp_path, "ph-01", 1, *A), write_case(tmp_path, "ph-02", 2, *B)])
    cache = tmp_path / "cache"
    cache.mkdir()
    first = read_training_cases(path, cache_folder=cache, jobs=1)
    write_case(tmp_path, "ph-02", 3, *A)
    read = []
    real = case_check.read_ct
    monkeypatch.setattr(case_check, "read_ct", lambda image, **how: read.append(image.parent.name) or real(image, **how))
    again = read_training_cases(path, cache_folder=cache, jobs=1)
    assert read == ["ph-02"]
    assert (again[0], again[1].image_sha256 != first[1].image_sha256) == (first[0], True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"x": 1}', "\x00"])
def test_a_damaged_list_of_known_cases_is_made_again(tmp_path, content):
    path = write_table(tmp_path, [write_case(tmp_path, "ph-01", 1, *A)])
    first = read_training_cases(path, cache_folder=tmp_path, jobs=1)
    (tmp_path / "cases.json").write_text(content)
    assert read_training_cases(path, cache_folder=tmp_path, jobs=1) == first
