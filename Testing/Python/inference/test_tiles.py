"""Tiles of networks without padding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import Cancelled

from ..needs import deep_learning

torch = deep_learning()

from HTSegmentationLib.inference.batch_size import Batches  # noqa: E402
from HTSegmentationLib.inference.device import choose_device  # noqa: E402
from HTSegmentationLib.inference.predictor import Predictor  # noqa: E402
from HTSegmentationLib.inference.tiles import Tiling, tile, tiles_over, tiling_for  # noqa: E402
from HTSegmentationLib.networks.registry import build_network  # noqa: E402

CPU = choose_device("cpu")
SMALL = Tiling(step=(15, 15, 15), margin=(10, 10, 10), side=(15, 30, 15))
"""Small tiles of a network of two layers: each takes 2 voxels, 5 times as many in the coarsest pathway."""


def network():
    torch.manual_seed(0)
    return build_network("deepmedic", {"feature_maps": [2, 3], "fully_connected": [4], "classes": 3}).eval()


@given(
    st.tuples(*[st.integers(1, 4)] * 3),
    st.tuples(*[st.sampled_from([1, 3, 5])] * 3),
    st.tuples(*[st.integers(1, 3)] * 3),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_tiles_hold_everything_needed_once_lie_on_the_lattice_and_are_no_longer_than_allowed(counts, step, most, seed):
    shape = tuple(count * s for count, s in zip(counts, step, strict=True))
    needed = np.random.default_rng(seed).random(shape) < 0.05
    tiling = Tiling(step, (0, 0, 0), tuple(s * m for s, m in zip(step, most, strict=True)))
    times = np.zeros(shape, int)
    for place in tiles_over(needed, tiling):
        times[place] += 1
        assert needed[place].any()
        for span, s, longest in zip(place, step, tiling.side, strict=True):
            assert span.start % s == span.stop % s == 0
            assert 0 < span.stop - span.start <= longest
    assert times.max(initial=0) <= 1
    assert times[needed].all()


def test_tiles_of_a_ball_leave_out_the_corners_of_its_box():
    z, y, x = np.mgrid[-75:75, -75:75, -75:75]
    ball = z**2 + y**2 + x**2 < 75**2
    tiles = tiles_over(ball, Tiling((15,) * 3, (40,) * 3, (30,) * 3))
    run = sum(np.prod([span.stop - span.start for span in place]) for place in tiles)
    assert run < 0.85 * ball.size


def test_tiles_give_what_the_whole_at_once_gives():
    net = network()
    channels = np.random.default_rng(0).normal(size=(1, 50, 80, 65)).astype(np.float32)
    needed = np.ones((30, 60, 45), bool)
    found, count = tile(channels, needed, SMALL, Predictor([net], CPU), Batches(1, "here"))
    with torch.inference_mode():
        whole = net(torch.from_numpy(channels)[None]).softmax(1)[0].numpy()
    assert count == 2 * 2 * 3
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_what_is_not_needed_is_not_run():
    needed = np.zeros((30, 60, 45), bool)
    needed[2, 50, 40] = True
    channels = np.zeros((1, 50, 80, 65), np.float32)
    found, count = tile(channels, needed, SMALL, Predictor([network()], CPU), Batches(1, "here"))
    assert count == 1
    assert (found[:, :15, 45:60, 30:45].sum(axis=0) > 0.99).all()
    assert found.sum() == pytest.approx(15**3, rel=1e-4)


def test_the_work_can_be_stopped_at_each_tile():
    heard = []

    def stop(stage, fraction):
        heard.append(fraction)
        if fraction > 0.3:
            raise Cancelled

    how = (Predictor([network()], CPU), Batches(1, "here"))
    with pytest.raises(Cancelled):
        tile(np.zeros((1, 50, 80, 65), np.float32), np.ones((30, 60, 45), bool), SMALL, *how, progress=stop)
    assert heard == pytest.approx([0, 1 / 12, 2 / 12, 3 / 12, 4 / 12])


def test_tiles_shrink_with_the_free_memory_and_know_what_the_network_reads(monkeypatch):
    net, sides = network(), []
    for free in (1 << 40, 1 << 23, 1):
        monkeypatch.setattr(type(CPU), "free_bytes", lambda self, free=free: free)
        tiling = tiling_for(net, CPU)
        assert tiling.step == (15, 15, 15)
        assert tiling.margin == (10, 10, 10)
        sides.append(np.prod(tiling.side))
    assert sides[0] == 45 * 75 * 75
    assert sides[0] > sides[1] > sides[2] == 15**3
