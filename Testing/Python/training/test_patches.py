import dataclasses

import numpy as np
import pytest

from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.inference.models.input_description import Normalization
from HTSegmentationLib.training.augmentation import Augmentation
from HTSegmentationLib.training.cache import prepared_cases
from HTSegmentationLib.training.patches import PatchLoader
from HTSegmentationLib.training.recipes import published_settings
from HTSegmentationLib.training.sampling import Sampling

from ..needs import package

torch = package("torch", "no patch was cut")
package("monai", "no patch was cut")


def epoch(cached, settings, number=0, first=0, *, training=True, **how):
    return list(PatchLoader(cached, settings, training=training, **how).epoch(number, first))


def same(left, right):
    return len(left) == len(right) and all(
        torch.equal(x, y) and torch.equal(t, u) for (x, t), (y, u) in zip(left, right, strict=True)
    )


def contents(batches):
    """The patches of batches, whatever their order."""
    return sorted(x.numpy().tobytes() for batch, _ in batches for x in batch)


def test_a_batch_is_what_the_loop_takes(tiny):
    batches = epoch(tiny.cached, tiny.settings)
    assert len(batches) == 6 * 20 // 8
    x, target = batches[0]
    assert (x.shape, x.dtype) == ((8, 1, 8, 16, 16), torch.float32)
    assert (target.shape, target.dtype) == ((8, 1, 8, 16, 16), torch.int64)
    assert (x.is_contiguous(), target.is_contiguous()) == (True, True)


def test_half_of_the_patches_hold_the_lesion_where_blood_is_bright(tiny):
    x, target = (torch.cat(parts) for parts in zip(*epoch(tiny.cached, tiny.settings), strict=True))
    assert (target.flatten(1).sum(1) > 0).float().mean() > 0.45
    assert x[target > 0].mean() > 0.6 > x[target == 0].max()


@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(six_views=True), Augmentation(flip=0.5, noise=0.5)])
def test_batches_do_not_depend_on_the_number_of_workers(tiny, augmentation):
    settings = dataclasses.replace(tiny.settings, augmentation=augmentation, patches_per_case=4)
    loader = PatchLoader(tiny.cached, settings, training=True, workers=2)
    for number in (0, 1):
        assert same(list(loader.epoch(number)), epoch(tiny.cached, settings, number))


@pytest.mark.parametrize("fresh", [False, True])
def test_a_training_goes_on_at_any_step_with_what_it_would_have_been_given(tiny, fresh):
    settings = dataclasses.replace(tiny.settings, sampling=dataclasses.replace(tiny.settings.sampling, fresh=fresh))
    whole = epoch(tiny.cached, settings, 3)
    assert same(epoch(tiny.cached, settings, 3, 5), whole[5:])
    loader = PatchLoader(tiny.cached, settings, training=True, workers=1)
    next(loader.epoch(0))
    assert same(list(loader.epoch(3, 5)), whole[5:])


def test_reading_batches_draws_nothing_from_the_generator_of_the_network(tiny):
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    list(PatchLoader(tiny.cached, tiny.settings, training=True, workers=1).epoch(0))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_same_patches_come_each_epoch_in_another_order(tiny):
    settings = dataclasses.replace(tiny.settings, batch_size=10)
    first, second = epoch(tiny.cached, settings, 0), epoch(tiny.cached, settings, 1)
    assert not same(first, second)
    assert contents(first) == contents(second)


def test_fresh_patches_are_others_in_each_epoch(tiny):
    settings = dataclasses.replace(tiny.settings, sampling=Sampling(fresh=True), batch_size=10)
    assert contents(epoch(tiny.cached, settings, 0)) != contents(epoch(tiny.cached, settings, 1))


def test_validation_is_the_same_each_epoch_whole_and_not_varied(tiny):
    wild = dataclasses.replace(tiny.settings, augmentation=Augmentation(noise=1.0), sampling=Sampling(fresh=True))
    first = epoch(tiny.cached[:1], wild, 0, training=False)
    assert same(first, epoch(tiny.cached[:1], wild, 7, training=False))
    assert sum(len(x) for x, _ in first) == 20
    calm = dataclasses.replace(wild, augmentation=Augmentation())
    assert same(first, epoch(tiny.cached[:1], calm, 0, training=False))


