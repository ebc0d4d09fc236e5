"""Overlapping windows, and batches that fit into memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import Cancelled, SegmentationError

from ..needs import deep_learning, package

torch = deep_learning()

from HTSegmentationLib.inference.batch_size import Batches, batch_size_for, largest_map_bytes  # noqa: E402
from HTSegmentationLib.inference.device import choose_device  # noqa: E402
from HTSegmentationLib.inference.predictor import Predictor  # noqa: E402
from HTSegmentationLib.inference.sliding import slide, windows_over  # noqa: E402
from HTSegmentationLib.networks.registry import build_network  # noqa: E402

CPU = choose_device("cpu")


def network(seed=0, **arguments):
    torch.manual_seed(seed)
    return build_network("se-unet", {"levels": 2, "filters": 2, **arguments}).eval()


def scan(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class Greedy(torch.nn.Module):
    """Runs out of memory, the way a card does, for more windows at once than it has room for."""

    classes = 2

    def __init__(self, room, error=torch.OutOfMemoryError):
        super().__init__()
        self.room, self.error, self.sizes = room, error, []

    def forward(self, x):
        self.sizes.append(len(x))
        if len(x) > self.room:
            raise self.error("CUDA out of memory. Tried to allocate 2.00 GiB")
        return torch.cat([x, -x], dim=1)


@pytest.mark.parametrize("blending", ["gaussian", "uniform"])
@pytest.mark.parametrize("overlap", [0.25, 0.5, 0.6])
def test_windows_are_blended_as_monai_does(blending, overlap):
    inferers = package("monai.inferers", "blending was not compared with it")
    net, channels, window = network(), scan(1, 14, 22, 30), (8, 8, 16)
    ours, _ = slide(
        channels,
        np.ones((14, 22, 30), bool),
        window,
        Predictor([net], CPU),
        Batches(3, "here"),
        overlap=overlap,
        blending=blending,
    )
    mode = "gaussian" if blending == "gaussian" else "constant"
    with torch.inference_mode():
        theirs = inferers.sliding_window_inference(
            torch.from_numpy(channels)[None], window, 2, lambda x: net(x).softmax(1), overlap=overlap, mode=mode
        )
    np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-6)


def test_windows_that_hold_nothing_needed_are_not_run_and_change_nothing_elsewhere():
    needed = np.zeros((16, 24, 24), bool)
    needed[3:6, 2:9, 15:20] = True
    how = ((8, 8, 8), Predictor([network()], CPU), Batches(2, "here"))
    channels = scan(1, 16, 24, 24)
    some, few = slide(channels, needed, *how)
    whole, many = slide(channels, np.ones_like(needed), *how)
    assert 0 < few < many
    np.testing.assert_allclose(some[:, needed], whole[:, needed], atol=1e-6)
    nothing, none = slide(channels, np.zeros_like(needed), *how)
    assert (nothing.shape, none) == ((2, 16, 24, 24), 0)


@given(
    st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(0, 9)] * 3), st.floats(0, 0.95), st.integers(0, 2**32 - 1)
)
@settings(max_examples=60, deadline=None)
def test_every_needed_voxel_lies_in_a_window_and_every_window_holds_one(window, more, overlap, seed):
    shape = tuple(side + rest for side, rest in zip(window, more, strict=True))
    needed = np.random.default_rng(seed).random(shape) < 0.1
    covered = np.zeros(shape, bool)
    for place in windows_over(needed, window, overlap):
        assert covered[place].shape == window
        assert needed[place].any()
        covered[place] = True
    assert not (needed & ~covered).any()


def test_larger_windows_than_published_change_the_answer_of_a_network_with_squeeze_and_excitation():
    """Why the published windows are kept: the mean over the window is part of the network."""
    channels, needed = scan(1, 16, 32, 32), np.ones((16, 32, 32), bool)
    how = (Predictor([network()], CPU), Batches(4, "here"))
    published, _ = slide(channels, needed, (8, 8, 8), *how)
    larger, _ = slide(channels, needed, (16, 32, 32), *how)
    middle = (slice(None), slice(6, 10), slice(14, 18), slice(14, 18))
    assert np.abs(published[middle] - larger[middle]).max() > 1e-3


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_a_batch_that_runs_out_of_memory_is_halved_and_the_work_goes_on_with_a_word(error):
    net, batches = Greedy(room=2, error=error), Batches(8, "the card")
    channels = scan(1, 8, 8, 64)
    found, count = slide(channels, np.ones((8, 8, 64), bool), (8, 8, 8), Predictor([net], CPU), batches)
    assert net.sizes[:3] == [8, 4, 2]
    assert max(net.sizes[2:]) == 2
    assert sum(net.sizes[2:]) == count == 15
    np.testing.assert_allclose(found[0], 1 / (1 + np.exp(-2 * channels[0])), atol=1e-5)
    (remark,) = batches.remarks
    assert remark.code == "batch-halved"
    assert "8 windows at once; 2 at once" in remark.text


def test_memory_that_does_not_suffice_for_one_window_is_an_error_with_advice():
    with pytest.raises(SegmentationError, match="single window"):
        slide(scan(1, 8, 8, 8), np.ones((8, 8, 8), bool), (8, 8, 8), Predictor([Greedy(0)], CPU), Batches(4, "the card"))


def test_other_errors_of_a_network_are_not_taken_for_memory():
    class Broken(Greedy):
        def forward(self, x):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        slide(scan(1, 8, 8, 8), np.ones((8, 8, 8), bool), (8, 8, 8), Predictor([Broken(9)], CPU), Batches(4, "the card"))


def test_without_trouble_nothing_is_said():
    batches = Batches(3, "here")
    assert [list(items) for items, _ in batches.over(list(range(7)), len)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert batches.remarks == ()


def test_progress_is_told_after_every_batch_and_can_stop_the_work():
    net = Greedy(room=9)

    def stop(stage, fraction):
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        slide(
            scan(1, 8, 8, 64), np.ones((8, 8, 64), bool), (8, 8, 8), Predictor([net], CPU), Batches(2, "here"), progress=stop
        )
    assert net.sizes == [2]


def test_the_largest_map_of_a_network_is_found_without_running_it():
    net = network(filters=4)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert largest_map_bytes(net, (8, 16, 16)) == 4 * 8 * 16 * 16 * 4
    for name, value in net.state_dict().items():
        assert torch.equal(before[name], value)
        assert value.device.type == "cpu"


def test_the_batch_shrinks_with_the_free_memory(monkeypatch):
    net, window = network(filters=4), (8, 16, 16)
    one = largest_map_bytes(net, window)
    sizes = []
    for free in (1 << 40, 30 * one, one):
        monkeypatch.setattr(type(CPU), "free_bytes", lambda self, free=free: free)
        sizes.append(batch_size_for(net, window, CPU))
    assert sizes[0] > sizes[1] > sizes[2] == 1


def test_mirrored_windows_are_averaged_where_they_belong():
    net, windows = network(), torch.from_numpy(scan(2, 1, 8, 8, 8))
    with torch.inference_mode():
        parts = [net(windows.flip(axes)).softmax(1).flip(axes) for axes in ((), (3,), (4,), (3, 4))]
        expected = torch.stack(parts).mean(0)
    np.testing.assert_allclose(Predictor([net], CPU, mirroring=True)(windows), expected, atol=1e-6)
    assert not np.allclose(Predictor([net], CPU)(windows), expected, atol=1e-4)


def test_classes_that_do_not_exclude_each_other_keep_their_own_probabilities():
    net, windows = network(classes=3), torch.from_numpy(scan(1, 1, 8, 8, 8))
    with torch.inference_mode():
        expected = net(windows).sigmoid()
    np.testing.assert_allclose(Predictor([net], CPU, activation="sigmoid")(windows), expected, atol=1e-6)


def test_a_z_score_over_the_patch_makes_brightness_and_contrast_of_the_patch_count_for_nothing():
    predictor, windows = Predictor([network()], CPU, standardize=True), torch.from_numpy(scan(2, 1, 8, 8, 8))
    np.testing.assert_allclose(predictor(windows), predictor(windows * 7 + 300), atol=1e-4)
    assert torch.isfinite(predictor(torch.zeros(1, 1, 8, 8, 8))).all()


def test_half_precision_that_runs_over_is_given_up_with_a_word():
    class Large(Greedy):
        def forward(self, x):
            wide = torch.full_like(x, torch.inf) if torch.is_autocast_enabled("cpu") else x
            return torch.cat([wide, -wide], dim=1)

    predictor, windows = Predictor([Large(9)], CPU, half=True), torch.from_numpy(scan(1, 1, 8, 8, 8))
    found = predictor(windows)
    assert torch.isfinite(found).all()
    assert [remark.code for remark in predictor.remarks] == ["half-precision-given-up"]
    assert predictor.half is False
    predictor(windows)
    assert len(predictor.remarks) == 1


def test_gradients_are_never_kept():
    assert not Predictor([network()], CPU)(torch.zeros(1, 1, 8, 8, 8)).requires_grad
