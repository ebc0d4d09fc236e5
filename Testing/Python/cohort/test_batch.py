"""A batch from its table of cases to its results: what it writes, what it keeps, what it refuses."""

import json
import os
import shutil

import pytest

from HTSegmentationLib import AdaptiveThreshold, measure_mask, measure_overlap, read_ct, read_roi
from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.batch.columns import BASE
from HTSegmentationLib.cohort.batch.job import CaseJob
from HTSegmentationLib.cohort.batch.lock import locked
from HTSegmentationLib.cohort.batch.record_check import finished_record
from HTSegmentationLib.cohort.batch.run import BatchOptions, run_batch
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.evaluation import read_results
from HTSegmentationLib.cohort.manifest import read_manifest
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.roi import read_mask
from HTSegmentationLib.version import __version__

from .small_cohort import COLUMNS, read_rows, row, write_cohort, write_manifest


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Three cases and their manifest."""
    return write_cohort(tmp_path_factory.mktemp("cohort"), 3)


@pytest.fixture(scope="module")
def finished(cohort, tmp_path_factory):
    """The output folder of a batch of all of them, with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("finished") / "out"
    assert main(["batch", str(cohort), "--output", str(folder), "--jobs", "2", "--preview", "--parquet"]) == 0
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """A finished output folder that a test may change."""
    return shutil.copytree(finished, tmp_path / "out")


def again(cohort, folder, **options):
    return run_batch(
        read_manifest(cohort, needs_roi=True), folder, BatchSettings("adaptive"), BatchOptions(jobs=1, **options)
    )


def job(cohort, folder, name):
    """What :func:`again` would do with one case."""
    manifest, settings = read_manifest(cohort, needs_roi=True), BatchSettings("adaptive")
    case = next(case for case in manifest.cases if case.case_id == name)
    return CaseJob(case, str(folder), settings, settings.as_record(manifest, settings.segmenter()), {}, preview=True)


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "masks").iterdir()}


def test_each_row_holds_what_the_library_measures_on_the_same_files(cohort, finished):
    rows = read_rows(finished / "results.csv")
    assert [r["case_id"] for r in rows] == ["ph-01", "ph-02", "ph-03"]
    found = rows[1]
    scan = read_ct(cohort.parent / "ph-02" / "ct.nii.gz")
    result = AdaptiveThreshold().run(scan, read_roi(cohort.parent / "ph-02" / "roi.nii.gz", scan.image))
    truth, _ = read_mask(cohort.parent / "ph-02" / "truth.nii.gz")
    measured = measure_mask(result.mask, scan.image)
    assert float(found["dice"]) == pytest.approx(measure_overlap(result.mask, truth).dice, abs=1e-6)
    assert float(found["volume_ml"]) == pytest.approx(measured.volume_ml, abs=1e-6)
    assert float(found["sd_hu_mask"]) == pytest.approx(measured.sd_hu, abs=1e-6)
    assert float(found["first_mask_sd_hu"]) == pytest.approx(result.details.sd_hu, abs=1e-6)
    assert int(found["rule_number"]) == result.details.rule_number + 1
    assert (float(found["threshold_lower_hu"]), float(found["threshold_upper_hu"])) == result.details.threshold_hu
    written, _ = read_mask(finished / found["mask"])
    assert measure_overlap(written, result.mask).dice == 1.0


