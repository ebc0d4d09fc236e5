"""Pickled weights of others: what is read, and what is refused before it can run."""

import os
import zipfile

import numpy as np
import pytest

from HTSegmentationLib.errors import HTSegError, InputError
from HTSegmentationLib.inference.models.pickles import _NUMPY_TYPES, load_pickle
from HTSegmentationLib.inference.models.weights import require_tensors

from .. import needs
from .model_folders import Malicious

torch = needs.deep_learning()


class Harmless:
    """A class of somebody's own."""


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path, zipped):
    made = tmp_path / "made by the pickle"
    weights = {"weight": torch.zeros(3), "extra": Malicious(made)}
    torch.save(weights, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    for scalars in (False, True):
        with pytest.raises(InputError, match=r"asks for \w+\.mkdir, which weights do not need; nothing of it was run"):
            load_pickle(tmp_path / "model.pt", numpy_scalars=scalars)
    assert not made.exists()
    torch.load(tmp_path / "model.pt", weights_only=False)
    assert made.exists(), "the pickle of this test would have done nothing"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"weight": Harmless()}, "asks for .*Harmless"),
        (torch.nn.Linear(2, 2), "asks for torch.nn.modules.linear.Linear"),
        ({"weight": np.arange(3)}, "asks for numpy"),
    ],
)
def test_objects_are_no_weights(tmp_path, content, words):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match=words):
        load_pickle(tmp_path / "model.pt")


def test_numbers_of_numpy_are_taken_only_where_nnunet_has_them(tmp_path):
    content = {"ema": np.float64(0.5), "log": [np.float32(1), np.int64(2)], "device": torch.device("cuda:0")}
    torch.save(content, tmp_path / "model.pth")
    assert load_pickle(tmp_path / "model.pth", numpy_scalars=True) == content
    with pytest.raises(InputError, match="asks for numpy"):
        load_pickle(tmp_path / "model.pth")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_which_is_a_program_is_refused(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "model.pt"))
    with pytest.raises(InputError, match="it is TorchScript, a program and not weights"):
        load_pickle(tmp_path / "model.pt")


def test_files_that_are_not_whole_or_grow_are_refused(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"weight": torch.zeros(1000)}, path)
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2], os.urandom(2000), b"\x80\x02."):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not whole"):
            load_pickle(path)
    path.write_bytes(whole)
    with zipfile.ZipFile(path) as stored, zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for info in stored.infolist():
            packed.writestr(info.filename, stored.read(info))
    with pytest.raises(InputError, match="compressed"):
        load_pickle(tmp_path / "packed.pt")
    with pytest.raises(InputError, match="no such file"):
        load_pickle(tmp_path / "missing.pt")


def test_a_torch_that_could_be_made_to_run_code_is_not_used(tmp_path, monkeypatch):
    torch.save({}, tmp_path / "model.pt")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(HTSegError, match=r"torch 2.5.1\+cpu is too old to read .* safely; pip install 'torch>=2.6'"):
        load_pickle(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "values",
    [{}, [1], {"a": 1}, {1: torch.zeros(1)}, {"a": torch.zeros(1).expand(10**9)}, {"a": torch.eye(2).to_sparse()}],
)
def test_only_plain_tensors_by_their_names_are_weights(values):
    with pytest.raises(InputError, match=r"model.pt: "):
        require_tensors(values, "model.pt")


def test_the_list_of_numpy_types_is_that_of_plain_numbers():
    assert all(np.dtype(name).kind in "biuf" for name in _NUMPY_TYPES)
