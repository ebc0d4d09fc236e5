"""The folder of a run, and the references with which held-out cases are compared."""

import dataclasses
import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.training.folds import make_folds
from HTSegmentationLib.training.held_out import HeldOut
from HTSegmentationLib.training.labels import LabelMap
from HTSegmentationLib.training.run_folder import RunFolder
from HTSegmentationLib.training.run_record import fold_table, run_record

RECORD = {
    "settings": {"loss": "dice", "epochs": 3},
    "name": "a",
    "cases": {"x": "1"},
    "split": "2 folds",
    "htsegmentation": "1",
}


@pytest.fixture
def place(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.make()
    return folder


def test_a_run_that_is_another_one_is_refused_with_all_that_differs(place):
    place.begin(RECORD, [{"case_id": "x", "fold_0": "training"}])
    place.require_same(RECORD)
    changed = {**RECORD, "settings": {"loss": "focal", "epochs": 3}, "cases": {"x": "1", "y": "2"}}
    with pytest.raises(UsageError, match=r"loss was dice and is focal; cases.y was null and is 2\).*--force"):
        place.require_same(changed)


def test_taking_a_training_away_leaves_prepared_cases_and_files_of_others(place):
    place.begin(RECORD, [{"case_id": "x"}])
    for name in ("fold_0/stage_1/checkpoint.pt", "models/a/model.json", "cache/entry", "notes.txt"):
        (place.path / name).parent.mkdir(parents=True, exist_ok=True)
        (place.path / name).write_text("x")
    place.clear()
    assert sorted(path.name for path in place.path.iterdir()) == ["cache", "notes.txt"]


def test_what_a_killed_process_left_half_written_is_swept_up(place):
    left = place.path / "fold_0" / "stage_1" / ".htseg-abc-checkpoint.pt"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    place.begin(RECORD, [{"case_id": "x"}])
    assert not left.exists()


def test_a_record_knows_cases_by_content_and_no_folder(tiny):
    record = run_record(tiny.cases, tiny.settings, "ours", (), tiny.table)
    assert set(record["cases"]) == {case.case_id for case in tiny.cases}
    assert len(record["manifest"]["sha256"]) == 64
    assert str(tiny.table.parent) not in json.dumps(record)
    folds = make_folds(tiny.cases, 2, 0)
    rows = fold_table(tiny.cases, folds)
    assert {row["fold_0"] for row in rows} == {"training", "held out and validation"}


def test_held_out_cases_are_compared_with_the_classes_that_were_trained(tiny, place):
    case = tiny.cases[0]
    held = HeldOut(place, tiny.cases, tiny.settings, "cohort.csv")
    assert held._case(case, 2, 0).reference == case.reference
    assert held._case(case, 2, 0).roi == ()
    # As intraventricular blood that is background: value 1 becomes nothing.
    settings = dataclasses.replace(tiny.settings, label_map=((1, 0), (2, 1)))
    mapped = HeldOut(place, tiny.cases, settings, "cohort.csv")._case(case, 2, 0).reference
    image = sitk.ReadImage(str(mapped))
    assert not np.any(sitk.GetArrayViewFromImage(image))
    assert LabelMap(((1, 0), (2, 1))).classes(np.array([0, 1, 2], np.uint8)).tolist() == [0, 0, 1]
    assert mapped.is_relative_to(place.predictions)
