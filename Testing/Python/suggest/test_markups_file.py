"""Regions as files of 3D Slicer, read back by the reader of drawn regions."""

import json
from dataclasses import replace

import numpy as np
import pytest

from HTSegmentationLib.errors import InputError, OutputError
from HTSegmentationLib.roi import BoxShape, read_roi
from HTSegmentationLib.roi.markups import read_markups
from HTSegmentationLib.suggest import write_rois

from .heads import BLEED, prepared_head, suggested


@pytest.fixture
def region():
    return suggested(BLEED).proposed[0]


def test_a_file_is_read_back_as_the_box_that_was_proposed(region, tmp_path):
    (file,) = write_rois(tmp_path / "r.mrk.json", [region])
    (box,), remarks = read_markups(file)
    assert remarks == []
    assert np.allclose(box.corners(), region.box.corners(), atol=1e-2)
    scan = prepared_head(BLEED).scan
    assert read_roi(file, scan.image).volume_ml == pytest.approx(suggested(BLEED).roi(scan.image).volume_ml, rel=0.01)


def test_a_tilted_box_keeps_its_axes(region, tmp_path):
    angle = np.radians(18.5)
    axes = ((1.0, 0.0, 0.0), (0.0, np.cos(angle), -np.sin(angle)), (0.0, np.sin(angle), np.cos(angle)))
    tilted = replace(region, box=BoxShape((10.0, -20.0, 30.0), axes, (30.0, 20.0, 10.0)))
    (file,) = write_rois(tmp_path / "r.mrk.json", [tilted])
    (box,), _ = read_markups(file)
    assert np.allclose(box.directions(), axes, atol=1e-6)
    assert box.size == (30.0, 20.0, 10.0)


def test_one_file_holds_all_regions_as_their_union(region, tmp_path):
    (file,) = write_rois(tmp_path / "r.mrk.json", [region, region])
    assert len(read_markups(file)[0]) == 2


def test_a_folder_gets_a_file_for_each_region(region, tmp_path):
    files = write_rois(tmp_path, [region, region])
    assert [file.name for file in files] == ["region-1.mrk.json", "region-2.mrk.json"]
    markup = json.loads(files[0].read_text(encoding="utf-8"))["markups"][0]
    assert (markup["type"], markup["roiType"], markup["coordinateSystem"]) == ("ROI", "Box", "LPS")
    assert markup["controlPoints"][0]["position"] == markup["center"]


def test_a_search_without_result_leaves_no_earlier_file_that_would_pass_for_its_own(region, tmp_path):
    (file,) = write_rois(tmp_path / "r.mrk.json", [region])
    assert write_rois(file, []) == [file]
    with pytest.raises(InputError, match="holds no markups"):
        read_markups(file)


def test_a_folder_of_an_earlier_search_is_refused(region, tmp_path):
    write_rois(tmp_path, [region])
    with pytest.raises(OutputError, match="of an earlier search; name an empty folder"):
        write_rois(tmp_path, [region])


@pytest.mark.parametrize("name", ["r.json", "r.nii.gz", "nowhere/r.mrk.json"])
def test_a_name_that_cannot_be_is_refused(region, tmp_path, name):
    with pytest.raises(OutputError):
        write_rois(tmp_path / name, [region])
