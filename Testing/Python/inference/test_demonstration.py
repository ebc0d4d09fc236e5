"""The model that comes with the package: in order, honest about itself, and able to find a simulated bleed."""

import json

import pytest

from HTSegmentationLib.cli import main
from HTSegmentationLib.inference.models.folder import verify_model
from HTSegmentationLib.inference.models.store import installed_models
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.methods import method
from HTSegmentationLib.remark import Severity
from HTSegmentationLib.simulate import SimulationParameters, simulate_head

from .. import needs

needs.deep_learning()


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("HTSEG_MODELS", str(tmp_path / "models"))


def test_the_demonstration_is_listed_and_its_weights_are_as_they_were():
    (entry,) = installed_models()
    assert (entry.name, entry.fault, entry.bundled) == ("se-unet", "", True)
    assert verify_model(entry.model) == ()


def test_it_says_that_it_never_saw_a_patient():
    description = method("se-unet").model.description
    assert "never saw a patient" in description.warning
    assert "demonstration" in description.title
    assert description.licence == "Apache-2.0"


def test_it_finds_a_simulated_bleed_that_it_never_saw_and_warns_with_the_result():
    case = simulate_head(SimulationParameters(seed=5, matrix=256, volume_ml=25.0))
    result = method("se-unet").make(device="cpu").run(case.scan, case.roi)
    assert measure_overlap(result.mask, case.hemorrhage).dice > 0.5
    (warning,) = (remark for remark in result.remarks if remark.code == "model-warning")
    assert warning.severity is Severity.WARNING


def test_a_model_of_ones_own_with_its_name_takes_its_place_and_gives_it_back(tmp_path, capsys):
    folder = method("se-unet").model.folder
    own = tmp_path / "own"
    own.mkdir()
    (own / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    said = json.loads((folder / "model.json").read_text(encoding="utf-8")) | {"title": "Our own"}
    (own / "model.json").write_text(json.dumps(said), encoding="utf-8")
    assert main(["models", "install", str(own)]) == 0
    assert method("se-unet").title == "Our own"
    assert main(["models", "remove", "se-unet"]) == 0
    assert method("se-unet").title == "3D SE U-Net, demonstration"
    assert main(["models", "remove", "se-unet"]) == 2
    assert "comes with HTSegmentation" in capsys.readouterr().err
