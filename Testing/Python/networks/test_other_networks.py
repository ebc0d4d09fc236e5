import pytest

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.networks.cnn_ds import HEAD_SIZE
from HTSegmentationLib.networks.registry import build_network

from .. import needs
from .conftest import SMALL


def count(network):
    return sum(weights.numel() for weights in network.parameters())


def on_meta(torch, name, **arguments):
    with torch.device("meta"):
        return build_network(name, arguments).eval()


class TestCascadedUNet:
    def test_the_bottleneck_of_the_published_patch_is_4_5_5(self, torch):
        network = on_meta(torch, "cascaded-unet")
        sizes = []
        for block in network.encoder:
            block.register_forward_hook(lambda *call: sizes.append(tuple(call[-1].shape[2:])))
        network(torch.zeros(1, 1, 16, 320, 320, device="meta"))
        assert [size[1] for size in sizes] == [320, 160, 80, 40, 20, 10, 5]
        assert sizes[-1] == (4, 5, 5)

    def test_every_supervised_level_has_logits_of_its_own_size_the_finest_first(self, torch):
        network = on_meta(torch, "cascaded-unet", supervised_levels=6, classes=3)
        found = network.forward_supervised(torch.zeros(2, 1, 16, 320, 320, device="meta"))
        assert [tuple(logits.shape) for logits in found] == [
            (2, 3, 16, 320, 320),
            (2, 3, 16, 160, 160),
            (2, 3, 16, 80, 80),
            (2, 3, 16, 40, 40),
            (2, 3, 8, 20, 20),
            (2, 3, 4, 10, 10),
        ]

    def test_the_finest_supervised_logits_are_those_of_inference(self, torch):
        network = build_network("cascaded-unet", SMALL["cascaded-unet"][0]).eval()
        given = torch.randn(1, 1, 4, 64, 64)
        with torch.inference_mode():
            assert torch.equal(network(given), network.forward_supervised(given)[0])

    def test_supervision_refuses_what_inference_refuses(self, torch):
        network = build_network("cascaded-unet", SMALL["cascaded-unet"][0])
        with pytest.raises(ParameterError, match="multiples of 4 x 64 x 64"):
            network.forward_supervised(torch.zeros(1, 1, 4, 64, 65))

    def test_no_level_is_wider_than_allowed(self, torch):
        network = on_meta(torch, "cascaded-unet", filters=32, most_filters=100)
        assert max(weights.shape[0] for weights in network.parameters()) == 100

    def test_the_2d_model_takes_whole_slices(self, torch):
        network = on_meta(torch, "cascaded-unet", dimensions=2)
        assert network.input_multiple == (1, 64, 64)
        assert network(torch.zeros(3, 1, 512, 512, device="meta")).shape == (3, 2, 512, 512)
        assert network.forward_supervised(torch.zeros(1, 1, 3, 512, 512, device="meta"))[0].shape == (3, 2, 512, 512)


class TestSliceBySlice:
    @pytest.mark.parametrize(
        ("name", "arguments", "side"),
        [
            ("slice-unet", SMALL["slice-unet"][0], 8),
            ("cascaded-unet", {"dimensions": 2, "filters": 2, "most_filters": 4}, 64),
        ],
    )
    def test_a_volume_is_its_slices_each_alone(self, torch, name, arguments, side):
        network = build_network(name, arguments).eval()
        volume = torch.randn(2, 1, 3, side, side)
        with torch.inference_mode():
            whole = network(volume)
            alone = torch.stack([network(volume[:, :, number]) for number in range(3)], dim=2)
        assert whole.shape == (2, 2, 3, side, side)
        torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-5)


class TestCnnDs:
    def test_it_takes_a_whole_head(self, torch):
        assert on_meta(torch, "cnn-ds")(torch.zeros(1, 1, *HEAD_SIZE, device="meta")).shape == (1, 2, *HEAD_SIZE)

    def test_deep_supervision_adds_a_segmentation_layer_at_every_depth(self, torch):
        with_it, without = on_meta(torch, "cnn-ds"), on_meta(torch, "cnn-ds", deep_supervision=False)
        assert (len(with_it.segmentation), len(without.segmentation)) == (3, 1)
        extra = sum(27 * channels * 2 + 2 for channels in (64, 32))
        assert count(with_it) - count(without) == extra

    def test_the_output_is_the_sum_over_depths(self, torch):
        network = build_network("cnn-ds", {"levels": 3, "filters": 4}).eval()
        given = torch.randn(1, 1, 8, 8, 8)
        with torch.no_grad():
            network.segmentation[-1].weight.zero_()
            network.segmentation[-1].bias.zero_()
            coarse = network(given)
            network.segmentation[0].weight.zero_()
            network.segmentation[0].bias.fill_(3.0)
            assert bool(coarse.std() > 0)
            assert bool((network(given) == 3.0).all())


class TestComparators:
    def test_basic_unet_is_monais_with_its_defaults(self, torch):
        nets = needs.package("monai.networks.nets.basic_unet", "not compared with MONAI")
        torch.manual_seed(0)
        ours = build_network("basic-unet", {}).eval()
        theirs = nets.BasicUNet(spatial_dims=3, in_channels=1, out_channels=2).eval()
        theirs.load_state_dict(ours.network.state_dict())
        given = torch.randn(1, 1, 16, 16, 32)
        with torch.inference_mode():
            assert torch.equal(ours(given), theirs(given))

    def test_slice_unet_has_the_parameters_of_the_classic_u_net_with_batch_norm(self, torch):
        levels, filters = 5, [64, 128, 256, 512, 1024]
        encoder = [9 * a * b + 9 * b * b + 4 * b for a, b in zip([1, *filters], filters, strict=False)]
        decoder = [9 * 2 * b * b + 9 * b * b + 4 * b + 4 * 2 * b * b + b for b in filters[:-1]]
        assert len(encoder) == levels
        assert count(on_meta(torch, "slice-unet")) == sum(encoder) + sum(decoder) + 64 * 2 + 2

    def test_patch_unet_without_skips_sees_no_more_than_its_own_channels(self, torch):
        plain = on_meta(torch, "patch-unet", skip_connections=False)
        assert [block[0][0].in_channels for block in plain.decoder] == [128, 64, 32]
        full = on_meta(torch, "patch-unet")
        assert [block[0][0].in_channels for block in full.decoder] == [256, 128, 64]

    def test_deeplab_shrinks_to_a_sixteenth_and_takes_low_level_features_at_a_quarter(self, torch):
        network = on_meta(torch, "deeplab")
        sizes = {}
        for part in ("low_level", "high_level", "pyramid"):
            getattr(network, part).register_forward_hook(
                lambda *call, part=part: sizes.update({part: tuple(call[-1].shape[1:])})
            )
        network(torch.zeros(1, 1, 32, 64, 96, device="meta"))
        assert sizes == {"low_level": (32, 8, 16, 24), "high_level": (256, 2, 4, 6), "pyramid": (256, 2, 4, 6)}

    def test_deeplab_dilates_as_published(self, torch):
        network = on_meta(torch, "deeplab")
        assert [branch[0].dilation[0] for branch in network.pyramid.branches] == [1, 6, 12, 18]
