"""A rule table is fitted to a site's references, judged on cases it did not see, and said to be no gain where it is none."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.calibration import (
    CaseFiles,
    CaseProfile,
    FailedCase,
    calibrate,
    calibration_words,
    fit_profiles,
    profile_case,
    provenance_lines,
)
from HTSegmentationLib.cohort.calibration.windows import candidate_windows, published_windows
from HTSegmentationLib.errors import InputError, ParameterError, UsageError
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.measure.statistics import compare_paired
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.parameter_files import load_parameters, save_parameters
from HTSegmentationLib.threshold.parameters import AdaptiveParameters
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES

from .calibration_site import COUNT, case, written

SHIFT_HU = 6


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return written(tmp_path_factory.mktemp("site"))


def run(capsys, *arguments):
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def made_up(count, best, seed=0):
    """Profiles in which the window ``best`` has a Dice of 0.8, and the others less the further they are from it."""
    random = np.random.default_rng(seed)
    windows = candidate_windows()
    falloff = np.abs(windows - best).sum(axis=1) / 100
    profiles = []
    for number in range(count):
        dice = (0.8 - falloff + random.normal(0, 0.05)).clip(0, 1)
        profiles.append(
            CaseProfile(f"case-{number}", ("HI2", "PH")[number % 2], 3 + 6 * random.random(), dice, 10 * dice, 8.0)
        )
    return profiles


def test_every_window_gives_what_the_method_gives_with_it():
    scan, roi, reference = case(3)
    truth = sitk.BinaryErode(reference, [2, 2, 0])
    profile = profile_case(scan, roi, truth)
    segmenter = AdaptiveThreshold()
    prepared = segmenter.prepare(scan)
    assert profile.sd_hu == segmenter.segment(prepared, roi).details.sd_hu
    for number in (0, 60, 146, 180, 286):
        lower, upper = candidate_windows()[number].tolist()
        by_hand = AdaptiveThreshold(AdaptiveParameters(manual_lower_hu=lower, manual_upper_hu=upper))
        result = by_hand.segment(prepared, roi)
        assert profile.dice[number] == measure_overlap(result.mask, truth).dice
        assert profile.volumes_ml[number] == pytest.approx(result.volume_ml())


def test_a_scanner_that_reads_higher_gets_windows_that_are_as_much_higher(site, tmp_path, capsys):
    output, report = tmp_path / "site.toml", tmp_path / "report.json"
    options = ["--hu-offset", SHIFT_HU, "--folds", 4, "--jobs", 2, "--report-json", report]
    status, out, err = run(capsys, "calibrate", site, "--output", output, *options)
    assert (status, err) == (0, "")
    found = json.loads(report.read_text())
    assert found["n"] == COUNT
    assert found["gain"]["interval"]["low"] > 0
    assert found["gain_shown"]
    assert found["calibrated_dice"] > found["published_dice"] + 0.02
    assert sum(len(fold["case_ids"]) for fold in found["folds"]) == COUNT
    fitted = load_parameters(output, AdaptiveParameters).rules
    moved = [rule for rule in fitted if rule.classification.startswith("fitted on")]
    published = {rule.lower_hu for rule in PUBLISHED_RULES}
    assert moved
    for rule in moved:
        assert min(abs(rule.lower_hu - SHIFT_HU - lower) for lower in published) <= 1
    text = output.read_text()
    assert text.startswith("# Rule table fitted by htseg calibrate")
    assert "10 cases of cohort.csv" in text
    assert "NO GAIN" not in text
    assert "Dice, calibrated" in out
    assert "the gain is shown" in out


def test_a_site_like_the_published_one_keeps_the_published_table(site):
    files = [
        CaseFiles(f"case-{n:02d}", "PH", folder / "ct.nii.gz", (folder / "roi.nii.gz",), folder / "reference.nii.gz")
        for n in range(COUNT)
        for folder in [site.parent / f"case-{n:02d}"]
    ]
    found = calibrate(files, folds=5, jobs=2)
    assert found.rules == PUBLISHED_RULES
    assert found.published_dice == found.calibrated_dice == 1
    assert not found.gain_shown
    words = dict(calibration_words(found))
    assert "the published table" in words["Advice"]
    assert any("this IS the published table" in line for line in provenance_lines(found, "cohort.csv"))


def test_a_table_without_a_shown_gain_is_called_so_in_words_and_in_the_file(tmp_path):
    shown = fit_profiles(made_up(40, best=(60.0, 85.0)))
    doubtful = dataclasses.replace(shown, gain=compare_paired([0.5, 0.6, 0.4, 0.7], [0.6, 0.5, 0.5, 0.6]))
    assert (shown.gain_shown, doubtful.gain_shown) == (True, False)
    lines = provenance_lines(doubtful, "cohort.csv")
    assert any("NO GAIN IS SHOWN" in line for line in lines)
    assert not any("NO GAIN" in line for line in provenance_lines(shown, "cohort.csv"))
    assert "stay with the published table" in dict(calibration_words(doubtful))["Advice"]
    file = tmp_path / "site.toml"
    save_parameters(file, AdaptiveParameters(rules=doubtful.rules), comment=lines)
    assert load_parameters(file, AdaptiveParameters).rules == doubtful.rules


def test_a_clear_optimum_is_found_and_its_gain_is_that_of_the_made_up_cases():
    found = fit_profiles(made_up(40, best=(60.0, 85.0)))
    row = found.table.rows[0]
    assert len(found.table.rows) == 1
    assert candidate_windows()[row.window].tolist() == [60.0, 85.0]
    published = [profile.dice[published_windows([profile.sd_hu])[0]] for profile in made_up(40, best=(60.0, 85.0))]
    assert found.published_dice == pytest.approx(np.mean(published))
    assert found.calibrated_dice == pytest.approx(0.8, abs=0.03)
    assert found.gain.wilcoxon_p < 0.001


def test_the_same_cases_give_the_same_result_and_another_seed_other_folds():
    profiles = made_up(30, best=(52.0, 80.0))
    first, again, other = (fit_profiles(profiles, seed=seed) for seed in (1, 1, 2))
    assert first.as_dict() == again.as_dict()
    assert first.folds[0].case_ids != other.folds[0].case_ids
    json.dumps(first.as_dict(), allow_nan=False)


def test_cases_that_fail_are_left_out_and_named(site, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(site.parent, folder)
    for number in range(2, COUNT):
        (folder / f"case-{number:02d}" / "ct.nii.gz").write_bytes(b"no image")
    small = sitk.Image(4, 4, 4, sitk.sitkUInt8) + 1
    sitk.WriteImage(small, str(folder / "case-01" / "reference.nii.gz"))
    status, out, err = run(capsys, "calibrate", folder / "cohort.csv", "--output", tmp_path / "site.toml", "--jobs", 2)
    assert (status, out) == (2, "")
    assert f"can be used: 1 ({COUNT - 1} cannot, as case-01:" in err
    assert "different grids" in err
    assert not (tmp_path / "site.toml").exists()


def test_failed_cases_are_in_words_and_record():
    found = fit_profiles(made_up(12, best=(45.0, 75.0)), failed=(FailedCase("bad", "it is no image"),))
    assert ("Left out", "bad: it is no image") in calibration_words(found)
    assert found.as_dict()["failed"] == [{"case_id": "bad", "reason": "it is no image"}]
    assert "1 cases left out" in " ".join(provenance_lines(found, "cohort.csv"))


@pytest.mark.parametrize("folds", [0, 1, 13])
def test_folds_that_leave_nothing_are_refused(folds):
    with pytest.raises(ParameterError, match="folds"):
        fit_profiles(made_up(12, best=(45.0, 75.0)), folds=folds)


def test_too_few_cases_are_refused_with_advice():
    with pytest.raises(UsageError, match="at least") as caught:
        calibrate([])
    assert "published table" in str(caught.value)


def test_wrong_usage_ends_with_2_and_writes_nothing(site, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.csv").write_text("case_id,image,roi\nx,ct.nii.gz,roi.nii.gz\n")
    for arguments in (
        ["calibrate", site, "--output", "site.json"],
        ["calibrate", site, "--output", "site.toml", "--folds", "1"],
        ["calibrate", site, "--output", "site.toml", "--seed", "-1"],
        ["calibrate", "plain.csv", "--output", "site.toml"],
    ):
        status, out, err = run(capsys, *arguments)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["plain.csv"]


def test_a_comment_stands_on_top_of_toml_and_not_in_json(tmp_path):
    save_parameters(tmp_path / "a.toml", AdaptiveParameters(), comment=["one", "two"])
    assert (tmp_path / "a.toml").read_text().startswith("# one\n# two\n\nsmoothing")
    assert load_parameters(tmp_path / "a.toml", AdaptiveParameters) == AdaptiveParameters()
    with pytest.raises(UsageError, match="JSON has no room"):
        save_parameters(tmp_path / "a.json", AdaptiveParameters(), comment=["one"])
    with pytest.raises(InputError):
        load_parameters(tmp_path / "none.toml", AdaptiveParameters)
