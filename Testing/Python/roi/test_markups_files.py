import json

import numpy as np
import pytest

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.roi import read_roi
from HTSegmentationLib.roi.markups import read_markups

from .conftest import as_array, make_grid


def codes(remarks):
    return {remark.code for remark in remarks}


def test_a_box_is_read_with_its_centre_axes_and_size(slicer_box):
    [box], remarks = read_markups(slicer_box)
    assert box.center == (-4.0, 3.0, 5.0)
    assert box.size == (30.0, 20.0, 16.0)
    assert box.axes[2] == pytest.approx((0.109381654946615, -0.2345697160098045, 0.9659258262890682))
    assert remarks == []


@pytest.mark.parametrize(("system", "sign"), [("LPS", 1), (1, 1), ("1", 1), ("RAS", -1), (0, -1), ("0", -1), (None, 1)])
def test_coordinates_come_out_in_lps_whatever_the_file_has(slicer_box, changed, system, sign):
    [box], _ = read_markups(changed(slicer_box, coordinateSystem=system))
    assert box.center == pytest.approx((-4.0 * sign, 3.0 * sign, 5.0))
    assert box.axes[0][2] == pytest.approx(0)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mm", 1), ("um", 1e-3), ("cm", 10), ("m", 1e3), (["mm", "UCUM", "millimeter"], 1), (["cm", "UCUM", "centimeter"], 10)],
)
def test_lengths_come_out_in_mm_whatever_the_files_unit(slicer_box, changed, unit, factor):
    [box], remarks = read_markups(changed(slicer_box, coordinateUnits=unit))
    assert box.size == pytest.approx((30 * factor, 20 * factor, 16 * factor))
    assert codes(remarks) == ({"roi-units"} if factor != 1 else set())


def test_a_curve_without_a_type_is_drawn_as_slicer_draws_it_and_says_so(slicer_curve):
    [curve], remarks = read_markups(slicer_curve)
    assert len(curve.points) == 50
    assert curve.points[0] == pytest.approx((4, 14, 6))
    assert curve.points[10] == pytest.approx((-9, 12, 6))
    assert codes(remarks) == {"roi-curve-smooth"}


def test_a_linear_curve_has_its_control_points_alone(slicer_curve, changed):
    [curve], remarks = read_markups(changed(slicer_curve, curveType="linear"))
    assert len(curve.points) == 5
    assert remarks == []


def test_an_unknown_kind_of_curve_is_doubted(slicer_curve, changed):
    assert codes(read_markups(changed(slicer_curve, curveType="polynomial"))[1]) == {"roi-curve-type"}


def test_control_points_that_were_never_placed_are_left_out(slicer_curve, changed):
    points = json.loads(slicer_curve.read_text())["markups"][0]["controlPoints"]
    extra = [{"positionStatus": "undefined", "position": ""}, {"positionStatus": "preview", "position": [99, 99, 99]}]
    [curve], remarks = read_markups(changed(slicer_curve, controlPoints=[*points[:2], *extra, *points[2:]]))
    assert curve.points == read_markups(slicer_curve)[0][0].points
    assert "2 control points" in next(remark.text for remark in remarks if remark.code == "roi-points-not-placed")


def test_several_markups_and_files_become_one_roi(slicer_box, slicer_curve, tmp_path):
    content = json.loads(slicer_box.read_text())
    content["markups"] += json.loads(slicer_curve.read_text())["markups"]
    both = tmp_path / "beide Ränder.mrk.json"
    both.write_text(json.dumps(content))
    grid = make_grid()
    together = as_array(read_roi(both, grid), grid)
    apart = [as_array(read_roi(path, grid), grid) for path in (slicer_box, slicer_curve)]
    np.testing.assert_array_equal(together, apart[0] | apart[1])
    np.testing.assert_array_equal(together, as_array(read_roi([slicer_curve, str(slicer_box)], grid), grid))


def test_sources_and_remarks_reach_the_roi(slicer_box, slicer_curve):
    roi = read_roi([slicer_box, slicer_curve], make_grid())
    assert roi.sources == (str(slicer_box), str(slicer_curve))
    assert codes(roi.remarks) >= {"roi-curve-smooth", "roi-curve-all-slices"}


def test_progress_is_told(slicer_box, slicer_curve):
    told = []
    read_roi([slicer_box, slicer_curve], make_grid(), progress=lambda stage, fraction: told.append((stage, fraction)))
    assert [fraction for _, fraction in told] == [0.0, 0.5, 1.0]


