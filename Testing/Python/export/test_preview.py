import sys

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import MissingPackageError, OutputError, ROIError, UsageError
from HTSegmentationLib.export import require_preview_path, write_preview
from HTSegmentationLib.export.axial_view import AxialView, chosen_slices
from HTSegmentationLib.roi import Roi, roi_from_box

from .conftest import on_grid

PERMUTED = [(order, flips) for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]) for flips in ([0, 0, 0], [1, 0, 1], [0, 1, 1])]


def pixels(path):
    from matplotlib.image import imread

    return imread(path)[..., :3]


def close_to(picture, color, tolerance=0.12):
    wanted = np.array([int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.abs(picture - wanted).max(axis=-1) < tolerance


@pytest.mark.parametrize(("order", "flips"), PERMUTED)
def test_the_view_is_from_the_feet_whatever_the_grid(order, flips):
    size = (5, 6, 4)
    straight = sitk.GetImageFromArray(np.arange(120, dtype=np.int16).reshape(size[::-1]))
    straight.SetSpacing((0.5, 0.7, 4.0))
    turned = sitk.Flip(sitk.PermuteAxes(straight, order), [bool(flip) for flip in flips])
    view = AxialView(turned)
    assert (view.count, view.pixel_mm) == (4, (0.5, 0.7))
    for number in range(1, 5):
        # Untouched SimpleITK axes: x to the left, y to posterior, z to superior.
        np.testing.assert_array_equal(view.picture(turned, number), sitk.GetArrayFromImage(straight)[number - 1])
        assert view.height_mm(number) == pytest.approx(4.0 * (number - 1))


def test_the_patients_left_is_on_the_right_of_the_picture():
    image = sitk.Image(8, 8, 2, sitk.sitkInt16)
    left = image.TransformPhysicalPointToIndex((6.0, 1.0, 0.0))
    image[left] = 99
    row, column = np.argwhere(AxialView(image).picture(image, 1) == 99)[0]
    assert column > 4
    assert row < 4


@settings(max_examples=60, deadline=None)
@given(areas=st.lists(st.integers(0, 50), min_size=1, max_size=40), most=st.integers(1, 9))
def test_the_largest_slice_is_always_among_a_few_even_ones(areas, most):
    picks = chosen_slices(np.array(areas), most)
    assert len(set(picks)) == len(picks) <= most
    assert picks == sorted(picks)
    assert all(1 <= pick <= len(areas) for pick in picks)
    if any(areas):
        assert int(np.argmax(areas)) + 1 in picks


def test_a_picture_shows_all_outlines_in_their_colours(scan, mask, tmp_path):
    reference = sitk.BinaryDilate(mask, (2, 2, 0))
    # Everything but the outermost voxels of each side.
    whole = sitk.Image(scan.GetSize(), sitk.sitkUInt8)
    whole.CopyInformation(scan)
    whole[8:46, 8:36, 1:8] = 1
    path = tmp_path / "Bild ä.png"
    write_preview(path, scan, mask, roi=Roi.from_mask(whole), reference=reference, title="T", caption="12 mL\nsecond line")
    picture = pixels(path)
    for color in ("#D55E00", "#56B4E9", "#F0E442"):
        assert close_to(picture, color).sum() > 100
    assert [entry.name for entry in tmp_path.iterdir()] == ["Bild ä.png"]


def test_each_slice_is_shown_plain_above_its_outlines(scan, mask, tmp_path):
    write_preview(tmp_path / "p.png", scan, mask)
    found = close_to(pixels(tmp_path / "p.png"), "#D55E00")
    rows = found.shape[0]
    # Six slices make two blocks of plain views above outlined ones; the legend lies below them.
    assert found[: rows // 6].sum() == 0
    assert found.sum() > 300


def test_the_bleed_lies_where_the_patient_has_it(scan, mask, tmp_path):
    one = (slice(None), slice(None), slice(4, 5))
    write_preview(tmp_path / "p.png", scan[one], mask[one])
    picture = pixels(tmp_path / "p.png")
    columns = np.argwhere(close_to(picture, "#D55E00")[: int(picture.shape[0] * 0.9)])[:, 1]
    # The bleed is at x index 30 to 40 of 52: on the patient's left, the right half of the picture.
    assert columns.min() > picture.shape[1] / 2


def test_an_empty_mask_shows_the_roi(scan, mask, tmp_path):
    low, high = (scan.TransformIndexToPhysicalPoint(index) for index in ((12, 12, 3), (40, 30, 5)))
    bounds = [value for ends in zip(low, high, strict=True) for value in ends]
    write_preview(tmp_path / "p.png", scan, mask * 0, roi=roi_from_box(scan, bounds))
    assert close_to(pixels(tmp_path / "p.png"), "#F0E442").sum() > 50


def test_nothing_to_outline_still_shows_the_head(scan, mask, tmp_path):
    write_preview(tmp_path / "p.png", scan, mask * 0)
    assert pixels(tmp_path / "p.png").mean() > 0.1


@pytest.mark.parametrize("value", [-1000, 0, 3000])
def test_a_scan_of_one_value_does_not_break_the_picture(mask, tmp_path, value):
    write_preview(tmp_path / "p.png", on_grid(np.full((9, 44, 52), value, dtype=np.int16)), mask)
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_masks_and_rois_of_another_grid_are_refused(scan, mask, tmp_path):
    other = on_grid(sitk.GetArrayFromImage(mask), degrees=(0, 0, 0))
    with pytest.raises(UsageError, match="mask and scan"):
        write_preview(tmp_path / "p.png", scan, other)
    with pytest.raises(UsageError, match="reference and scan"):
        write_preview(tmp_path / "p.png", scan, mask, reference=other)
    with pytest.raises(ROIError):
        write_preview(tmp_path / "p.png", scan, mask, roi=Roi.from_mask(other))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_a_png_in_a_folder_that_is_there(tmp_path):
    with pytest.raises(UsageError, match=r"p\.jpg: pictures are written as \.png"):
        require_preview_path(tmp_path / "p.jpg")
    with pytest.raises(OutputError, match="no folder"):
        require_preview_path(tmp_path / "none" / "p.png")


def test_without_matplotlib_the_install_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'htsegmentation\[report\]'"):
        require_preview_path(tmp_path / "p.png")


def test_drawing_leaves_the_users_own_figures_alone(scan, mask, tmp_path):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    write_preview(tmp_path / "p.png", scan, mask)
    assert pyplot.get_fignums() == before
