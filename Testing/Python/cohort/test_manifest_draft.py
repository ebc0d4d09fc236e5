"""Tables of cases drafted from folders."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.manifest import read_manifest, write_manifest
from HTSegmentationLib.cohort.manifest.draft import draft_manifest
from HTSegmentationLib.cohort.manifest.patterns import Patterns
from HTSegmentationLib.errors import InputError, UsageError


def touch(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def drafted(folder, **options):
    return draft_manifest(folder, folder / "cohort.csv", **options)


def test_a_folder_a_case_is_found_and_the_draft_can_be_read(tmp_path):
    touch(
        tmp_path, "PH1/p 1/ct.nii.gz", "PH1/p 1/roi.mrk.json", "PH1/p 1/truth.nii.gz", "HI2/p2/image.nrrd", "HI2/p2/roi.nii"
    )
    draft = drafted(tmp_path, group="^[^/]+")
    write_manifest(tmp_path / "cohort.csv", draft.rows, draft.columns)
    manifest = read_manifest(tmp_path / "cohort.csv", needs_roi=True)
    assert manifest.problems == ()
    assert [(case.case_id, case.ht_type, case.reference is None) for case in manifest.cases] == [
        ("p2", "HI2", True),
        ("p-1", "PH1", False),
    ]
    assert draft.count("reference") == 1
    assert any("p 1 is called p-1" in text for text in draft.unclear)


def test_files_named_after_their_cases_are_found(tmp_path):
    touch(tmp_path, "s/x_ct.nii.gz", "s/x_roi.nii.gz", "s/y_ct.nii.gz", "s/y_mask.nii.gz")
    rows = drafted(tmp_path).rows
    assert [(row["case_id"], row["image"], row["roi"], row["reference"]) for row in rows] == [
        ("x", "s/x_ct.nii.gz", "s/x_roi.nii.gz", ""),
        ("y", "s/y_ct.nii.gz", "", "s/y_mask.nii.gz"),
    ]


def test_patterns_join_folders_of_images_and_labels(tmp_path):
    touch(tmp_path, "images/a_0000.nii.gz", "images/b_0000.nii.gz", "labels/a.nii.gz", "labels/c.nii.gz")
    patterns = Patterns(image=("images/{id}_0000.nii.gz",), reference=("labels/{id}.nii.gz",))
    rows = drafted(tmp_path, patterns=patterns).rows
    assert [(row["case_id"], row["reference"]) for row in rows] == [("a", "labels/a.nii.gz"), ("b", "")]


def test_what_several_files_could_be_is_left_empty_and_said(tmp_path):
    touch(tmp_path, "a/ct.nrrd", "a/ct.mha", "a/roi.nii.gz", "a/roi.mrk.json")
    draft = drafted(tmp_path)
    assert draft.rows[0]["image"] == ""
    assert draft.rows[0]["roi"] == "a/roi.mrk.json|a/roi.nii.gz"
    assert ["none was taken" in draft.unclear[0], "the union counts" in draft.unclear[1]] == [True, True]


def test_cases_of_one_name_in_several_folders_get_names_of_their_own(tmp_path):
    touch(tmp_path, "x/1/ct.nii.gz", "y/1/ct.nii.gz", "y/2/ct.nii.gz")
    assert [row["case_id"] for row in drafted(tmp_path).rows] == ["x-1", "y-1", "2"]


def test_a_path_that_a_spreadsheet_would_run_is_written_harmlessly(tmp_path):
    touch(tmp_path, "=cmd/ct.nii.gz")
    assert drafted(tmp_path).rows[0]["image"] == "./=cmd/ct.nii.gz"


def test_each_dicom_series_is_a_case_with_the_roi_beside_it(tmp_path):
    for name in ("one", "two"):
        series(tmp_path / name / "dicom", uid=f"1.2.3.{len(name)}{name == 'one':d}")
    touch(tmp_path, "one/roi.mrk.json")
    draft = drafted(tmp_path)
    assert [(row["case_id"], row["image"], row["roi"]) for row in draft.rows] == [
        ("one", "one/dicom", "one/roi.mrk.json"),
        ("two", "two/dicom", ""),
    ]


def test_a_folder_of_several_series_gives_a_row_for_each_and_says_so(tmp_path):
    series(tmp_path / "one", uid="1.2.3.1", number=2)
    series(tmp_path / "one", uid="1.2.3.2", number=3)
    draft = drafted(tmp_path)
    assert [row["case_id"] for row in draft.rows] == ["one-s2", "one-s3"]
    assert "2 CT series" in draft.unclear[0]
    assert all((tmp_path / row["image"]).is_file() for row in draft.rows)


def test_a_folder_without_cases_and_a_wrong_expression_are_refused(tmp_path):
    with pytest.raises(InputError, match="say with --image"):
        drafted(tmp_path)
    touch(tmp_path, "a/ct.nii.gz")
    with pytest.raises(UsageError, match="regular expression"):
        drafted(tmp_path, group="(")
    with pytest.raises(UsageError, match="below the folder"):
        drafted(tmp_path, patterns=Patterns(image=("../ct.nii.gz",)))


def test_the_command_says_what_is_missing_and_writes_over_nothing(tmp_path, capsys):
    touch(tmp_path, "a/ct.nii.gz", "a/roi.nii.gz", "b/ct.nii.gz")
    call = ["manifest", str(tmp_path), "--output", str(tmp_path / "cohort.csv")]
    assert main(call) == 0
    assert "1 of 2; none for b" in capsys.readouterr().out
    before = (tmp_path / "cohort.csv").read_bytes()
    assert main(call) == 2
    assert main([*call, "--image", "roi.*", "--force"]) == 0
    assert (tmp_path / "cohort.csv").read_bytes() != before


def series(folder, uid, number=1, slices=3):
    """A CT series of so many flat slices."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for position in range(slices):
        image = sitk.GetImageFromArray(np.full((1, 8, 8), 40, np.int16))
        image.SetOrigin((0, 0, 5.0 * position))
        tags = {"0008|0060": "CT", "0020|000e": uid, "0020|0011": str(number), "0020|0013": str(position)}
        tags |= {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"{uid}.{position}",
            "0008|0008": "ORIGINAL\\PRIMARY\\AXIAL",
        }
        tags |= {"0020|0032": f"0\\0\\{5 * position}", "0020|0037": "1\\0\\0\\0\\1\\0"}
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{uid}-{position}.dcm"))
        writer.Execute(image)
