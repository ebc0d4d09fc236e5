"""What holds for every architecture."""

import pytest

from HTSegmentationLib.errors import ParameterError


def expected_sides(network, sides):
    return network.output_size(sides) if hasattr(network, "output_size") else sides


@pytest.mark.parametrize(("channels", "classes"), [(1, 2), (2, 5)])
def test_a_volume_becomes_logits_of_every_class(torch, small, batch, sides, channels, classes):
    network = small(input_channels=channels, classes=classes)
    assert (network.input_channels, network.classes) == (channels, classes)
    with torch.inference_mode():
        found = network(batch(channels=channels))
    assert found.shape == (2, classes, *expected_sides(network, sides))
    assert bool(torch.isfinite(found).all())


def test_gradients_reach_every_weight(torch, small, batch):
    network = small().train()
    supervised = getattr(network, "forward_supervised", None)
    outputs = supervised(batch()) if supervised else [network(batch())]
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert bool(torch.isfinite(weights.grad).all()), name
        # A bias before an instance norm has no effect, as in MONAI's BasicUNet.
        assert weights.ndim == 1 or bool(weights.grad.any()), name


def test_the_same_network_gives_the_same_bytes_twice(torch, small, batch):
    with torch.inference_mode():
        assert torch.equal(small()(batch()), small()(batch()))


def test_items_of_a_batch_do_not_see_each_other(torch, small, batch):
    network, both = small(), batch()
    with torch.inference_mode():
        together, alone = network(both), torch.cat([network(both[:1]), network(both[1:])])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_gives_nearly_the_same(torch, small, batch, kind):
    network = small()
    with torch.inference_mode():
        exact = network(batch())
        half = network.to(getattr(torch, kind))(batch().to(getattr(torch, kind)))
    assert half.dtype == getattr(torch, kind)
    error = (half.float() - exact).abs().mean() / exact.std()
    assert error < {"float16": 0.01, "bfloat16": 0.06}[kind]


def test_channels_last_gives_the_same(torch, small, batch):
    network = small()
    # torch has no format of three dimensions for the weights of two.
    weights = torch.channels_last_3d if network.spatial_dims == 3 else torch.channels_last
    changed = small().to(memory_format=weights)
    with torch.inference_mode():
        found = changed(batch().contiguous(memory_format=torch.channels_last_3d))
        torch.testing.assert_close(found, network(batch()), rtol=1e-4, atol=1e-5)


def test_it_can_be_built_and_run_without_memory(torch, small, batch):
    with torch.device("meta"):
        network = small(input_channels=2)
    assert all(weights.is_meta for weights in network.parameters())
    assert network(batch(channels=2).to("meta")).is_meta


def test_sides_that_do_not_fit_are_refused_with_those_that_do(small, batch, sides):
    network = small()
    wrong = (*sides[:-1], sides[-1] + 1)
    with pytest.raises(ParameterError, match=rf"{wrong[0]} x {wrong[1]} x {wrong[2]} voxels; the sides must be") as refusal:
        network(batch(sides=wrong))
    if not hasattr(network, "output_size"):
        assert " x ".join(map(str, network.input_multiple)) in str(refusal.value)


def test_empty_inputs_are_refused(small, batch, sides):
    with pytest.raises(ParameterError, match="sides must be"):
        small()(batch(sides=(*sides[:-1], 0)))


def test_other_channels_and_axes_are_refused(small, batch):
    with pytest.raises(ParameterError, match=r"\(2, 3, .*must be \(N, 1, z, y, x\)"):
        small()(batch(channels=3))
    with pytest.raises(ParameterError, match="must be"):
        small()(batch()[0, 0])


@pytest.mark.parametrize("name", ["basic-unet", "cnn-ds"], indirect=True)
def test_an_input_whose_inner_map_cannot_be_normalized_is_refused(small, batch):
    network = small()
    with pytest.raises(ParameterError, match=f"at least one side must be {2 * network.input_multiple[0]} voxels"):
        network(batch(sides=network.input_multiple))


@pytest.mark.parametrize("name", ["se-unet", "cnn-ds", "slice-unet", "patch-unet"], indirect=True)
def test_dropout_works_in_training_alone(torch, small, batch):
    network = small(dropout=0.5)
    with torch.inference_mode():
        assert torch.equal(network(batch()), network(batch()))
        network.train()
        assert not torch.equal(network(batch()), network(batch()))
