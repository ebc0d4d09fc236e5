"""A simulated cohort is a folder as a site would have it; what is there already is not made again."""

import csv
import dataclasses
import hashlib
import json
import shutil

import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.manifest import read_manifest
from HTSegmentationLib.cohort.simulated import simulate_cohort
from HTSegmentationLib.errors import Cancelled, OutputError
from HTSegmentationLib.simulate import cohort_parameters

FILES = ["case.json", "ct.nii.gz", "infarct.nii.gz", "roi.nii.gz", "truth.nii.gz"]


def parameters():
    return [dataclasses.replace(case, matrix=64) for case in cohort_parameters(2, 1, seed=3)]


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nii.gz")}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated cohort")
    return folder, simulate_cohort(parameters(), folder, jobs=2)


def test_each_case_has_its_files_and_its_row(made):
    folder, cohort = made
    assert cohort.case_ids == ("hi2-01", "hi2-02", "ph-01")
    assert cohort.made == 3
    with cohort.manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["case_id", "image", "roi", "reference", "ht_type", "true_volume_ml", "seed"]
    for row, asked in zip(rows, parameters(), strict=True):
        assert sorted(path.name for path in (folder / row["case_id"]).iterdir()) == FILES
        assert row["ht_type"] == asked.hemorrhage_type.value
        assert int(row["seed"]) == asked.seed
        assert float(row["true_volume_ml"]) == pytest.approx(asked.volume_ml, rel=0.05)
        assert (
            sitk.ReadImage(str(folder / row["reference"])).GetSize() == sitk.ReadImage(str(folder / row["image"])).GetSize()
        )


def test_the_manifest_is_one_that_other_commands_take_without_a_problem(made):
    manifest = read_manifest(made[1].manifest, needs_roi=True)
    assert manifest.problems == ()
    assert [case.case_id for case in manifest.ready] == ["hi2-01", "hi2-02", "ph-01"]
    assert [case.ht_type for case in manifest.ready] == ["HI2", "HI2", "PH"]


def test_finished_cases_are_not_made_again_and_damaged_ones_are(made):
    folder, _ = made
    before, known = hashes(folder), times(folder)
    assert simulate_cohort(parameters(), folder, jobs=2).made == 0
    assert times(folder) == known
    (folder / "hi2-02" / "truth.nii.gz").unlink()
    (folder / "ph-01" / "case.json").write_text("{", encoding="utf-8")
    assert simulate_cohort(parameters(), folder, jobs=2).made == 2
    assert hashes(folder) == before


def test_other_parameters_make_a_case_anew(made, tmp_path):
    shutil.copytree(made[0] / "hi2-01", tmp_path / "hi2-01")
    changed = [dataclasses.replace(parameters()[0], noise_sd_hu=9.0)]
    assert simulate_cohort(changed, tmp_path, jobs=1).made == 1
    record = json.loads((tmp_path / "hi2-01" / "case.json").read_text())
    assert record["parameters"]["noise_sd_hu"] == 9.0


def test_a_stopped_cohort_has_no_manifest_and_goes_on_from_where_it_was(made, tmp_path):
    shutil.copytree(made[0] / "ph-01", tmp_path / "ph-01")

    def stop(stage, _):
        if "1 of 3" in stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        simulate_cohort(parameters(), tmp_path, jobs=1, progress=stop)
    assert not (tmp_path / "cohort.csv").exists()
    assert simulate_cohort(parameters(), tmp_path, jobs=1).made < 2
    assert hashes(tmp_path) == hashes(made[0])


def test_a_file_in_a_case_folders_place_is_named(tmp_path):
    (tmp_path / "hi2-01").write_text("")
    with pytest.raises(OutputError, match="hi2-01"):
        simulate_cohort(parameters()[:1], tmp_path, jobs=1)


def run(capsys, *arguments):
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_command_makes_a_cohort_and_says_where_it_is(tmp_path, capsys):
    folder = tmp_path / "cohort"
    call = ["simulate", "cohort", "--output", folder, "--hi2", "1", "--ph", "0", "--seed", "4"]
    status, out, err = run(capsys, *call)
    assert (status, err) == (0, "")
    assert "1 (1 HI2, 0 PH), simulated: no patients" in out
    status, out, _ = run(
        capsys, "simulate", "cohort", "--output", folder, "--hi2", "1", "--ph", "0", "--seed", "4", "--json", "-"
    )
    assert json.loads(out) == {"manifest": str(folder / "cohort.csv"), "cases": ["hi2-01"], "made": 0, "seed": 4}


@pytest.mark.parametrize(
    "flags",
    [
        ["cohort", "--volume", "5"],
        ["cohort", "--type", "HI2"],
        ["cohort", "--touching-skull"],
        ["cohort", "--hi2", "0", "--ph", "0"],
        ["cohort", "--seed", "-1"],
        ["--hi2", "3"],
        ["case", "--jobs", "2"],
        ["nothing"],
    ],
)
def test_flags_that_do_not_go_together_end_with_2_and_write_nothing(flags, tmp_path, capsys):
    status, out, err = run(capsys, "simulate", *flags, "--output", tmp_path / "new")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert not (tmp_path / "new").exists()
