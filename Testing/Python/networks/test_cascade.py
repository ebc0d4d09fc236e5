import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.networks.cascade import PATCH, Crop, crop_to_patch, patch_to_volume, plan_crop, resized

from ..needs import deep_learning

volumes = arrays(bool, st.tuples(*[st.integers(1, 9)] * 3), elements=st.booleans())


@settings(max_examples=80, deadline=None)
@given(coarse=volumes, enlargement=st.floats(0, 2), magnification=st.floats(1, 8))
def test_the_crop_lies_in_the_scan_and_holds_all_of_the_coarse_bleed(coarse, enlargement, magnification):
    crop = plan_crop(coarse, patch=(4, 8, 8), enlargement=enlargement, most_magnification=magnification)
    if crop is None:
        assert not coarse.any()
        return
    assert coarse[crop.box].sum() == coarse.sum()
    for start, size, length, side in zip(crop.start, crop.size, coarse.shape, crop.patch, strict=True):
        assert start >= 0
        assert start + size <= length
        assert size >= min(length, side / magnification)


def test_the_crop_is_the_bleed_with_a_quarter_at_each_end():
    coarse = np.zeros((30, 512, 512), np.uint8)
    coarse[10:18, 200:300, 100:280] = 1
    assert plan_crop(coarse) == Crop(start=(8, 175, 55), size=(12, 150, 270), patch=PATCH)


def test_scattered_parts_share_one_crop():
    coarse = np.zeros((30, 512, 512), bool)
    coarse[5:7, 100:120, 100:120] = coarse[20:22, 300:320, 300:320] = True
    crop = plan_crop(coarse, enlargement=0)
    assert (crop.start, crop.size) == ((5, 100, 100), (17, 220, 220))


def test_a_tiny_bleed_is_not_blown_up_beyond_the_largest_magnification():
    coarse = np.zeros((30, 512, 512), bool)
    coarse[15, 250, 250] = True
    assert plan_crop(coarse).size == (4, 80, 80)
    assert plan_crop(coarse, most_magnification=2).size == (8, 160, 160)


def test_at_the_border_the_crop_is_moved_inwards_and_not_cut():
    coarse = np.zeros((30, 512, 512), bool)
    coarse[0, 0, 511] = True
    assert plan_crop(coarse) == Crop(start=(0, 0, 432), size=(4, 80, 80), patch=PATCH)


def test_nothing_found_gives_no_crop():
    assert plan_crop(np.zeros((3, 4, 5))) is None


@pytest.mark.parametrize(("name", "value"), [("enlargement", -0.1), ("most_magnification", 0.5)])
def test_numbers_out_of_range_are_refused(name, value):
    with pytest.raises(ParameterError, match=f"{name}: {value} must be"):
        plan_crop(np.ones((3, 4, 5)), **{name: value})


@pytest.mark.parametrize("size", [(3, 10, 7), (16, 5, 9), (6, 1, 20), (1, 13, 2)])
def test_resizing_is_that_of_torch(size):
    torch = deep_learning()
    given = np.random.default_rng(0).normal(size=(2, 6, 5, 9)).astype(np.float32)
    there = torch.nn.functional.interpolate(torch.from_numpy(given)[None], size=size, mode="trilinear", align_corners=False)
    np.testing.assert_allclose(resized(given, size), there[0].numpy(), atol=1e-5)


def test_a_crop_seen_in_the_patch_comes_back_to_its_place():
    x = np.broadcast_to(np.arange(60, dtype=np.float32), (10, 50, 60))
    crop = Crop(start=(2, 10, 20), size=(4, 20, 30), patch=(8, 40, 60))
    patch = crop_to_patch(np.stack([x, -x]), crop)
    assert patch.shape == (2, 8, 40, 60)
    untouched = np.zeros((2, 10, 50, 60), np.float32)
    back = patch_to_volume(patch, crop, untouched)
    inside = back[0][crop.box]
    np.testing.assert_allclose(inside[:, :, 1:-1], x[crop.box][:, :, 1:-1], atol=1e-4)
    outside = back.copy()
    outside[(slice(None), *crop.box)] = 0
    assert not outside.any()
    assert not untouched.any()
