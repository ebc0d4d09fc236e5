"""Cases that are broken, hostile or mistaken: each becomes a row with its reason, and nothing else is touched."""

import hashlib
import os
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.batch.run import BatchOptions, run_batch
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.evaluation import read_results
from HTSegmentationLib.cohort.manifest import read_manifest
from HTSegmentationLib.errors import OutputError

from ..phantom import as_scan, head_array
from .small_cohort import COLUMNS, read_rows, row, write_case, write_manifest


def listing(folder):
    """Every file of a folder with its hash, links not followed."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if os.access(path, os.R_OK) else "unreadable"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


HUGE = """NRRD0004
type: short
dimension: 3
space: left-posterior-superior
sizes: 60000 60000 60000
space directions: (1,0,0) (0,1,0) (0,0,1)
kinds: domain domain domain
endian: little
encoding: gzip
space origin: (0,0,0)

"""
"""The header of a volume that no memory holds, without any data."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """(rows by case, listing of everything before and after, exit status) of a batch of such cases."""
    top = tmp_path_factory.mktemp("hostile")
    folder = top / "cohort"
    good = folder / "good"
    write_case(good, seed=1)
    ct = (good / "ct.nii.gz").read_bytes()
    (folder / "cut.nii.gz").write_bytes(ct[: len(ct) // 2])
    (folder / "text.nii.gz").write_text("these are my notes")
    (folder / "png.nii.gz").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    (folder / "huge.nrrd").write_text(HUGE)
    (folder / "locked.nii.gz").write_bytes(ct)
    (folder / "locked.nii.gz").chmod(0)
    truth = sitk.ReadImage(str(good / "truth.nii.gz"))
    sitk.WriteImage(truth[:, :, 1:], str(folder / "other-grid.nii.gz"))
    sitk.WriteImage(truth * 0, str(folder / "empty.nii.gz"))
    elsewhere = sitk.GetImageFromArray(np.ascontiguousarray(sitk.GetArrayFromImage(truth)[:, :, ::-1]))
    elsewhere.CopyInformation(truth)
    sitk.WriteImage(elsewhere, str(folder / "elsewhere.nii.gz"))
    sitk.WriteImage(as_scan(head_array(bleed_hu=32.0, noise_hu=0.0)[0]).image, str(folder / "plain.nii.gz"))

    def case(name, **cells):
        return row("good") | {"case_id": name} | cells

    rows = [
        case("good"),
        *(case(name, image=f"{name}.nii.gz") for name in ("cut", "text", "png", "locked")),
        case("huge", image="huge.nrrd"),
        case("other-grid", reference="other-grid.nii.gz"),
        case("elsewhere", reference="elsewhere.nii.gz"),
        case("empty-reference", reference="empty.nii.gz"),
        case("empty-mask", image="plain.nii.gz"),
        case("both-empty", image="plain.nii.gz", reference="empty.nii.gz"),
        case("empty-roi", roi="empty.nii.gz"),
        case("no-roi", roi=""),
        case("no-image", image="none.nii.gz"),
        *(case(name) for name in ("../x", "/etc/x", "CON", "a/b", "=cmd|' /C calc'!A0", "twice", "TWICE", "")),
        case("formula", Age="=1+1", ht_type="@SUM(A1)\x1b[2J"),
        case("last"),
    ]
    write_manifest(folder / "cohort.csv", rows, COLUMNS)
    before = listing(top)
    output = top / "out"
    status = main(["batch", str(folder / "cohort.csv"), "--output", str(output), "--skip-invalid", "--jobs", "2"])
    after = {path: digest for path, digest in listing(top).items() if not path.startswith(f"{output}{os.sep}")}
    found = read_rows(output / "results.csv")
    return {r["case_id"]: r for r in found}, before, after, status, output


def test_every_good_case_is_done_and_every_bad_one_has_its_row_in_order(hostile):
    rows, _, _, status, _ = hostile
    done = [name for name, r in rows.items() if r["status"] == "done"]
    readable = ["locked"] if os.access(__file__, os.R_OK) and hasattr(os, "geteuid") and os.geteuid() == 0 else []
    assert done == ["good", *readable, "elsewhere", "empty-reference", "empty-mask", "both-empty", "formula", "last"]
    assert len(rows) == 24
    assert status == 1
    assert [*rows][:2] == ["good", "cut"]
    assert [*rows][-1] == "last"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cut", "cut.nii.gz: "),
        ("text", "text.nii.gz: "),
        ("png", "png.nii.gz: "),
        ("huge", "its header claims 60000 x 60000 x 60000 voxels"),
        ("other-grid", "reference and scan lie on different grids"),
        ("empty-roi", "empty.nii.gz: no voxel of it is above 0"),
        ("no-roi", "roi is empty"),
        ("no-image", "image 'none.nii.gz': there is no such file"),
        ("../x (row 16)", "cannot be part of a file name"),
        ("/etc/x (row 17)", "cannot be part of a file name"),
        ("CON (row 18)", "Windows keeps"),
        ("a/b (row 19)", "cannot be part of a file name"),
        ("'=cmd|' /C calc'!A0 (row 20)", "cannot be part of a file name"),
        ("twice (row 21)", "2 rows have the case_id 'twice'"),
        ("TWICE (row 22)", "2 rows have the case_id 'TWICE'"),
        ("(row 23)", "case_id is empty"),
    ],
)
def test_the_reason_is_said_in_one_line_and_nothing_is_measured(hostile, name, reason):
    found = hostile[0][name]
    assert found["status"] == "failed"
    assert reason in found["error"]
    assert "\n" not in found["error"]
    assert (found["volume_ml"], found["mask"]) == ("", "")


def test_a_file_that_may_not_be_read_is_said(hostile):
    if hostile[0]["locked"]["status"] == "done":
        pytest.skip("this user may read every file: a forbidden one was not tested")
    assert "permission denied" in hostile[0]["locked"]["error"]


def test_nothing_outside_the_output_folder_is_touched(hostile):
    _, before, after, _, _ = hostile
    assert after == before


def test_a_reference_that_the_mask_does_not_touch_is_doubted(hostile):
    found = hostile[0]["elsewhere"]
    assert float(found["dice"]) == 0
    assert "reference-apart" in found["remark_codes"].split()
    assert "reference-apart" not in hostile[0]["good"]["remark_codes"].split()


@pytest.mark.parametrize(
    ("name", "dice", "hd95"), [("empty-reference", 0, ""), ("empty-mask", 0, ""), ("both-empty", 1, "0.0")]
)
def test_empty_masks_give_the_comparison_that_is_defined(hostile, name, dice, hd95):
    found = hostile[0][name]
    assert (float(found["dice"]), found["hd95_mm"]) == (dice, hd95)
    assert "reference-apart" not in found["remark_codes"]


def test_no_cell_is_a_formula_and_no_failed_case_left_a_mask(hostile):
    rows, _, _, _, output = hostile
    assert rows["formula"]["Age"] == "'=1+1"
    assert rows["formula"]["ht_type"] == "'@SUM(A1) [2J"
    masks = {path.name.removesuffix(".nii.gz") for path in (output / "masks").iterdir()}
    assert masks == {name for name, r in rows.items() if r["status"] == "done"}


def test_the_evaluation_reads_such_a_table(hostile):
    results = read_results(hostile[4])
    assert len(results.cases) == 24
    assert len(results.failures) == sum(r["status"] == "failed" for r in hostile[0].values())


def test_without_being_asked_to_go_on_such_a_table_is_refused_before_any_work(hostile, tmp_path, capsys):
    table = hostile[4].parent / "cohort" / "cohort.csv"
    assert main(["batch", str(table), "--output", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 11
    assert "row 14 (no-roi): roi is empty" in told[0]
    assert "14 of 24 cases can be worked on" in told[-1]
    assert not (tmp_path / "out").exists()


def test_of_very_many_problems_the_first_are_shown_and_the_rest_counted(tmp_path, capsys):
    write_manifest(tmp_path / "c.csv", [row(f"c{number}", reference="", roi="c.csv") for number in range(60)])
    assert main(["batch", str(tmp_path / "c.csv"), "--output", str(tmp_path / "out")]) == 2
    assert "and 10 more problems" in capsys.readouterr().err.splitlines()[50]


def test_a_link_in_the_place_of_a_folder_is_not_followed(hostile, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    shutil.copyfile(hostile[4] / "batch.json", tmp_path / "out" / "batch.json")
    (tmp_path / "out" / "masks").symlink_to(tmp_path / "elsewhere")
    manifest = read_manifest(hostile[4].parent / "cohort" / "cohort.csv", needs_roi=True)
    with pytest.raises(OutputError, match="it is a link"):
        run_batch(manifest, tmp_path / "out", BatchSettings("adaptive"), BatchOptions(skip_invalid=True))
    assert list((tmp_path / "elsewhere").iterdir()) == []
