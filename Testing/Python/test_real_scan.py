"""The whole way on a real scan: tilted by 18.5 degrees, slices 4, 1.08 and 7 mm apart, an old infarct, no hemorrhage."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.cli import main
from HTSegmentationLib.measure.mask import measure_mask
from HTSegmentationLib.roi import roi_from_box
from HTSegmentationLib.threshold.prepare import prepare

BOX = (-40.0, 45.0, -20.0, 60.0, 30.0, 75.0)


@pytest.fixture(scope="module")
def prepared(real_scan):
    return prepare(real_scan)


def test_segment_names_tilt_and_gaps_and_the_calcified_plexus(real_folder, tmp_path, capsys):
    mask = tmp_path / "mask.seg.nrrd"
    box = ",".join(str(end) for end in BOX)
    assert main(["segment", str(real_folder), "--roi-box", box, "--output", str(mask), "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    remarks = {remark["code"]: remark["text"] for remark in record["remarks"]}
    assert "18.5 degrees" in remarks["tilt-resampled"]
    assert "13 gaps of 4.00 mm, 1 of 1.08 mm, 13 of 7.00 mm" in remarks["gaps-resampled"]
    assert "contrast-suspected" in remarks
    assert mask.exists()


def test_a_box_has_the_volume_of_its_edges(real_scan):
    edges = np.reshape(BOX, (3, 2))
    assert roi_from_box(real_scan.image, BOX).volume_ml == pytest.approx(np.prod(np.diff(edges)) / 1000, rel=0.01)


def test_the_calcified_plexus_in_the_brain_mask_lies_on_both_sides_behind_the_middle(real_scan, prepared):
    values, brain = (sitk.GetArrayFromImage(image) for image in (real_scan.image, prepared.brain_mask))
    inside = sitk.GetArrayFromImage(sitk.BinaryErode(prepared.brain_mask, [20, 20, 2])) > 0
    calcified = np.argwhere((values > 150) & inside)
    assert (brain > 0).sum() > inside.sum() > 0
    points = np.array([real_scan.image.TransformIndexToPhysicalPoint([int(n) for n in index[::-1]]) for index in calcified])
    middle = np.array(real_scan.image.TransformContinuousIndexToPhysicalPoint([n / 2 for n in real_scan.image.GetSize()]))
    assert (points[:, 0] > middle[0] + 10).any()
    assert (points[:, 0] < middle[0] - 10).any()
    assert np.median(points[:, 1]) > middle[1]


def test_the_brain_mask_has_an_adults_volume_and_its_tissue_no_bone(real_scan, prepared):
    assert 1250 < prepared.brain_volume_ml < 1600
    measured = measure_mask(prepared.brain_mask, real_scan.image)
    assert 20 < measured.median_hu < 45
    assert measure_mask(prepared.tissue_mask, real_scan.image).share_above_90_hu < 0.01
    assert measured.largest_component_ml > 0.99 * measured.volume_ml
    assert {"skull-open", "brain-volume-unusual"}.isdisjoint(remark.code for remark in prepared.remarks)


def test_the_infarct_is_inside_the_brain_mask(real_scan, prepared):
    """Left, parieto-occipital: darker than its mirror image."""
    size = np.array(real_scan.image.GetSize())
    values = sitk.GetArrayFromImage(real_scan.image)
    brain = sitk.GetArrayFromImage(prepared.brain_mask) > 0
    points = np.argwhere(brain)
    low, high = points.min(axis=0), points.max(axis=0)
    middle_x = (low[2] + high[2]) // 2
    behind = slice(low[1] + int(0.6 * (high[1] - low[1])), high[1])
    level = slice(int(0.40 * size[2]), int(0.52 * size[2]))
    sides = [brain.copy(), brain.copy()]
    sides[0][:, :, :middle_x] = False  # x rises to the patient's left
    sides[1][:, :, middle_x:] = False
    left, right = (np.mean(values[level, behind][side[level, behind]].clip(0, 80)) for side in sides)
    assert left < right - 2
