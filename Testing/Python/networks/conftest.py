"""Networks small enough to be run many times, and inputs that suit them."""

import pytest

from HTSegmentationLib.networks.registry import NETWORK_NAMES, build_network

from ..needs import deep_learning

SMALL = {
    "se-unet": ({"levels": 3, "filters": 4}, (4, 8, 8)),
    "cascaded-unet": ({"filters": 2, "most_filters": 6}, (4, 64, 64)),
    "cnn-ds": ({"levels": 3, "filters": 4}, (8, 8, 8)),
    "deepmedic": ({"feature_maps": [4, 4, 6], "fully_connected": [6, 6]}, (45, 45, 45)),
    "basic-unet": ({"features": [4, 4, 4, 4, 4, 4]}, (16, 16, 32)),
    "deeplab": ({"filters": 4, "blocks": [1, 1, 1, 1], "aspp_channels": 8}, (16, 32, 32)),
    "patch-unet": ({"levels": 3, "filters": 4}, (4, 8, 8)),
    "slice-unet": ({"levels": 3, "filters": 4}, (3, 8, 8)),
}
"""Arguments of a small network of each architecture, and an input (z, y, x)."""


@pytest.fixture(scope="session")
def torch():
    return deep_learning()


@pytest.fixture(params=NETWORK_NAMES)
def name(request):
    return request.param


@pytest.fixture
def sides(name):
    return SMALL[name][1]


@pytest.fixture
def small(torch, name):
    """Makes a small network of the architecture, in evaluation mode; the same one each time."""

    def make(**others):
        torch.manual_seed(7)
        return build_network(name, SMALL[name][0] | others).eval()

    return make


@pytest.fixture
def batch(torch, sides):
    """A batch of inputs; the same one each time."""

    def make(count=2, channels=1, sides=sides):
        return torch.randn(count, channels, *sides, generator=torch.Generator().manual_seed(11))

    return make