def test_other_markups_beside_a_box_are_left_out_with_a_word(slicer_box, tmp_path):
    content = json.loads(slicer_box.read_text())
    content["markups"].append({"type": "Fiducial", "controlPoints": []})
    path = tmp_path / "two.mrk.json"
    path.write_text(json.dumps(content))
    shapes, remarks = read_markups(path)
    assert len(shapes) == 1
    assert "Fiducial" in remarks[0].text


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"type": "Fiducial"}, "it holds Fiducial only, not an ROI or a ClosedCurve"),
        ({"type": "Curve"}, "it holds Curve only"),
        ({"type": None}, "not an ROI"),
        ({"roiType": "Sphere"}, "'Sphere', not Box"),
        ({"insideOut": True}, "inside out"),
        ({"center": None}, '"center" is not a list of 3 finite numbers'),
        ({"center": [1, 2]}, '"center"'),
        ({"center": [1, 2, "3"]}, '"center"'),
        ({"center": [1, 2, True]}, '"center"'),
        ({"center": [1, 2, float("nan")]}, '"center"'),
        ({"center": [1, 2, 10**400]}, '"center"'),
        ({"center": [1, 2, 1e30]}, "which no scanner has"),
        ({"size": None}, '"size"'),
        ({"size": [1e9, 1, 1]}, "which no scanner has"),
        ({"size": [1, -1, 1]}, "below 0"),
        ({"orientation": None}, '"orientation"'),
        ({"orientation": [0] * 9}, "right angles"),
        ({"orientation": [1, 0.5, 0, 0, 1, 0, 0, 0, 1]}, "right angles"),
        ({"objectToBase": [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}, "transform"),
        ({"coordinateSystem": "XYZ"}, "not LPS or RAS"),
        ({"coordinateSystem": True}, "not LPS or RAS"),
        ({"coordinateSystem": [1]}, "not LPS or RAS"),
        ({"coordinateUnits": "inch"}, "'inch'"),
        ({"coordinateUnits": ["mm", "SCT", "millimeter"]}, "coordinate unit"),
        ({"coordinateUnits": {"a": 1}}, "coordinate unit"),
    ],
)
def test_a_box_that_cannot_be_understood_is_refused_with_its_reason(slicer_box, changed, keys, words):
    path = changed(slicer_box, **keys)
    with pytest.raises(InputError) as caught:
        read_roi(path, make_grid())
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "points", [None, [], "points", [1, 2, 3], [{"position": [1, 2]}] * 3, [{"position": [0, 0, 0]}] * 3]
)
def test_a_curve_that_cannot_be_understood_is_refused(slicer_curve, changed, points):
    with pytest.raises(InputError):
        read_roi(changed(slicer_curve, controlPoints=points), make_grid())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"center of the box",
        b"\x00\xff\xfe\x80" * 50,
        b'{"@schema": "x", "markups": [',
        b"[]",
        b"3",
        b"null",
        b'{"markups": []}',
        b'{"@schema": "https://x/markups-schema-v1.0.3.json#", "markups": []}',
        b'{"@schema": "https://x/markups-schema-v1.0.3.json#", "markups": {}}',
        b'{"@schema": "https://x/markups-schema-v1.0.3.json#", "markups": [1, null, "a", []]}',
        b'{"@schema": "https://x/markups-schema-v2.0.0.json#", "markups": [{"type": "ROI"}]}',
        b'{"@schema": "https://x/segmentation-schema-v1.0.json", "markups": [{"type": "ROI"}]}',
        b"[" * 200_000,
    ],
)
def test_a_file_that_is_no_markups_file_is_refused(tmp_path, content):
    path = tmp_path / "R.mrk.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"R\.mrk\.json: .*(Markups|ROI)"):
        read_markups(path)


def test_every_cut_off_copy_of_a_file_is_refused(slicer_box, tmp_path):
    whole = slicer_box.read_bytes().rstrip()
    path = tmp_path / "cut.mrk.json"
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_markups(path)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.mrk.json"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(InputError, match="30 MB large, more than 20 MB"):
        read_markups(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    folder = tmp_path / "folder.mrk.json"
    folder.mkdir()
    with pytest.raises(InputError, match="is a directory"):
        read_markups(folder)
    with pytest.raises(InputError, match="no such file"):
        read_markups(tmp_path / "none.mrk.json")


def test_a_file_of_another_kind_is_refused_with_the_kinds_that_go(tmp_path):
    with pytest.raises(InputError, match=r"notes\.txt: .*\.mrk\.json"):
        read_roi(tmp_path / "notes.txt", make_grid())
