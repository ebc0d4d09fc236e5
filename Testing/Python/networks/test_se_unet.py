import pytest

from HTSegmentationLib.networks.registry import build_network

from .. import needs


def count(network):
    return sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize(("channels", "parameters"), [(1, 2_263_042), (2, 2_263_906)])
def test_it_has_as_many_parameters_as_published(torch, channels, parameters):
    assert count(build_network("se-unet", {"input_channels": channels})) == parameters


def test_the_baseline_lacks_the_squeeze_and_excitation_weights_alone(torch):
    weights_of_blocks = sum(2 * (channels**2 + channels) for channels in (64, 128, 256))
    assert count(build_network("se-unet", {"squeeze_and_excitation": False})) == 2_263_042 - weights_of_blocks


def test_it_takes_the_published_patches_of_all_three_sizes(torch):
    network = build_network("se-unet", {}).to("meta").eval()
    for sides in [(8, 24, 24), (16, 32, 32), (24, 48, 48)]:
        assert network(torch.zeros(1, 1, *sides, device="meta")).shape == (1, 2, *sides)


def test_squeeze_and_excitation_is_that_of_monai(torch):
    blocks = needs.package("monai.networks.blocks", "not compared with MONAI")
    network = build_network("se-unet", {"levels": 2, "filters": 4})
    ours, theirs = network.weighting[1], blocks.ChannelSELayer(3, 8, r=1)
    for own, other in ((ours.squeeze, theirs.fc[0]), (ours.excite, theirs.fc[2])):
        other.load_state_dict(own.state_dict())
    given = torch.randn(2, 8, 3, 4, 5)
    torch.testing.assert_close(ours(given), theirs(given))


def test_skips_are_added_so_that_the_decoder_sees_no_more_channels_than_the_level_has(torch):
    network = build_network("se-unet", {})
    assert [block[0].in_channels for block in network.decoder] == [128, 64, 32]
    assert [block[0].in_channels for block in network.encoder] == [1, 32, 64, 128]