def test_six_views_of_each_patch_are_in_an_epoch(tiny):
    settings = dataclasses.replace(
        tiny.settings, augmentation=Augmentation(six_views=True), patches_per_case=2, batch_size=12
    )
    batches = epoch(tiny.cached[:1], settings)
    assert sum(len(x) for x, _ in batches) == 12
    assert len({np.sort(x.numpy(), axis=None).tobytes() for batch, _ in batches for x in batch}) == 2


def test_processors_share_every_batch_and_together_have_all_of_it(tiny):
    parts = [epoch(tiny.cached, tiny.settings, 2, rank=rank, ranks=2) for rank in range(2)]
    whole = epoch(tiny.cached, tiny.settings, 2)
    for left, right, both in zip(*parts, whole, strict=True):
        assert len(left[0]) == len(right[0]) == 4
        assert contents([left, right]) == contents([both])


def test_a_batch_that_cannot_be_shared_is_refused(tiny):
    with pytest.raises(ParameterError, match="batch_size is 8 and 3 processors"):
        PatchLoader(tiny.cached, tiny.settings, training=True, ranks=3)


def test_no_cases_are_refused(tiny):
    with pytest.raises(UsageError, match="no case"):
        PatchLoader([], tiny.settings, training=True)


def test_fewer_patches_than_a_batch_are_one_batch(tiny):
    few = dataclasses.replace(tiny.settings, patches_per_case=3)
    batches = epoch(tiny.cached[:1], few)
    assert [len(x) for x, _ in batches] == [3]


def test_patches_are_standardised_where_inference_does_so(tiny):
    plain = dataclasses.replace(tiny.settings.input, normalization=Normalization("z-score", over="patch"))
    settings = dataclasses.replace(tiny.settings, input=plain)
    x = epoch(tiny.cached, settings)[0][0]
    assert x.mean((2, 3, 4)).abs().max() < 1e-4
    assert (x.std((2, 3, 4), correction=0) - 1).abs().max() < 1e-3


def test_networks_for_slices_get_slices(tiny, tmp_path):
    settings = dataclasses.replace(published_settings("slice-unet"), patches_per_case=6).with_patch((64, 64, 1))
    cached = prepared_cases(tiny.cases[:1], settings, tmp_path, jobs=1)
    x, target = epoch(cached, settings)[0]
    assert (x.shape, target.shape) == ((4, 1, 1, 64, 64), (4, 1, 1, 64, 64))


def test_networks_for_whole_heads_get_whole_heads(tiny, tmp_path):
    recipe = published_settings("cnn-ds")
    settings = dataclasses.replace(recipe, input=dataclasses.replace(recipe.input, size=(32, 32, 16)))
    cached = prepared_cases(tiny.cases[:2], settings, tmp_path, jobs=1)
    batches = epoch(cached, settings)
    assert [tuple(x.shape) for x, _ in batches] == [(1, 1, 16, 32, 32)] * 2
    for _, target in batches:
        assert target.any()


def test_the_second_stage_gets_the_bleed_enlarged(tiny):
    settings = dataclasses.replace(tiny.settings, patches_per_case=4, batch_size=4)
    batches = epoch(tiny.cached[3:4], settings, stage=2)
    x, target = batches[0]
    assert x.shape == (4, 1, 8, 16, 16)
    shares = target.float().mean((1, 2, 3, 4))
    assert len(shares.unique()) > 1
    assert ((shares > 0.05) & (shares < 0.8)).all()
    assert x[target > 0].mean() > 0.6
    fixed = epoch(tiny.cached[3:4], settings, stage=2, training=False)[0][1].float().mean((1, 2, 3, 4))
    assert len(fixed.unique()) == 1


def test_the_second_stage_does_without_cases_that_have_no_lesion(tiny):
    empty = dataclasses.replace(tiny.cached[0], counts={"brain": 5})
    loader = PatchLoader([empty, tiny.cached[1]], dataclasses.replace(tiny.settings, batch_size=1), training=True, stage=2)
    assert loader.steps == 20
    with pytest.raises(UsageError, match="has a lesion"):
        PatchLoader([empty], tiny.settings, training=True, stage=2)


def test_waiting_for_batches_is_measured(tiny):
    loader = PatchLoader(tiny.cached, tiny.settings, training=True)
    list(loader.epoch(0))
    assert loader.wait_seconds > 0
