"""The picture of two aligned scans shows both bleeds, and refuses what does not lie on one grid."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.export.pair_preview import write_pair_preview

BASELINE_BLUE, FOLLOWUP_ORANGE = (0x56, 0xB4, 0xE9), (0xD5, 0x5E, 0x00)


@pytest.fixture
def pair():
    """Two scans of a grey block, and two bleeds in it."""
    images, masks = [], []
    for radius in (6, 12):
        image = sitk.Image(64, 64, 8, sitk.sitkInt16) - 1000
        image.SetSpacing((2.0, 2.0, 5.0))
        image[8:56, 8:56, 0:8] = 30
        mask = sitk.Image(image.GetSize(), sitk.sitkUInt8)
        mask.CopyInformation(image)
        mask[32 - radius : 32 + radius, 32 - radius : 32 + radius, 3:6] = 1
        images.append(image)
        masks.append(mask)
    return tuple(images), tuple(masks)


def count(path, color):
    from matplotlib.image import imread

    picture = imread(path)[..., :3] * 255
    return int((np.abs(picture - color).max(axis=-1) < 30).sum())


def test_both_bleeds_are_outlined_and_an_empty_one_is_not(pair, tmp_path):
    images, masks = pair
    write_pair_preview(tmp_path / "both.png", images, masks, title="Two", caption="1.0 mL, then 2.0 mL")
    write_pair_preview(tmp_path / "one.png", images, (masks[0], masks[1] * 0), title="Two", caption="1.0 mL, then 0.0 mL")
    assert count(tmp_path / "both.png", BASELINE_BLUE) > 500
    assert count(tmp_path / "both.png", FOLLOWUP_ORANGE) > 5 * count(tmp_path / "one.png", FOLLOWUP_ORANGE) > 0


def test_two_empty_bleeds_still_show_the_scans(pair, tmp_path):
    images, masks = pair
    write_pair_preview(tmp_path / "none.png", images, tuple(mask * 0 for mask in masks))
    assert (tmp_path / "none.png").stat().st_size > 5000


def test_a_follow_up_on_its_own_grid_is_refused(pair, tmp_path):
    images, masks = pair
    with pytest.raises(UsageError, match="follow-up scan"):
        write_pair_preview(tmp_path / "no.png", (images[0], images[1][:, :, 2:]), masks)
    assert list(tmp_path.iterdir()) == []
