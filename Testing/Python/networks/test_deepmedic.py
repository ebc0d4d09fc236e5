import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.networks.registry import build_network

TINY = {"feature_maps": [4, 4, 6], "fully_connected": [6, 6], "classes": 3}
"""Three layers: context 6 voxels a scale, so that an output is 30 voxels smaller than its input."""


@pytest.fixture
def tiny(torch):
    torch.manual_seed(3)
    network = build_network("deepmedic", TINY)
    # Running statistics other than 0 and 1, as after training.
    network(torch.randn(2, 1, 45, 45, 45) * 2 + 1)
    return network.eval()


def test_it_has_as_many_parameters_as_published(torch):
    assert sum(weights.numel() for weights in build_network("deepmedic", {}).parameters()) == 1_030_033


@pytest.mark.parametrize(("given", "made"), [(110, 30), (125, 45), (140, 60), (95, 15)])
def test_inputs_and_outputs_have_the_published_sizes(torch, given, made):
    network = build_network("deepmedic", {})
    assert network.output_size((given, 110, 125)) == (made, 30, 45)
    assert network.input_size_for((made, 30, 45)) == (given, 110, 125)
    assert network.output_multiple == (15, 15, 15)
    shape = network.to("meta")(torch.zeros(1, 1, given, 110, 125, device="meta")).shape
    assert shape == (1, 5, made, 30, 45)


@pytest.mark.parametrize("side", [0, 15, 80, 94, 96, 109, 112])
def test_other_sizes_are_refused_with_those_that_fit(torch, side):
    network = build_network("deepmedic", {})
    with pytest.raises(ParameterError, match=rf"{side} x 110 x 110 voxels; the sides must be 95, 110, 125 and so on"):
        network.output_size((side, 110, 110))


def test_outputs_that_are_no_multiple_have_no_input(torch):
    with pytest.raises(ParameterError, match="95, 110, 125"):
        build_network("deepmedic", {}).input_size_for((30, 31, 30))


@pytest.mark.parametrize("scales", [[1, 3, 5], [4, 1], [3, 3, 1]])
def test_scales_without_a_common_middle_or_order_are_refused(torch, scales):
    with pytest.raises(ParameterError, match="odd numbers that fall"):
        build_network("deepmedic", {"scales": scales})


def test_tiles_give_what_the_whole_gives(torch, tiny):
    whole = torch.randn(1, 1, 60, 75, 60, generator=torch.Generator().manual_seed(5))
    step, lost = 15, 30
    with torch.inference_mode():
        expected = tiny(whole)
        found = torch.zeros_like(expected)
        for place in itertools.product(*(range(0, side - lost, step) for side in whole.shape[2:])):
            read = [slice(start, start + step + lost) for start in place]
            put = [slice(start, start + step) for start in place]
            found[(..., *put)] = tiny(whole[(..., *read)])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_an_output_voxel_sees_as_far_as_the_coarsest_pathway_and_no_farther(torch):
    torch.manual_seed(0)
    network = build_network("deepmedic", {"feature_maps": [2] * 8, "fully_connected": [4]}).eval()
    given = torch.randn(1, 1, 95, 95, 95, requires_grad=True)
    # The middle of the output is the middle of a cube of every scale.
    network(given)[0, :, 7, 7, 7].square().sum().backward()
    seen = given.grad[0, 0].nonzero()
    middle = 47
    assert (seen.min(dim=0).values == middle - 40).all()
    assert (seen.max(dim=0).values == middle + 40).all()


def test_each_pathway_gives_the_voxel_in_the_middle_of_its_cube(torch):
    network = build_network("deepmedic", {"feature_maps": [1], "fully_connected": [2]}).eval()
    seen = {}
    with torch.no_grad():
        for name, pathway in network.named_children():
            if name != "fully_connected":
                layer = pathway.path[0]
                layer.prelu.weight.fill_(1.0)
                layer.conv.weight.zero_()
                pathway.register_forward_hook(lambda *call: seen.update({call[0].scale: call[-1][0, 0, 7, 7]}))
        # With a kernel of zeros a layer gives its residual alone: what it was given.
        network(torch.arange(25.0).expand(1, 1, 25, 25, 25))
    assert seen[1].tolist() == list(range(5, 20))
    assert seen[3].tolist() == [6] * 3 + [9] * 3 + [12] * 3 + [15] * 3 + [18] * 3
    assert seen[5].tolist() == [7] * 5 + [12] * 5 + [17] * 5


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_published_weights_load_to_the_last_name(torch, test_data, number):
    network = build_network("deepmedic", {})
    weights = torch.load(test_data / "blast-ct-v1" / f"model_{number}.pt", weights_only=True, map_location="cpu")
    network.load_state_dict(weights, strict=True)


@pytest.fixture
def published(torch, test_data):
    network = build_network("deepmedic", {})
    network.load_state_dict(torch.load(test_data / "blast-ct-v1" / "model_1.pt", weights_only=True, map_location="cpu"))
    return network.eval()


@pytest.fixture
def real_patches(torch, real_scan):
    """Eight patches of a real head, skull included, 1 mm, as the published networks want them."""
    image = real_scan.image
    axes = np.array(image.GetDirection()).reshape(3, 3)
    middle = np.array(image.TransformContinuousIndexToPhysicalPoint([(length - 1) / 2 for length in image.GetSize()]))
    patches = []
    for off in itertools.product((-30, 30), (-40, 40), (-30, 30)):
        first = middle + axes @ (np.array(off) - 54.5)
        place = (first.tolist(), (1.0, 1.0, 1.0), image.GetDirection(), -1024.0, sitk.sitkFloat32)
        patch = sitk.Resample(image, (110, 110, 110), sitk.Transform(), sitk.sitkLinear, *place)
        patches.append(sitk.GetArrayFromImage(patch))
    return torch.from_numpy(np.stack(patches)[:, None]).clamp(-15, 100).add(15).div(57.5).sub(1)


def test_a_real_scan_has_the_means_and_variances_that_the_published_network_was_trained_with(torch, published, real_patches):
    """What has no weights, residuals and the way down, shows in the running statistics alone."""
    seen = {}
    for name, part in published.named_modules():
        if isinstance(part, torch.nn.BatchNorm3d):
            part.register_forward_pre_hook(lambda norm, given, name=name: seen.update({name: (norm, given[0])}))
    with torch.inference_mode():
        published(real_patches)
    assert len(seen) == 27
    for name, (norm, given) in seen.items():
        live = norm.running_var > 1e-4
        mean, variance = given.mean((0, 2, 3, 4))[live], given.var((0, 2, 3, 4))[live]
        off = (mean - norm.running_mean[live]).abs() / norm.running_var[live].sqrt()
        assert off.median() < 0.5, name
        if name.startswith(("path(5", "path(3")) and name.endswith("path.2.bn"):
            # Averaged cubes would be smoother, and their edges would vary less.
            assert (variance / norm.running_var[live]).log().std() < 0.2, name
