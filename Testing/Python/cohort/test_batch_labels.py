"""Masks of several labels, columns that collide, and what else a method of any kind may bring."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cohort.batch.columns import BASE, extra_names, label_column, result_columns
from HTSegmentationLib.cohort.batch.job import CaseJob
from HTSegmentationLib.cohort.batch.records import done_record
from HTSegmentationLib.cohort.batch.segment_case import segment_case
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.batch.table import write_csv
from HTSegmentationLib.cohort.manifest.case import Case, Manifest
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.export.mask_files import write_mask
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.progress import StageClock
from HTSegmentationLib.segmenter import HEMORRHAGE, Label, PreparedScan, SegmentationResult, Segmenter

from .small_cohort import read_rows, write_case

EDEMA = Label(value=2, name="Perihematomal edema", code="1", meaning="Edema", color=(0, 0, 255))


class TwoLabels(Segmenter):
    """Finds a block of blood and a block of edema, as a network without an ROI would."""

    name, title = "two-labels", "Two labels"

    def prepare(self, scan, progress=None):
        brain = sitk.Cast(scan.image > 0, sitk.sitkUInt8)
        return PreparedScan(scan, brain, brain, 1000.0)

    def segment(self, prepared, roi=None, progress=None):
        array = np.zeros(prepared.scan.image.GetSize()[::-1], np.uint8)
        array[6:10, 60:90, 70:95] = HEMORRHAGE.value
        array[6:10, 60:90, 95:110] = EDEMA.value
        mask = sitk.GetImageFromArray(array)
        mask.CopyInformation(prepared.scan.image)
        return SegmentationResult(self.name, mask, (HEMORRHAGE, EDEMA), {"weights": "abc"}, 1000.0, (), {"network": 0.1})


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    folder = tmp_path_factory.mktemp("head") / "h"
    write_case(folder, seed=1)
    return folder


@pytest.fixture
def row_of(head, tmp_path):
    """The row of the head, compared with a reference of these label values in the truth's place."""

    def make(change):
        truth = sitk.ReadImage(str(head / "truth.nii.gz"))
        array = change(sitk.GetArrayFromImage(truth))
        reference = sitk.GetImageFromArray(array)
        reference.CopyInformation(truth)
        sitk.WriteImage(reference, str(tmp_path / "reference.nii.gz"))
        case = Case(2, "h", head / "ct.nii.gz", reference=tmp_path / "reference.nii.gz")
        found = segment_case(case, TwoLabels(), BatchSettings("two-labels"), StageClock())
        (tmp_path / "masks").mkdir()
        job = CaseJob(case, str(tmp_path), BatchSettings("two-labels"), {"method": "two-labels", "parameters": {}}, {})
        write_mask(job.place.mask("h"), found.result.mask, found.result.labels)
        return done_record(job, found, {})["row"], found.result.mask, reference

    return make


def with_edema(array):
    array[6:10, 60:90, 90:105] = EDEMA.value
    return array


def test_each_label_is_compared_with_its_own_value(row_of):
    row, mask, reference = row_of(with_edema)
    for label, suffix in ((1, ""), (2, "__perihematomal_edema")):
        expected = measure_overlap(mask == label, reference == label)
        assert row[f"dice{suffix}"] == pytest.approx(expected.dice, abs=1e-6)
        assert row[f"reference_volume_ml{suffix}"] == pytest.approx(expected.reference_volume_ml, abs=1e-6)
        assert row[f"volume_ml{suffix}"] == pytest.approx(expected.mask_volume_ml, abs=1e-6)
    assert row["roi_volume_ml"] is None
    assert "rule_number" not in row


@pytest.mark.parametrize("value", [1, 255])
def test_a_reference_of_one_value_is_that_of_the_first_label_alone(row_of, value):
    row, mask, reference = row_of(lambda array: (array * value).astype(np.uint8))
    assert row["dice"] == pytest.approx(measure_overlap(mask == 1, reference > 0).dice, abs=1e-6)
    assert row["dice__perihematomal_edema"] is None
    assert row["volume_ml__perihematomal_edema"] > 0
    assert ("taken for Hemorrhage" in row["remarks"]) is (value == 255)


def test_a_reference_of_another_label_alone_is_not_taken_for_the_first(row_of):
    row, mask, reference = row_of(lambda array: (array * EDEMA.value).astype(np.uint8))
    assert row["reference_volume_ml"] == 0
    expected = measure_overlap(mask == 2, reference > 0)
    assert row["dice__perihematomal_edema"] == pytest.approx(expected.dice, abs=1e-6)


def test_a_reference_with_values_that_the_method_does_not_have_is_refused(row_of):
    with pytest.raises(InputError, match=r"values 7, which are no labels.*1 Hemorrhage, 2 Perihematomal edema"):
        row_of(lambda array: np.where(with_edema(array) == 2, 7, array).astype(np.uint8))


def test_columns_of_labels_stand_behind_the_others_and_before_the_manifests(tmp_path):
    manifest = Manifest(Path("c.csv"), (), ("case_id", "image", "baseline", "Age", "dice", "dice__x"))
    rows = [{"case_id": "a"}, {label_column("dice", "Peri-hematomal edema"): 0.5, "dice__y": 1}]
    columns = result_columns(manifest, rows)
    assert columns[: len(BASE)] == list(BASE)
    assert columns[len(BASE) : len(BASE) + 2] == ["dice__peri_hematomal_edema", "dice__y"]
    assert columns[-3:] == ["Age", "manifest_dice", "manifest_dice__x"]
    assert "growth_ml" in columns


def test_a_manifests_column_never_takes_the_place_of_another():
    manifest = Manifest(Path("c.csv"), (), ("case_id", "image", "dice", "manifest_dice"))
    names = extra_names(manifest)
    assert sorted(names) == ["dice", "manifest_dice"]
    assert len(set(names.values())) == 2


def test_the_same_rows_always_give_the_same_bytes_and_undefined_cells_are_empty(tmp_path):
    rows = [{"a": 0.1, "b": None, "c": "=1+1", "d": True}, {"a": 1e-6, "b": 3, "c": "x\ny", "d": False}]
    write_csv(tmp_path / "1.csv", rows, ["a", "b", "c", "d"])
    assert (tmp_path / "1.csv").read_bytes() == b"a,b,c,d\n0.1,,'=1+1,true\n1e-06,3,x y,false\n"
    assert len(read_rows(tmp_path / "1.csv")) == 2