def test_the_table_has_the_agreed_columns_and_the_manifests_own_last(finished):
    header = (finished / "results.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header == [*BASE, "Age"]


def test_results_tell_nothing_of_where_and_when_they_were_made(cohort, finished):
    text = (finished / "results.csv").read_text(encoding="utf-8")
    assert str(cohort.parent) not in text
    assert str(finished) not in text


def test_the_record_knows_its_inputs_and_the_evaluation_finds_them(cohort, finished):
    record = json.loads((finished / "records" / "ph-01.json").read_text(encoding="utf-8"))
    assert record["inputs"]["image"]["path"] == str(cohort.parent / "ph-01" / "ct.nii.gz")
    assert len(record["inputs"]["roi"][0]["sha256"]) == 64
    assert record["comparison"]["dice"] == pytest.approx(record["row"]["dice"], abs=1e-6)
    results = read_results(finished)
    assert results.cases[0].number("dice") == record["row"]["dice"]
    assert results.files_of("ph-01").reference == cohort.parent / "ph-01" / "truth.nii.gz"
    assert results.seconds["ph-01"] > 0


def test_parquet_holds_the_same_numbers_as_the_csv(finished):
    from pyarrow import parquet

    rows = parquet.read_table(finished / "results.parquet").to_pylist()
    for number, text in zip(rows, read_rows(finished / "results.csv"), strict=True):
        assert list(number) == list(text)
        assert number["dice"] == float(text["dice"])
        assert number["component_count"] == int(text["component_count"])
        assert (number["auc_roi"] is None) == (text["auc_roi"] == "")
        assert number["Age"] == text["Age"]


def test_a_picture_of_each_case_is_drawn_when_asked_for(finished):
    assert sorted(path.name for path in (finished / "previews").iterdir()) == ["ph-01.png", "ph-02.png", "ph-03.png"]


def test_a_finished_batch_is_not_done_again_and_its_table_stays_as_it_is(cohort, copied):
    before, table = stamps(copied), (copied / "results.csv").read_bytes()
    summary = again(cohort, copied)
    assert (summary.state.done, summary.state.kept, stamps(copied)) == (3, 3, before)
    assert (copied / "results.csv").read_bytes() == table


def test_a_case_without_its_mask_is_done_again_and_the_table_comes_out_the_same(cohort, copied):
    table = (copied / "results.csv").read_bytes()
    (copied / "masks" / "ph-02.nii.gz").unlink()
    summary = again(cohort, copied, preview=True)
    assert (summary.state.done, summary.state.kept) == (3, 2)
    assert (copied / "results.csv").read_bytes() == table


@pytest.mark.parametrize(
    "change",
    [
        *("nothing", "scan touched", "folders moved", "mask cut short", "mask gone", "record gone", "record damaged"),
        *("picture gone", "scan changed", "another scan", "no reference", "another version"),
    ],
)
def test_a_case_counts_as_done_only_with_the_same_files_and_all_its_results(cohort, finished, tmp_path, change):
    moved, copied = shutil.copytree(cohort.parent, tmp_path / "moved"), shutil.copytree(finished, tmp_path / "out")
    table = cohort if change == "nothing" else moved / "cohort.csv"
    mask, record = copied / "masks" / "ph-02.nii.gz", copied / "records" / "ph-02.json"
    scan = moved / "ph-02" / "ct.nii.gz"
    {
        "nothing": lambda: None,
        "scan touched": lambda: os.utime(scan),
        "folders moved": lambda: None,
        "mask cut short": lambda: mask.write_bytes(mask.read_bytes()[:-10]),
        "mask gone": mask.unlink,
        "record gone": record.unlink,
        "record damaged": lambda: record.write_text("{"),
        "picture gone": (copied / "previews" / "ph-02.png").unlink,
        "scan changed": lambda: scan.write_bytes(scan.read_bytes()[:-1] + b"x"),
        "another scan": lambda: shutil.copyfile(moved / "ph-03" / "ct.nii.gz", scan),
        "no reference": lambda: write_manifest(table, [row("ph-02", reference="")]),
        "another version": lambda: record.write_text(record.read_text().replace(f'"{__version__}"', '"0.0.1"')),
    }[change]()
    known = finished_record(job(table, copied, "ph-02"))
    assert (known is not None) == (change in ("nothing", "scan touched", "folders moved"))


def test_what_the_manifest_says_besides_is_brought_up_to_date_without_work(cohort, finished, tmp_path):
    moved = shutil.copytree(cohort.parent, tmp_path / "moved")
    copied = shutil.copytree(finished, tmp_path / "out")
    names = ("ph-01", "ph-02")
    write_manifest(moved / "cohort.csv", [row(name, ht_type="HI2", dice="seen") for name in names], (*COLUMNS, "dice"))
    assert again(moved / "cohort.csv", copied).state.kept == 2
    rows = read_rows(copied / "results.csv")
    assert [(r["ht_type"], r["manifest_dice"]) for r in rows] == [("HI2", "seen")] * 2
    assert all(float(r["dice"]) > 0.5 for r in rows)


def test_other_settings_in_the_same_folder_are_refused_with_what_differs(cohort, copied, tmp_path, capsys):
    site = tmp_path / "site.toml"
    site.write_text("closing_diameter_voxels = 5\n")
    call = ["batch", str(cohort), "--output", str(copied), "--parameters", str(site)]
    before = stamps(copied)
    assert main(call) == 2
    assert "closing_diameter_voxels was 4 and is 5" in capsys.readouterr().err
    assert stamps(copied) == before
    assert main([*call, "--force", "--jobs", "1"]) == 0
    assert all(stamps(copied)[name] > before[name] for name in before)


def test_two_runs_on_one_folder_refuse_each_other(cohort, copied):
    with locked(copied / ".batch.lock"), pytest.raises(UsageError, match=rf"another run.*process {os.getpid()} on"):
        again(cohort, copied)
    assert again(cohort, copied).state.kept == 3


def test_a_folder_of_somebody_elses_files_is_not_written_to(cohort, tmp_path):
    (tmp_path / "thesis.txt").write_text("text")
    with pytest.raises(UsageError, match="no batch wrote, as thesis"):
        again(cohort, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".batch.lock", "thesis.txt"]


def test_inputs_that_lie_where_results_go_are_refused(cohort, copied):
    table = write_manifest(
        copied / "again.csv", [row("a", image="masks/ph-01.nii.gz", roi="masks/ph-02.nii.gz", reference="")]
    )
    with pytest.raises(UsageError, match="lies where the results go"):
        again(table, copied)


def test_growth_since_a_baseline_has_columns_of_its_own(cohort, tmp_path):
    cells = {"baseline": f"{cohort.parent}/ph-01/ct.nii.gz", "baseline_roi": f"{cohort.parent}/ph-01/roi.nii.gz"}
    here = {name: f"{cohort.parent}/{text}" for name, text in row("ph-02").items() if name in ("image", "roi", "reference")}
    table = write_manifest(tmp_path / "c.csv", [row("ph-02", **here, **cells)], (*COLUMNS, "baseline", "baseline_roi"))
    again(table, tmp_path / "out")
    found = read_rows(tmp_path / "out" / "results.csv")[0]
    assert (found["status"], found["error"]) == ("done", "")
    grown = float(found["volume_ml"]) - float(found["baseline_volume_ml"])
    assert float(found["growth_ml"]) == pytest.approx(grown, abs=2e-6)
    assert found["expansion_12_5ml"] == "false"


def test_a_wrong_number_of_jobs_and_flags_that_do_not_go_together_are_refused(cohort, tmp_path, capsys):
    call = ["batch", str(cohort), "--output", str(tmp_path / "out")]
    assert main([*call, "--jobs", "0"]) != 0
    assert main([*call, "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"]) == 2
    assert main([*call, "--timeout", "-1"]) != 0
    assert not (tmp_path / "out").exists()
