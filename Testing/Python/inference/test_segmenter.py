"""Networks of model folders as segmentation methods, on a small phantom."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import same_grid, voxels_to_ml
from HTSegmentationLib.errors import Cancelled, InputError, ROIError, SegmentationError, UsageError
from HTSegmentationLib.inference.make import make_segmenter
from HTSegmentationLib.inference.models.folder import read_model
from HTSegmentationLib.inference.network_segmenter import NetworkSegmenter
from HTSegmentationLib.remark import Severity
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.threshold.prepare import prepare

from ..needs import deep_learning
from ..phantom import BLEED_CENTER_MM, as_scan, box_roi, head_array
from .model_folders import write_model

torch = deep_learning()

TINY = {
    "se-unet": ({"levels": 2, "filters": 2}, [32, 32, 8]),
    "cascaded-unet": ({"filters": 1, "most_filters": 4}, [64, 64, 4]),
    "cnn-ds": ({"levels": 2, "filters": 2}, [32, 32, 8]),
    "deepmedic": ({"feature_maps": [2, 2], "fully_connected": [3]}, None),
    "basic-unet": ({"features": [2, 2, 2, 2, 2, 2]}, [32, 32, 16]),
    "deeplab": ({"filters": 1, "blocks": [1, 1, 1, 1], "rates": [1], "aspp_channels": 6}, [32, 32, 16]),
    "patch-unet": ({"levels": 2, "filters": 2}, [32, 32, 8]),
    "slice-unet": ({"levels": 2, "filters": 2}, [64, 64, 1]),
}
"""Arguments and patch with which each architecture is small enough for a test."""


def array(image):
    return sitk.GetArrayFromImage(image)


def dice(first, second):
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def codes(result):
    return {remark.code: remark for remark in result.remarks}


def seeded(name, arguments, seed=0):
    from HTSegmentationLib.networks.registry import build_network

    torch.manual_seed(seed)
    return build_network(name, arguments).state_dict()


def model_of(folder, name="se-unet", **changes):
    """A tiny model of an architecture in a folder, with the spacing that keeps its tests quick."""
    arguments, patch = TINY[name]
    spacing = [3.0, 3.0, 3.0] if name == "deepmedic" else [2.6, 2.4, None]
    described = {
        "architecture": {"name": name, "arguments": arguments},
        "inference__patch": patch,
        "input__spacing_mm": spacing,
    }
    return read_model(write_model(folder, seeded(name, arguments), **(described | changes)))


class Thresholding(torch.nn.Module):
    """A network that knows blood: class 1 is likely where the first channel is above a value, class 2 above another."""

    spatial_dims, input_multiple = 3, (1, 1, 1)

    def __init__(self, *values, input_channels=1):
        super().__init__()
        self.values = values
        self.input_channels = input_channels
        self.classes = len(values) + 1
        self.windows = 0

    def size_fault(self, sides):
        return ""

    def forward(self, x):
        if x.device.type != "meta":  # a run without data, that only looks at sizes
            self.windows += len(x)
        above = [(x[:, :1] - value) * 1000.0 for value in self.values]
        return torch.cat([torch.zeros_like(x[:, :1]), *above], dim=1)


@pytest.fixture(scope="module")
def head():
    return as_scan(head_array()[0])


@pytest.fixture(scope="module")
def prepared(head):
    return prepare(head)


@pytest.fixture(scope="module")
def bleed():
    return head_array()[1]


@pytest.fixture
def knowing(tmp_path, monkeypatch):
    """Makes a segmenter whose network is a threshold at 50 HU; changes are those of the description."""

    def make(*values, network=None, segmenter=None, **changes):
        known = network or Thresholding(*(values or (0.5,)), input_channels=len(changes.get("input__channels", "1")))
        loaded = "HTSegmentationLib.inference.network_segmenter.load_networks"
        monkeypatch.setattr(loaded, lambda model, device, progress: [known])
        model = model_of(tmp_path / "model", **changes)
        return NetworkSegmenter(model, device="cpu", **(segmenter or {})), known

    return make


@pytest.mark.parametrize("name", TINY)
def test_every_architecture_runs_from_a_model_folder_and_answers_on_the_scans_grid(name, prepared, head, tmp_path):
    result = make_segmenter(model_of(tmp_path / "model", name), device="cpu").segment(prepared)
    assert same_grid(result.mask, head.image)
    assert result.mask.GetPixelID() == sitk.sitkUInt8
    assert set(np.unique(array(result.mask))) <= {0, 1}
    likely = array(result.probability)
    assert likely.dtype == np.float32
    assert 0 <= likely.min() <= likely.max() <= 1
    brain = array(prepared.brain_mask) > 0
    assert likely[brain].std() > 0
    assert not array(result.mask)[~brain].any()
    assert not likely[~brain].any()
    assert result.details.windows > 0


def test_a_network_that_knows_blood_gives_the_very_voxels_above_its_threshold(prepared, head, knowing):
    segmenter, _ = knowing(input__spacing_mm=[None, None, None])
    result = segmenter.segment(prepared)
    expected = (array(head.image) > 50) & (array(prepared.brain_mask) > 0)
    np.testing.assert_array_equal(array(result.mask), expected)
    assert result.volume_ml() == pytest.approx(voxels_to_ml(int(expected.sum()), head.image))


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "PIR"])
def test_the_orientation_that_a_model_wants_changes_nothing_in_where_the_answer_lies(
    orientation, prepared, head, bleed, knowing
):
    segmenter, _ = knowing(input__spacing_mm=[None, None, None], input__orientation=orientation)
    expected = (array(head.image) > 50) & (array(prepared.brain_mask) > 0)
    np.testing.assert_array_equal(array(segmenter.segment(prepared).mask), expected)


def test_a_scan_stored_sagittally_gives_the_same_mask(prepared, knowing):
    segmenter, _ = knowing()
    order = (1, 2, 0)
    scan = dataclasses.replace(prepared.scan, image=sitk.PermuteAxes(prepared.scan.image, order))
    stored = dataclasses.replace(prepared, scan=scan, brain_mask=sitk.PermuteAxes(prepared.brain_mask, order))
    turned = sitk.PermuteAxes(segmenter.segment(stored).mask, [order.index(axis) for axis in range(3)])
    np.testing.assert_array_equal(array(turned), array(segmenter.segment(prepared).mask))


def test_on_a_coarser_grid_the_bleed_keeps_its_place_and_its_volume(prepared, head, bleed, knowing):
    segmenter, _ = knowing(input__spacing_mm=[2.0, 2.0, 2.5])
    result = segmenter.segment(prepared, box_roi(head))
    assert dice(array(result.mask) > 0, bleed) > 0.9
    assert result.volume_ml() == pytest.approx(voxels_to_ml(int(bleed.sum()), result.mask), rel=0.12)


def test_a_whole_head_resized_is_answered_on_the_scans_grid(prepared, head, bleed, knowing):
    size = [64, 64, 16]
    segmenter, network = knowing(input__spacing_mm=[None] * 3, input__size=size, inference__patch=size)
    result = segmenter.segment(prepared, box_roi(head))
    assert network.windows == 1
    assert dice(array(result.mask) > 0, bleed) > 0.8


def test_each_class_has_its_label_and_the_probability_is_that_of_the_first(prepared, head, knowing):
    label = {"code": "50960005", "meaning": "Hemorrhage", "color": [1, 2, 3]}
    labels = [{"value": 2, "name": "Dense", **label}, {"value": 1, "name": "Faint", **label}]
    arguments = {**TINY["se-unet"][0], "classes": 3}
    changes = {"labels": labels, "architecture__arguments": arguments, "input__spacing_mm": [None] * 3}
    # The two are equally steep, so that the lower threshold's class would always be the more probable: weigh them.
    network = Thresholding(0.5, 0.6)
    network.forward = lambda x: torch.cat([0 * x, 100 * (x - 0.5), 300 * (x - 0.566)], dim=1)
    segmenter, _ = knowing(network=network, **changes)
    result = segmenter.segment(prepared)
    values, brain = array(head.image), array(prepared.brain_mask) > 0
    assert [entry.value for entry in result.labels] == [2, 1]
    np.testing.assert_array_equal(array(result.mask) == 2, (values > 59) & brain)
    np.testing.assert_array_equal(array(result.mask) == 1, (values > 50) & (values <= 59) & brain)
    assert array(result.probability)[(values > 70) & brain].min() > 0.5
    assert array(result.probability)[(values > 52) & (values < 57) & brain].max() < 0.5


def test_a_probability_threshold_decides_instead_of_the_most_probable_class(prepared, knowing):
    network = Thresholding(0.5)
    network.forward = lambda x: torch.cat([0 * x, (x > 0.5) * 1.0], dim=1)
    volumes = []
    for threshold in (0.7, 0.75):
        segmenter, _ = knowing(network=network, inference__probability_threshold=threshold)
        volumes.append(segmenter.segment(prepared).volume_ml())
    # The network is sure by 1 / (1 + exp(-1)) = 0.731.
    assert volumes[0] > 0
    assert volumes[1] == 0


def test_an_roi_restricts_the_answer_spares_windows_and_is_said(prepared, head, knowing):
    segmenter, network = knowing()
    whole = segmenter.segment(prepared)
    everywhere, network.windows = network.windows, 0
    roi = box_roi(head, half_mm=(8, 8, 8))
    part = segmenter.segment(prepared, roi)
    inside = array(roi.on_grid(head.image)) > 0
    np.testing.assert_array_equal(array(part.mask), np.where(inside, array(whole.mask), 0))
    np.testing.assert_allclose(array(part.probability), np.where(inside, array(whole.probability), 0), atol=1e-6)
    assert 0 < part.details.windows == network.windows < everywhere
    assert "roi-restricts" in codes(part)
    assert "roi-restricts" not in codes(whole)


def test_an_roi_as_thin_as_one_voxel_is_answered(prepared, head, knowing):
    segmenter, _ = knowing(input__spacing_mm=[5.0, 5.0, 8.0])
    mask = np.zeros(array(head.image).shape, np.uint8)
    mask[tuple(head.image.TransformPhysicalPointToIndex(BLEED_CENTER_MM))[::-1]] = 1
    image = sitk.GetImageFromArray(mask)
    image.CopyInformation(head.image)
    result = segmenter.segment(prepared, Roi.from_mask(image))
    assert array(result.mask).sum() == 1


def test_an_roi_that_is_needed_missing_or_off_the_brain_is_refused(prepared, head, knowing):
    segmenter, _ = knowing(inference__needs_roi=True)
    with pytest.raises(ROIError, match="needs a region of interest"):
        segmenter.segment(prepared)
    with pytest.raises(ROIError, match="inside the skull"):
        segmenter.segment(prepared, box_roi(head, center_mm=(-88, -90, 0), half_mm=(4, 4, 10)))


def test_several_networks_are_averaged(prepared, tmp_path):
    from safetensors.torch import save_file

    from HTSegmentationLib.inference.models.weights import sha256_of

    single = []
    for seed in (0, 1):
        model = model_of(tmp_path / f"model-{seed}")
        save_file(seeded("se-unet", TINY["se-unet"][0], seed), model.weight_paths[0])
        entry = [{"file": "weights.safetensors", "sha256": sha256_of(model.weight_paths[0])}]
        model = model_of_folder(model, weights=entry)
        single.append(array(NetworkSegmenter(model, device="cpu").segment(prepared).probability))
        entry[0]["file"] = f"weights-{seed}.safetensors"
        (tmp_path / "both").mkdir(exist_ok=True)
        (tmp_path / "both" / entry[0]["file"]).write_bytes(model.weight_paths[0].read_bytes())
    both = model_of(tmp_path / "both")
    entries = [
        {"file": path.name, "sha256": sha256_of(path)} for path in sorted((tmp_path / "both").glob("weights-*.safetensors"))
    ]
    result = NetworkSegmenter(model_of_folder(both, weights=entries), device="cpu").segment(prepared)
    np.testing.assert_allclose(array(result.probability), np.mean(single, axis=0), atol=1e-6)
    assert not np.allclose(single[0], single[1], atol=1e-3)
    assert "2 networks averaged" in result.details.explain()[0]


def model_of_folder(model, **changes):
    """The same folder with other values in its description."""
    values = model.description.as_dict() | changes
    return dataclasses.replace(model, description=type(model.description).from_dict(values))


def test_the_symmetric_channel_shows_the_bleed_on_the_other_side(prepared, head, bleed, knowing):
    network = Thresholding(0.5, input_channels=2)
    plain = network.forward
    network.forward = lambda x: plain(x[:, 1:])
    arguments = {**TINY["se-unet"][0], "input_channels": 2}
    changes = {"input__channels": ["ct", "symmetric"], "architecture__arguments": arguments}
    segmenter, _ = knowing(network=network, **changes)
    x, y, z = BLEED_CENTER_MM
    result = segmenter.segment(prepared, box_roi(head, center_mm=(-x, y, z)))
    assert dice(array(result.mask) > 0, bleed[:, :, ::-1]) > 0.8
    assert "symmetric modality" in result.stage_seconds


def test_the_second_scan_loads_nothing(prepared, tmp_path, monkeypatch):
    from HTSegmentationLib.inference import network_segmenter

    loaded, load = [], network_segmenter.load_networks
    monkeypatch.setattr(network_segmenter, "load_networks", lambda *how: loaded.append(1) or load(*how))
    segmenter = NetworkSegmenter(model_of(tmp_path / "model"), device="cpu")
    assert not loaded
    first, second = (segmenter.segment(prepared) for _ in range(2))
    assert len(loaded) == 1
    assert sitk.GetArrayFromImage(first.probability).tobytes() == sitk.GetArrayFromImage(second.probability).tobytes()


def test_the_same_scan_gives_the_same_bytes_and_is_left_as_it_was(head, prepared, tmp_path):
    before = array(head.image)
    model = model_of(tmp_path / "model")
    first, second = (NetworkSegmenter(model, device="cpu").segment(prepared) for _ in range(2))
    assert array(first.probability).tobytes() == array(second.probability).tobytes()
    np.testing.assert_array_equal(before, array(head.image))


def test_cancelling_stops_at_the_next_batch(prepared, knowing):
    segmenter, network = knowing(segmenter={"batch_size": 1})
    heard = []

    def stop(stage, fraction):
        heard.append(stage)
        if heard.count("network") == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        segmenter.segment(prepared, progress=stop)
    assert network.windows < 4


def test_progress_runs_from_0_to_1_and_never_back(prepared, knowing):
    segmenter, _ = knowing()
    heard = []
    segmenter.segment(prepared, progress=lambda stage, fraction: heard.append(fraction))
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, 1)
    assert len(heard) > 10


def test_the_models_warning_comes_loud_and_the_details_tell_what_was_run(prepared, knowing):
    segmenter, network = knowing(segmenter={"batch_size": 3})
    result = segmenter.segment(prepared)
    assert codes(result)["model-warning"].severity is Severity.WARNING
    assert codes(result)["model-warning"].text == "It never saw a patient."
    sentences = result.details.explain()
    assert 3 <= len(sentences) <= 4
    assert "Model tiny, version 1.0" in sentences[0]
    assert "the processor" in sentences[1]
    assert f"{network.windows} windows of up to 32 x 32 x 8 voxels, overlapping by 50%" in sentences[2]
    values = result.details.as_dict()
    assert values["windows"] == network.windows
    assert values["device"] == "cpu"
    assert values["half"] is False
    assert result.parameters["weights_sha256"] == [segmenter.model.description.weights[0].sha256]
    assert (result.method, segmenter.title) == ("tiny", "Tiny SE U-Net")


def test_a_brain_without_blood_says_that_nothing_was_found(prepared, knowing):
    segmenter, _ = knowing(5.0)
    result = segmenter.segment(prepared)
    assert result.volume_ml() == 0
    assert "mask-empty" in codes(result)


def test_an_auto_device_that_fell_back_is_said_and_a_missing_card_is_refused(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    model = model_of(tmp_path / "model")
    assert "device-fallback" in codes(NetworkSegmenter(model).segment(prepared))
    with pytest.raises(UsageError, match="cuda"):
        NetworkSegmenter(model, device="cuda").segment(prepared)


def test_weights_that_were_changed_since_or_do_not_fit_are_refused(prepared, tmp_path):
    model = model_of(tmp_path / "model")
    content = bytearray(model.weight_paths[0].read_bytes())
    content[-1] ^= 1
    model.weight_paths[0].write_bytes(content)
    with pytest.raises(InputError, match="SHA-256"):
        NetworkSegmenter(model, device="cpu").segment(prepared)
    other = {"name": "se-unet", "arguments": {"levels": 2, "filters": 4}}
    with pytest.raises(InputError, match="not those of the architecture"):
        NetworkSegmenter(model_of(tmp_path / "other", architecture=other), device="cpu").segment(prepared)


def test_a_patch_that_the_network_does_not_take_is_refused(prepared, tmp_path):
    model = model_of(tmp_path / "model", inference__patch=[31, 32, 8])
    with pytest.raises(InputError, match=r"multiples of 2 x 2 x 2"):
        NetworkSegmenter(model, device="cpu").segment(prepared)


def test_a_network_that_gives_no_numbers_is_refused(prepared, knowing):
    network = Thresholding(0.5)
    network.forward = lambda x: torch.full((len(x), 2, *x.shape[2:]), torch.nan)
    segmenter, _ = knowing(network=network)
    with pytest.raises(SegmentationError, match="not numbers"):
        segmenter.segment(prepared)
