import numpy as np
import pytest

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.training.augmentation import Augmentation, seen_as, varying

from ..needs import package

package("torch", "no patch was varied")
package("monai", "no patch was varied")

ALL = Augmentation(flip=0.5, rotation=1.0, rotation_deg=30.0, noise=0.5, smoothing=0.5, contrast=0.5)


def pair(shape=(8, 24, 24), channels=2):
    """A patch whose second channel is its lesion, and the lesion's classes."""
    target = np.zeros(shape, np.uint8)
    target[shape[0] // 2 :, 4:15, 6:10] = 1
    x = np.random.default_rng(0).random((channels, *shape)).astype(np.float32)
    x[-1] = target
    return x, target


def test_the_six_views_are_six_and_the_classes_move_along():
    views = [seen_as(view, pair()) for view in range(6)]
    assert len({x.tobytes() for x, _ in views}) == 6
    assert all((x[1] == target).all() for x, target in views)
    assert all((np.sort(x, axis=None) == np.sort(views[0][0], axis=None)).all() for x, _ in views)


def test_views_turn_in_the_plane_and_flip_left_and_right_before_front_and_back():
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    got = [seen_as(view, (x, x[0].astype(np.uint8)))[0][0, 0].tolist() for view in range(6)]
    assert got == [
        [[0, 1], [2, 3]],
        [[1, 0], [3, 2]],
        [[2, 3], [0, 1]],
        [[1, 3], [0, 2]],
        [[3, 2], [1, 0]],
        [[2, 0], [3, 1]],
    ]


def test_the_same_generator_gives_the_same_patch_and_another_one_another():
    vary = varying(ALL)
    patches = [vary(pair(), np.random.default_rng(seed))[0] for seed in (1, 2, 1)]
    assert (patches[0] == patches[2]).all()
    assert (patches[0] != patches[1]).any()


def test_classes_stay_whole_and_go_with_the_patch():
    vary = varying(Augmentation(flip=0.5, rotation=1.0))
    for seed in range(10):
        x, target = vary(pair(), np.random.default_rng(seed))
        assert (x.dtype, target.dtype, x.shape[1:]) == (np.float32, np.uint8, target.shape)
        assert set(np.unique(target)) == {0, 1}
        assert ((x[1] > 0.5) == (target > 0)).mean() > 0.97


def test_turns_stay_in_the_plane():
    x, target = pair()
    turned = varying(Augmentation(rotation=1.0))((x, target), np.random.default_rng(3))[1]
    assert not turned[:4].any()
    assert (turned[4] == turned[7]).all()
    assert (turned != target).any()


@pytest.mark.parametrize("kind", ["noise", "smoothing", "contrast"])
def test_noise_blur_and_contrast_change_values_and_no_classes(kind):
    before, target = pair()
    x, after = varying(Augmentation(**{kind: 1.0}))((before.copy(), target), np.random.default_rng(0))
    assert (after == target).all()
    assert (x != before).any()
    if kind == "contrast":
        assert (x.min(), x.max()) == pytest.approx((before.min(), before.max()), abs=1e-3)


def test_a_blur_does_not_darken_the_border_nor_mix_slices():
    x = np.ones((1, 3, 12, 12), np.float32) * np.array([1, 5, 9], np.float32)[:, None, None]
    blurred, _ = varying(Augmentation(smoothing=1.0))((x, np.zeros((3, 12, 12), np.uint8)), np.random.default_rng(0))
    assert np.allclose(blurred, x)


def test_single_slices_are_varied_as_well():
    x, target = varying(ALL)(pair((1, 32, 32)), np.random.default_rng(4))
    assert x.shape == (2, 1, 32, 32)
    assert np.isfinite(x).all()
    assert target.any()


@pytest.mark.parametrize("values", [{"flip": 1.5}, {"rotation_deg": 200.0}, {"noise_sd": -1.0}])
def test_what_cannot_be_is_refused_by_its_name(values):
    with pytest.raises(ParameterError, match=f"augmentation.{next(iter(values))}"):
        Augmentation(**values)
