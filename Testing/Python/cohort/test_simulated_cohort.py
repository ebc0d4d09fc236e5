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
from HTSegmentationLib.cohort.simulated import PlannedCase, Reference, SimulatedCohort, planned_cases, simulate_cohort
from HTSegmentationLib.errors import Cancelled, InputError, OutputError, UsageError
from HTSegmentationLib.simulate import SimulationParameters, cohort_parameters, simulate_head

FILES = ["case.json", "ct.nii.gz", "infarct.nii.gz", "labels.nii.gz", "roi.nii.gz", "truth.nii.gz"]
COLUMNS = [
    *("case_id", "image", "roi", "reference", "ht_type", "true_volume_ml", "seed", "label_map"),
    *("phe_ml", "ivh_ml", "staining_ml", "calcification_ml", "streaks", "motion"),
    *("slice_mm", "noise_hu", "roi_margin_mm", "background", "infarct_mask"),
]


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
    assert list(rows[0]) == COLUMNS
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


def rows_of(cohort):
    with cohort.manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    """A hematoma with all that confounds, and a control with staining; the reference is the labels."""
    folder = tmp_path_factory.mktemp("hard cohort")
    hematoma = SimulationParameters(
        seed=2,
        hemorrhage_type="PH1",
        matrix=96,
        edema=True,
        intraventricular_ml=2,
        calcification=True,
        streaks=0.5,
        motion=0.5,
    )
    control = SimulationParameters(seed=3, hemorrhage_type="none", matrix=96, contrast_staining=0.8, roi_margin_mm=4)
    return folder, simulate_cohort([hematoma, control], folder, reference=Reference.LABELS, jobs=2)


def test_the_manifest_says_what_is_in_each_case(hard):
    hematoma, control = rows_of(hard[1])
    assert [hematoma["case_id"], control["case_id"]] == ["ph1-01", "control-01"]
    assert [hematoma["ht_type"], control["ht_type"]] == ["PH1", "control"]
    assert float(hematoma["ivh_ml"]) == pytest.approx(2, rel=0.01)
    assert float(hematoma["phe_ml"]) > 2
    assert float(hematoma["staining_ml"]) == float(control["phe_ml"]) == float(control["true_volume_ml"]) == 0
    assert float(control["staining_ml"]) > 3
    assert (hematoma["streaks"], hematoma["motion"], control["roi_margin_mm"]) == ("0.5", "0.5", "4")
    assert hematoma["background"] == hematoma["infarct_mask"] == ""


def test_the_labels_are_the_reference_of_whoever_asks_for_them(hard, made):
    for row in rows_of(hard[1]):
        assert row["reference"] == row["label_map"] == f"{row['case_id']}/labels.nii.gz"
    assert all(row["reference"].endswith("/truth.nii.gz") for row in rows_of(made[1]))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(hard[0] / "ph1-01" / "labels.nii.gz")))
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(hard[0] / "ph1-01" / "truth.nii.gz")))
    assert set(labels.ravel().tolist()) == {0, 1, 2, 3}
    assert ((labels == 1) == (truth > 0)).all()


def test_a_control_has_an_roi_and_an_empty_truth_so_that_every_command_takes_it(hard):
    manifest = read_manifest(hard[1].manifest, needs_roi=True)
    assert manifest.problems == ()
    folder = hard[0] / "control-01"
    assert not sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "truth.nii.gz"))).any()
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "roi.nii.gz"))).any()


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory):
    """A head without a lesion as a file whose folder must not be told."""
    file = tmp_path_factory.mktemp("Doe^Jane") / "head.nii.gz"
    sitk.WriteImage(simulate_head(SimulationParameters(seed=6, hemorrhage_type="none", matrix=128)).scan.image, str(file))
    return file


def test_a_cohort_on_a_given_scan_names_the_file_and_is_made_anew_when_that_changes(scan_file, tmp_path):
    head = tmp_path / "scan" / "head.nii.gz"
    head.parent.mkdir()
    shutil.copy(scan_file, head)
    folder = tmp_path / "cohort"
    folder.mkdir()
    cases = planned_cases([SimulationParameters(seed=1, volume_ml=9)], [head])
    cohort = simulate_cohort(cases, folder, jobs=1)
    (row,) = rows_of(cohort)
    assert (row["background"], row["infarct_mask"]) == ("head.nii.gz", "")
    assert float(row["true_volume_ml"]) == pytest.approx(9, rel=0.01)
    texts = [path.read_text(encoding="utf-8") for path in (cohort.manifest, folder / "ph-01" / "case.json")]
    assert not any(str(tmp_path) in text for text in texts)
    assert simulate_cohort(cases, folder, jobs=1).made == 0
    image = sitk.ReadImage(str(head))
    sitk.WriteImage(image + 1, str(head))
    assert simulate_cohort(cases, folder, jobs=1).made == 1


