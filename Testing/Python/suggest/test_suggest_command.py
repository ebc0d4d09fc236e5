"""``htseg suggest``, and ``--roi auto`` of the commands that segment."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main

from ..cohort.small_cohort import read_rows, row, write_case, write_manifest
from ..phantom import as_scan
from .heads import head


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A case with a bleed and its truth, and a healthy head."""
    place = tmp_path_factory.mktemp("scans")
    write_case(place / "ph-01", seed=0)
    (place / "none").mkdir()
    sitk.WriteImage(as_scan(head()).image, str(place / "none" / "ct.nii.gz"))
    return place


def run(capsys, *arguments):
    """(exit status, stdout, stderr) of one call."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def mask(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0


def test_the_region_is_told_in_words_and_written_for_slicer(folder, tmp_path, capsys):
    roi = tmp_path / "r.mrk.json"
    status, out, err = run(capsys, "suggest", folder / "ph-01" / "ct.nii.gz", "--output", roi)
    assert (status, err) == (0, "")
    assert "Region 1              score 0.9" in out
    assert "left, L 2" in out
    assert "touches no bone" in out
    assert f"Written to {roi}" in out
    found = tmp_path / "m.nii.gz"
    assert run(capsys, "segment", folder / "ph-01" / "ct.nii.gz", "--roi", roi, "--output", found)[0] == 0
    assert mask(found).any()


def test_json_has_the_centre_in_both_systems(folder, capsys):
    status, out, _ = run(capsys, "suggest", folder / "ph-01" / "ct.nii.gz", "--json", "-")
    (region,) = json.loads(out)["proposed"]
    assert status == 0
    assert np.allclose(np.multiply(region["center_lps_mm"], (-1, -1, 1)), region["center_ras_mm"])
    assert region["suspicion"] is None
    assert 0.5 <= region["score"] <= 1


def test_a_healthy_head_is_no_error(folder, tmp_path, capsys):
    status, out, err = run(capsys, "suggest", folder / "none" / "ct.nii.gz", "--output", tmp_path / "new")
    assert (status, err) == (0, "")
    assert "No region is proposed." in out
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "word"), [(["--max", "0"], "most is 0"), (["--output", "r.nii.gz/x.json"], "does not end in .mrk.json")]
)
def test_flags_out_of_range_are_one_line(folder, capsys, flags, word):
    status, _, err = run(capsys, "suggest", folder / "ph-01" / "ct.nii.gz", *flags)
    assert status == 1
    assert word in err
    assert err.count("\n") == 1


def test_segment_finds_its_own_region_and_says_so(folder, tmp_path, capsys):
    out_mask = tmp_path / "m.nii.gz"
    call = ["segment", folder / "ph-01" / "ct.nii.gz", "--roi", "auto", "--output", out_mask, "--json", "-"]
    status, out, _ = run(capsys, *call)
    record = json.loads(out)
    truth = mask(folder / "ph-01" / "truth.nii.gz")
    dice = 2 * (mask(out_mask) & truth).sum() / (mask(out_mask).sum() + truth.sum())
    assert status == 0
    assert dice > 0.8
    assert record["roi"]["sources"] == ["found by the program"]
    assert "roi-automatic" in {remark["code"] for remark in record["remarks"]}
    assert len(record["suggestions"]["proposed"]) == 1


def test_segment_of_a_healthy_head_is_an_empty_mask_with_a_remark(folder, tmp_path, capsys):
    out_mask = tmp_path / "m.seg.nrrd"
    status, out, err = run(capsys, "segment", folder / "none" / "ct.nii.gz", "--roi", "auto", "--output", out_mask)
    assert (status, err) == (0, "")
    assert "Hemorrhage volume     0.00 mL" in out
    assert "nothing is proposed" in out
    assert not mask(out_mask).any()


@pytest.mark.parametrize("extra", [["--roi", "r.mrk.json"], ["--roi-slices", "1-3"], ["--roi-curve-depth", "5"]])
def test_auto_stands_alone(folder, tmp_path, capsys, extra):
    call = ["segment", folder / "ph-01" / "ct.nii.gz", "--roi", "auto", "--output", tmp_path / "m.nii.gz", *extra]
    status, _, err = run(capsys, *call)
    assert status == 2
    assert "--roi auto" in err


def test_a_batch_finds_the_regions_of_cases_that_have_none(folder, tmp_path, capsys):
    rows = [row("ph-01", roi=""), row("none", roi="", reference="")]
    table = write_manifest(folder / "auto.csv", rows, columns=("case_id", "image", "reference"))
    out = tmp_path / "out"
    assert run(capsys, "batch", table, "--output", out, "--roi", "auto", "--jobs", "1")[0] == 0
    bleed, healthy = read_rows(out / "results.csv")
    assert float(bleed["dice"]) > 0.8
    assert "roi-automatic" in bleed["remark_codes"]
    # The region that was found must not judge the method that found it.
    assert bleed["sensitivity_roi"] == ""
    assert float(healthy["volume_ml"]) == 0
    assert "no-region-found" in healthy["remark_codes"]


def test_drawn_and_found_regions_do_not_mix_in_one_table(folder, tmp_path, capsys):
    table = write_manifest(folder / "drawn.csv", [row("ph-01")])
    out = tmp_path / "out"
    assert run(capsys, "batch", table, "--output", out, "--jobs", "1")[0] == 0
    status, _, err = run(capsys, "batch", table, "--output", out, "--roi", "auto", "--jobs", "1")
    assert status != 0
    assert "roi was drawn and is automatic" in err
