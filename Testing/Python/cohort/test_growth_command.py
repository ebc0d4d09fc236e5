"""``htseg compare`` on files, as a user calls it."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.export import write_image, write_mask

from .growth_heads import another_patient, scanned_anew, upright


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two scans")
    for name, case in (("first", upright()), ("second", scanned_anew()), ("other", another_patient())):
        write_image(folder / f"{name}.nii.gz", case.scan.image)
        write_mask(folder / f"{name}-bleed.nii.gz", case.hemorrhage)
        write_image(folder / f"{name}-roi.nii.gz", case.roi.on_grid(case.scan.image))
    return folder


def run(capsys, *arguments):
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def masks(files, followup="second"):
    return ["--baseline-mask", files / "first-bleed.nii.gz", "--followup-mask", files / f"{followup}-bleed.nii.gz"]


def test_given_masks_are_compared_and_everything_is_written(files, tmp_path, capsys):
    scans, output = [files / "first.nii.gz", files / "second.nii.gz"], tmp_path / "compared"
    status, out, err = run(capsys, "compare", *scans, *masks(files), "--output", output)
    assert (status, err) == (0, "")
    assert "growth beyond the measurement's uncertainty" in out
    assert "yes: more than 6 mL or 33%" in out
    names = ["baseline-mask.nii.gz", "baseline-to-followup.tfm", "compare.json", "compare.png", "followup-mask.nii.gz"]
    assert sorted(path.name for path in output.iterdir()) == [*names, "followup-on-baseline.nii.gz"]
    assert (output / "compare.png").read_bytes().startswith(b"\x89PNG")
    record = json.loads((output / "compare.json").read_text())
    assert record["growth_ml"] == pytest.approx(record["followup_volume_ml"] - record["baseline_volume_ml"])

    transform = sitk.ReadTransform(str(output / "baseline-to-followup.tfm"))
    point = np.array([5.0, -10.0, 20.0, 1.0])
    by_matrix = np.array(record["alignment"]["baseline_to_followup_lps_mm"]) @ point
    np.testing.assert_allclose(transform.TransformPoint(point[:3].tolist()), by_matrix[:3], atol=1e-6)
    first, second, carried = (sitk.ReadImage(str(path)) for path in (*scans, output / "followup-on-baseline.nii.gz"))
    again = sitk.Resample(second, first, transform, sitk.sitkLinear, -1000.0, sitk.sitkFloat32)
    difference = np.abs(sitk.GetArrayFromImage(again) - sitk.GetArrayFromImage(carried))
    assert difference.max() <= 0.51


def test_bleeds_are_segmented_here_when_rois_are_given(files, tmp_path, capsys):
    rois = ["--baseline-roi", files / "first-roi.nii.gz", "--roi", files / "second-roi.nii.gz"]
    call = ["compare", files / "first.nii.gz", files / "second.nii.gz", *rois, "--output", tmp_path, "--json", "-"]
    status, out, _ = run(capsys, *call, "--no-picture")
    assert status == 0
    record = json.loads(out)
    assert record["baseline_volume_ml"] > 2
    assert not (tmp_path / "compare.png").exists()
    assert {"baseline", "followup"} == {remark["scan"] for remark in record["scan_remarks"]}
    alone = ["segment", files / "first.nii.gz", "--roi", files / "first-roi.nii.gz", "--output", tmp_path / "m.nii.gz"]
    segmented = json.loads(run(capsys, *alone, "--json", "-")[1])
    assert segmented["measurements"]["volume_ml"] == pytest.approx(record["baseline_volume_ml"])


def test_two_patients_are_warned_of(files, tmp_path, capsys):
    scans = [files / "first.nii.gz", files / "other.nii.gz"]
    status, out, _ = run(capsys, "compare", *scans, *masks(files, "other"), "--output", tmp_path, "--no-picture")
    assert status == 0
    assert "doubtful" in out
    assert "two patients" in " ".join(out.split())


def test_without_alignment_only_volumes_are_compared(files, tmp_path, capsys):
    scans = [files / "first.nii.gz", files / "other.nii.gz"]
    status, out, _ = run(capsys, "compare", *scans, *masks(files, "other"), "--output", tmp_path, "--no-align")
    assert status == 0
    assert "Alignment" not in out
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["baseline-mask.nii.gz", "compare.json", "followup-mask.nii.gz"]


def test_wrong_usage_ends_with_2_and_writes_nothing(files, tmp_path, capsys):
    scans = ["compare", files / "first.nii.gz", files / "second.nii.gz", "--output", tmp_path / "new"]
    for flags in (
        [],
        ["--baseline-mask", files / "first-bleed.nii.gz"],
        [*masks(files), "--roi", files / "second-roi.nii.gz"],
        [*masks(files), "--label", "0"],
        [*masks(files), "--json", files / "first.nii.gz"],
    ):
        status, out, err = run(capsys, *scans, *flags)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert not (tmp_path / "new").exists()