def test_backgrounds_and_infarcts_are_dealt_evenly_and_controls_get_no_infarct(tmp_path):
    cases = cohort_parameters(6, 0, count_controls=2)
    heads, masks = [tmp_path / f"{n}.nii" for n in "ab"], [tmp_path / f"{n}.nii" for n in "cde"]
    planned = planned_cases(cases, heads, masks, seed=1)
    assert [sum(case.background == head for case in planned) for head in heads] == [4, 4]
    assert sorted(sum(case.infarct == mask for case in planned[:6]) for mask in masks) == [2, 2, 2]
    assert planned[6].infarct is planned[7].infarct is None
    assert planned == planned_cases(cases, heads, masks, seed=1)
    with pytest.raises(UsageError, match="infarct masks go with a background"):
        planned_cases(cases, (), masks)


def test_a_background_without_a_head_is_named(tmp_path):
    empty = tmp_path / "water.nii.gz"
    sitk.WriteImage(sitk.Image(64, 64, 30, sitk.sitkInt16) + sitk.GaussianSource(sitk.sitkInt16, [64, 64, 30]), str(empty))
    with pytest.raises(InputError, match=r"water\.nii\.gz"):
        simulate_cohort([PlannedCase(SimulationParameters(), empty)], tmp_path, jobs=1)


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


def test_the_command_paints_a_case_into_a_given_scan_and_tells_its_remarks(scan_file, tmp_path, capsys):
    call = ["simulate", "case", "--output", tmp_path, "--type", "PH1", "--edema", "5", "--ivh", "1"]
    status, out, err = run(capsys, *call, "--background", scan_file, "--noise", "1", "--json", "-")
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert record["true_volume_ml"] == pytest.approx(9, rel=0.01)
    assert record["intraventricular_ml"] == pytest.approx(1, rel=0.01)
    assert [remark["code"] for remark in record["remarks"]] == ["noise-kept"]
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES[1:]
    assert "Doe" not in out


def test_other_types_than_the_published_come_alone_unless_those_are_asked_for(tmp_path, capsys, monkeypatch):
    asked = []

    def instead(cases, folder, **_):
        asked.extend(case.parameters.hemorrhage_type.value for case in cases)
        return SimulatedCohort(folder / "cohort.csv", ("x",) * len(cases), 0, (1.0,) * len(cases))

    monkeypatch.setattr("HTSegmentationLib.cohort.simulated.simulate_cohort", instead)
    assert run(capsys, "simulate", "cohort", "--output", tmp_path, "--hi1", "2", "--ph2", "1", "--controls", "1")[0] == 0
    assert asked == ["HI1", "HI1", "PH2", "none"]
    asked.clear()
    assert run(capsys, "simulate", "cohort", "--output", tmp_path, "--confounders", "some")[0] == 0
    assert (asked.count("HI2"), asked.count("PH"), len(asked)) == (28, 23, 51)


@pytest.mark.parametrize(
    "flags",
    [
        ["cohort", "--volume", "5"],
        ["cohort", "--type", "HI2"],
        ["cohort", "--touching-skull"],
        ["cohort", "--hi2", "0", "--ph", "0"],
        ["cohort", "--seed", "-1"],
        ["--hi2", "3"],
        ["--confounders", "hard"],
        ["case", "--reference", "labels"],
        ["case", "--background", "a.nii", "b.nii"],
        ["case", "--infarct", "a.nii"],
        ["case", "--background", "a.nii", "--slice-thickness", "3"],
        ["cohort", "--edema"],
        ["cohort", "--staining", "1"],
        ["cohort", "--controls", "0"],
        ["cohort", "--confounders", "worst"],
        ["case", "--jobs", "2"],
        ["nothing"],
    ],
)
def test_flags_that_do_not_go_together_end_with_2_and_write_nothing(flags, tmp_path, capsys):
    status, out, err = run(capsys, "simulate", *flags, "--output", tmp_path / "new")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert not (tmp_path / "new").exists()
