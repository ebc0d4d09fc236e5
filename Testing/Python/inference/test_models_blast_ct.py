"""BLAST-CT's published weights as a model folder."""

import json
import shutil

import pytest

from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.inference.models.install import import_blast_ct, install
from HTSegmentationLib.inference.models.weights import load_tensors

from .. import needs
from .model_folders import Malicious

torch = needs.deep_learning()

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def blast_ct(tmp_path, test_data):
    """A copy of BLAST-CT's folder that a test may change."""
    return shutil.copytree(test_data / "blast-ct-v1", tmp_path / "blast-ct-v1", copy_function=shutil.copyfile)


def test_blast_ct_is_imported_with_its_licence_and_every_tensor(blast_ct):
    entry = import_blast_ct(blast_ct)
    description = entry.model.description
    assert [(label.value, label.name, label.code) for label in description.labels] == [
        (1, "Intraparenchymal hemorrhage", "50960005"),
        (2, "Extra-axial hemorrhage", "50960005"),
        (3, "Perilesional edema", "79654002"),
        (4, "Intraventricular hemorrhage", "50960005"),
    ]
    assert (description.input.window_hu, description.input.orientation) == ((-15, 100), "LPS")
    assert (description.input.spacing_mm, description.input.normalization.as_dict()) == (
        (1, 1, 1),
        {"kind": "scale", "low": -1, "high": 1},
    )
    assert [weights.parameters for weights in description.weights] == [1_030_033] * 3
    assert (entry.folder / "LICENSE").read_bytes() == (blast_ct / "LICENSE").read_bytes()
    assert (description.licence, "Lancet" in description.citation) == ("Apache-2.0", True)
    for number, path in enumerate(entry.model.weight_paths, start=1):
        published = torch.load(blast_ct / f"model_{number}.pt", map_location="cpu", weights_only=True)
        imported = load_tensors(path)
        assert imported.keys() == published.keys()
        assert all(torch.equal(imported[name], value) for name, value in published.items())


def test_one_network_of_blast_ct_can_be_imported_alone(blast_ct):
    assert [path.name for path in import_blast_ct(blast_ct, [2]).model.weight_paths] == ["weights-2.safetensors"]
    with pytest.raises(UsageError, match="models of BLAST-CT are 1, 2, 3"):
        import_blast_ct(blast_ct, [4], force=True)


def test_a_blast_ct_folder_that_is_not_as_published_is_refused(blast_ct, tmp_path, store):
    with pytest.raises(InputError, match="use htseg models import-blast-ct"):
        install(blast_ct)
    torch.save({"weight": torch.zeros(3), "extra": Malicious(tmp_path / "made")}, blast_ct / "model_3.pt")
    with pytest.raises(InputError, match="nothing of it was run"):
        import_blast_ct(blast_ct)
    (blast_ct / "model_2.pt").unlink()
    with pytest.raises(InputError, match="no such file"):
        import_blast_ct(blast_ct, [1, 2])
    config = json.loads((blast_ct / "config.json").read_text())
    config["data"]["class_names"].append("tumour")
    (blast_ct / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="its classes are iph, eah, oedema, ivh, tumour"):
        import_blast_ct(blast_ct)
    (blast_ct / "config.json").write_text("{}")
    with pytest.raises(InputError, match="it is not the configuration of BLAST-CT"):
        import_blast_ct(blast_ct)
    assert not (tmp_path / "made").exists()
    assert list(store.iterdir()) == []
