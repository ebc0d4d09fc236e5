"""A model of two stages."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.inference.models.cascade_description import CascadeDescription
from HTSegmentationLib.inference.network_segmenter import NetworkSegmenter
from HTSegmentationLib.threshold.prepare import prepare

from ..needs import deep_learning
from ..phantom import as_scan, box_roi, head_array

torch = deep_learning()

from .test_segmenter import Thresholding, dice, model_of, model_of_folder  # noqa: E402


@pytest.fixture(scope="module")
def head():
    return as_scan(head_array()[0])


@pytest.fixture(scope="module")
def prepared(head):
    return prepare(head)


class Coarse(Thresholding):
    """Finds the bleed and 3 voxels around it."""

    def forward(self, x):
        wide = torch.nn.functional.max_pool3d(x[:, :1], (1, 7, 7), 1, (0, 3, 3))
        return torch.cat([torch.zeros_like(wide), (wide - 0.5) * 1000], dim=1)


@pytest.fixture
def staged(tmp_path, monkeypatch):
    """Makes a segmenter of a coarse and a fine network."""

    def make(first=None, second=None, **cascade):
        networks = [first or Coarse(0.5), second or Thresholding(0.5)]
        loaded = "HTSegmentationLib.inference.network_segmenter.load_networks"
        monkeypatch.setattr(loaded, lambda model, device, progress: networks)
        model = model_of(tmp_path / "model", inference__patch=[32, 32, 16], inference__cascade=cascade or {"stage2": 1})
        (tmp_path / "model" / "second.safetensors").write_bytes(model.weight_paths[0].read_bytes())
        entries = [vars(model.description.weights[0]), vars(model.description.weights[0]) | {"file": "second.safetensors"}]
        plain = [{key: value for key, value in entry.items() if value is not None} for entry in entries]
        return NetworkSegmenter(model_of_folder(model, weights=plain), device="cpu"), networks

    return make


def test_the_second_stage_refines_what_the_first_one_found(prepared, head, staged):
    segmenter, (_, fine) = staged()
    roi, bleed = box_roi(head), head_array()[1]
    result = segmenter.segment(prepared, roi)
    alone, _ = staged(second=Coarse(0.5))
    coarse = alone.segment(prepared, roi)
    assert fine.windows == 1
    assert result.details.windows == coarse.details.windows
    assert dice(sitk.GetArrayFromImage(result.mask) > 0, bleed) > 0.85
    assert dice(sitk.GetArrayFromImage(coarse.mask) > 0, bleed) < 0.8


def test_where_the_first_stage_finds_nothing_the_second_is_not_run(prepared, staged):
    segmenter, (_, fine) = staged(first=Thresholding(5.0))
    result = segmenter.segment(prepared)
    assert fine.windows == 0
    assert result.volume_ml() == 0


def test_a_second_stage_beyond_the_last_of_the_weights_is_refused(prepared, head, staged):
    segmenter, _ = staged(stage2=2)
    with pytest.raises(InputError, match=r"stage2 is 2 and weights lists 2"):
        segmenter.segment(prepared, box_roi(head))


@pytest.mark.parametrize(
    ("cascade", "key"),
    [
        ({"stage2": 0}, "stage2"),
        ({"stage2": "1"}, "stage2"),
        ({"stage2": True}, "stage2"),
        ({"enlargement": 0.5}, "stage2"),
        ({"stage2": 1, "zoom": 2}, "zoom"),
        ({"stage2": 1, "enlargement": "a lot"}, "enlargement"),
        ({"stage2": 1, "enlargement": -1}, "enlargement"),
        ({"stage2": 1, "most_magnification": 0.5}, "most_magnification"),
    ],
)
def test_a_cascade_that_cannot_be_is_refused_by_its_key(cascade, key, staged):
    with pytest.raises(InputError, match=rf"inference\.cascade\.{key}"):
        staged(**cascade)


def test_what_a_cascade_says_comes_back_as_it_was():
    values = {"stage2": 1, "enlargement": 0.5}
    assert CascadeDescription.from_json(values, "inference.cascade").as_dict() == values


def test_progress_never_runs_back(prepared, head, staged):
    segmenter, _ = staged()
    heard = []
    segmenter.segment(prepared, box_roi(head), lambda stage, fraction: heard.append((fraction, stage)))
    fractions = [fraction for fraction, _ in heard]
    assert np.all(np.diff(fractions) >= 0)
    assert "second stage" in {stage for _, stage in heard}
