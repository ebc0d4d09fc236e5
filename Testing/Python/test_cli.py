"""The command line as a user calls it, on files that the tests write."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.version import __version__

from .phantom import as_scan, box_roi, head_array

BOX = "5,45,-10,30,-12,22"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A folder with a CT and an ROI mask; its name has a space and an umlaut."""
    folder = tmp_path_factory.mktemp("häm orrhage")
    scan = as_scan(head_array()[0])
    sitk.WriteImage(scan.image, str(folder / "ct.nii.gz"))
    sitk.WriteImage(box_roi(scan).on_grid(scan.image), str(folder / "roi.nrrd"))
    return folder


def run(capsys, *arguments):
    """(exit status, stdout, stderr) of one call."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_segment_writes_the_mask_and_says_its_volume(case, tmp_path, capsys):
    mask = tmp_path / "mask.nii.gz"
    status, out, err = run(capsys, "segment", case / "ct.nii.gz", "--roi", case / "roi.nrrd", "--output", mask)
    assert (status, err) == (0, "")
    counted = np.count_nonzero(sitk.GetArrayFromImage(sitk.ReadImage(str(mask)))) * 1.3 * 1.2 * 5 / 1000
    assert f"Hemorrhage volume     {counted:.2f} mL" in out
    assert "Rule " in out
    assert "Remarks" in out


def test_json_on_stdout_is_nothing_but_json_and_holds_everything(case, tmp_path, capsys):
    mask = tmp_path / "mask.seg.nrrd"
    status, out, _ = run(capsys, "segment", case / "ct.nii.gz", "--roi-box", BOX, "--output", mask, "--json", "-")
    record = json.loads(out)
    assert status == 0
    assert record["method"] == "adaptive"
    assert record["measurements"]["volume_ml"] > 3
    assert record["details"]["sd_hu"] > 0
    assert {"code", "severity", "text"} <= set(record["remarks"][0])
    assert record["parameters"]["first_lower_hu"] == 50
    assert record["versions"]["htsegmentation"] == __version__


def test_a_box_with_a_negative_first_number_is_no_flag(case, tmp_path, capsys):
    box = "-45,45,-40,40,-20,22"
    status, _, err = run(capsys, "segment", case / "ct.nii.gz", "--roi-box", box, "--output", tmp_path / "m.nrrd")
    assert (status, err) == (0, "")


def test_a_parameter_file_changes_the_result(case, tmp_path, capsys):
    (tmp_path / "site.toml").write_text("lower_hu = 58\n")
    call = ["segment", case / "ct.nii.gz", "--roi-box", BOX, "--method", "global", "--json", "-", "--output"]
    plain = json.loads(run(capsys, *call, tmp_path / "a.nii.gz")[1])
    changed = json.loads(run(capsys, *call, tmp_path / "b.nii.gz", "--parameters", tmp_path / "site.toml")[1])
    assert changed["details"]["threshold_hu"] == [58, 80]
    assert changed["measurements"]["volume_ml"] < plain["measurements"]["volume_ml"]


def test_preview_and_ct_are_written_when_asked_for(case, tmp_path, capsys):
    preview, ct, mask = tmp_path / "p.png", tmp_path / "ct.nii.gz", tmp_path / "m.nii.gz"
    extra = ["--output", mask, "--preview", preview, "--write-ct", ct]
    status, _, err = run(capsys, "segment", case / "ct.nii.gz", "--roi-box", BOX, *extra)
    assert (status, err) == (0, "")
    assert preview.read_bytes().startswith(b"\x89PNG")
    written, first = sitk.ReadImage(str(ct)), sitk.ReadImage(str(case / "ct.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(first))


def test_measure_agrees_with_segment_to_the_voxel(case, tmp_path, capsys):
    mask = tmp_path / "mask.seg.nrrd"
    segment = ["segment", case / "ct.nii.gz", "--roi-box", BOX, "--output", mask, "--json", "-"]
    first = json.loads(run(capsys, *segment)[1])["measurements"]
    measured = json.loads(run(capsys, "measure", mask, "--image", case / "ct.nii.gz", "--json", "-")[1])["measurements"]
    assert measured == first


def test_measure_against_a_reference_gives_dice(case, tmp_path, capsys):
    mask = tmp_path / "mask.nii.gz"
    run(capsys, "segment", case / "ct.nii.gz", "--roi-box", BOX, "--output", mask)
    status, out, _ = run(capsys, "measure", mask, "--reference", mask)
    assert status == 0
    assert "Dice                  1.000" in out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["segment"],
        ["segment", "CT", "--output", "m.nii.gz"],
        ["segment", "CT", "--roi", "R", "--roi-box", BOX, "--output", "m.nii.gz"],
        ["segment", "CT", "--roi-box", "1,2,3", "--output", "m.nii.gz"],
        ["segment", "CT", "--roi-box", "1,2,3,4,5,x", "--output", "m.nii.gz"],
        ["segment", "CT", "--roi-box", BOX, "--output", "mask.jpg"],
        ["segment", "CT", "--roi-box", BOX, "--output", "m.nii.gz", "--method", "magic"],
        ["segment", "CT", "--roi-box", BOX, "--output", "m.nii.gz", "--preview", "p.txt"],
        ["segment", "CT", "--roi-box", BOX, "--output", "m.nii.gz", "--roi-curve-depth", "9"],
        ["segment", "CT", "--roi", "R", "--output", "m.nii.gz", "--roi-slices", "5-3"],
        ["segment", "m.nii.gz", "--roi-box", BOX, "--output", "m.nii.gz"],
        ["segment", "CT", "--roi-box", BOX, "--output", "m.nii.gz", "--json", "m.nii.gz"],
        ["measure", "M", "--label", "0"],
        ["demo", "--type", "none"],
    ],
)
def test_wrong_usage_ends_with_2_and_writes_nothing(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.nii.gz", None),
        ("empty.nii.gz", b""),
        ("text.nii.gz", b"I am no image\n" * 50),
        ("cut.nii.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
        ("noise.nrrd", bytes(range(256)) * 20),
        ("words.mha", b"ObjectType = Image\nNDims = 3\nDimSize = 9999999 9999999 9999999\n"),
        ("notes.txt", b"hello"),
    ],
)
@pytest.mark.parametrize("role", ["ct", "roi", "mask"])
def test_a_bad_file_gives_one_line_that_names_it_and_leaves_nothing(role, name, content, case, tmp_path, capsys):
    bad, out_folder = tmp_path / f"ü {name}", tmp_path / "out"
    out_folder.mkdir()
    if content is not None:
        bad.write_bytes(content)
    output = out_folder / "mask.nii.gz"
    arguments = {
        "ct": ["segment", bad, "--roi-box", BOX, "--output", output],
        "roi": ["segment", case / "ct.nii.gz", "--roi", bad, "--output", output],
        "mask": ["measure", bad, "--json", out_folder / "r.json"],
    }[role]
    status, out, err = run(capsys, *arguments)
    assert status == 1
    assert out == ""
    assert err.count("\n") == 1
    assert bad.name in err
    assert "Traceback" not in err
    assert "unexpected" not in err
    assert list(out_folder.iterdir()) == []


def test_an_image_as_roi_and_a_mask_as_ct_are_refused(case, tmp_path, capsys):
    output = tmp_path / "m.nii.gz"
    status, _, err = run(capsys, "segment", case / "ct.nii.gz", "--roi", case / "ct.nii.gz", "--output", output)
    assert (status, err.count("\n")) == (1, 1)
    status, _, err = run(capsys, "segment", case / "roi.nrrd", "--roi", case / "roi.nrrd", "--output", output)
    assert (status, err.count("\n")) == (1, 1)
    assert not output.exists()


def test_an_roi_outside_the_scan_is_refused(case, tmp_path, capsys):
    box = "900,950,0,50,0,50"
    status, _, err = run(capsys, "segment", case / "ct.nii.gz", "--roi-box", box, "--output", tmp_path / "m.nii.gz")
    assert (status, err.count("\n")) == (1, 1)
    assert "outside" in err


def test_a_folder_that_is_missing_or_not_writable_is_named_before_the_work(case, tmp_path, capsys):
    output = tmp_path / "none" / "m.nii.gz"
    status, _, err = run(capsys, "segment", case / "ct.nii.gz", "--roi-box", BOX, "--output", output)
    assert status == 1
    assert "no folder" in err
    blocked = tmp_path / "file"
    blocked.write_text("")
    status, _, err = run(capsys, "simulate", "--output", blocked / "sub")
    assert (status, err.count("\n")) == (1, 1)


def test_debug_shows_the_traceback(case, tmp_path):
    call = ["segment", "--debug", "none.nii.gz", "--roi-box", BOX, "--output", str(tmp_path / "m.nii.gz")]
    outcome = subprocess.run([sys.executable, "-m", "HTSegmentationLib", *call], capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert "Traceback" in outcome.stderr


def test_simulate_and_demo_write_what_they_say(tmp_path, capsys):
    status, out, err = run(capsys, "simulate", "--output", tmp_path / "case", "--volume", "8", "--json", "-")
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert record["true_volume_ml"] == pytest.approx(8, rel=0.05)
    for path in record["files"].values():
        assert sitk.ReadImage(path).GetSize()[:2] == (512, 512)

    demo = tmp_path / "demo"
    status, out, err = run(capsys, "demo", "--output", demo, "--seed", "2")
    assert (status, err) == (0, "")
    assert "simulated PH" in out
    report = json.loads((demo / "report.json").read_text())
    mask, truth = (sitk.GetArrayFromImage(sitk.ReadImage(str(demo / name))) > 0 for name in ("mask.nii.gz", "truth.nii.gz"))
    dice = 2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))
    assert report["overlap"]["dice"] == pytest.approx(dice)
    assert f"Dice                  {dice:.3f}" in out
    assert (demo / "preview.png").stat().st_size > 50_000
    assert "no patient" in (demo / "report.txt").read_text()


def test_the_whole_process_answers_version_help_and_a_closed_pipe(case, tmp_path):
    def htseg(*arguments, **options):
        call = [sys.executable, "-m", "HTSegmentationLib", *map(str, arguments)]
        return subprocess.run(call, capture_output=True, encoding="utf-8", check=False, env=os.environ, **options)

    assert htseg("--version").stdout == f"htseg {__version__}\n"
    assert "Research software" in htseg("--help").stdout
    assert htseg("segment", "--help").returncode == 0
    refused = htseg("segment", case / "none", "--roi-box", BOX, "--output", tmp_path / "m.nii.gz")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
