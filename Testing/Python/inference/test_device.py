"""Where networks run."""

import sys
import types

import pytest

from HTSegmentationLib.errors import HTSegError, MissingPackageError, UsageError
from HTSegmentationLib.inference import device as module
from HTSegmentationLib.remark import Severity

from ..needs import deep_learning

torch = deep_learning()


@pytest.fixture
def no_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_card(monkeypatch):
    """A card that is there; whether the small network runs on it is the test's matter."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: "NVIDIA T4")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_auto_takes_a_card_that_works(one_card, monkeypatch):
    monkeypatch.setattr(module, "_probe", lambda torch, name: None)
    device = module.choose_device("auto")
    assert (device.name, device.title, device.remarks) == ("cuda:0", "NVIDIA T4", ())
    assert device.is_cuda
    assert module.choose_device("cuda").name == "cuda:0"


def test_auto_falls_back_to_the_processor_and_says_why(no_cards):
    device = module.choose_device("auto")
    assert device.name == "cpu"
    assert device.torch_device.type == "cpu"
    (remark,) = device.remarks
    assert (remark.code, remark.severity) == ("device-fallback", Severity.CAUTION)
    assert "no graphics card" in remark.text


def test_auto_falls_back_from_a_card_on_which_a_small_network_fails(one_card, monkeypatch):
    def fail(torch, name):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nmore lines")

    monkeypatch.setattr(module, "_probe", fail)
    (remark,) = module.choose_device("auto").remarks
    assert "no kernel image" in remark.text
    assert "more lines" not in remark.text
    with pytest.raises(UsageError, match="no kernel image"):
        module.choose_device("cuda")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_card_that_was_asked_for_and_is_not_there_is_an_error_with_advice(name, no_cards):
    with pytest.raises(UsageError, match="htseg check"):
        module.choose_device(name)


def test_a_card_beyond_the_last_one_is_an_error(one_card):
    with pytest.raises(UsageError, match="finds 1 cards, numbered from 0"):
        module.choose_device("cuda:3")


def test_the_processor_was_asked_for_and_nothing_is_said():
    device = module.choose_device("cpu")
    assert device.remarks == ()
    assert "thread" in device.title
    assert not device.is_cuda


@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "cuda:x", "CPU", "cuda:-1", "cpu; rm"])
def test_a_device_that_there_is_not_is_named_with_those_that_there_are(name):
    with pytest.raises(UsageError, match="known are auto, cpu, cuda"):
        module.choose_device(name)


def test_the_small_network_runs_on_the_processor():
    module._probe(torch, "cpu")


def test_the_free_memory_of_the_processor_is_told_on_linux():
    free = module.choose_device("cpu").free_bytes()
    assert free > 50_000_000 if sys.platform == "linux" else free == 0


def test_without_torch_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(
        module.importlib, "import_module", _raising(ModuleNotFoundError("No module named 'torch'", name="torch"))
    )
    with pytest.raises(MissingPackageError, match=r"htsegmentation\[dl\]"):
        module.choose_device("auto")


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libcudnn.so.9: cannot open shared object file"),
        ModuleNotFoundError("No module named 'torch._C'", name="torch._C"),
        OSError("[WinError 126] Error loading c10.dll"),
    ],
)
def test_a_torch_that_is_there_and_cannot_be_loaded_is_told_apart(error, monkeypatch):
    monkeypatch.setattr(module.importlib, "import_module", _raising(error))
    with pytest.raises(HTSegError, match="force-reinstall") as caught:
        module.import_torch()
    assert str(error) in str(caught.value)
    assert not isinstance(caught.value, MissingPackageError)


def test_computing_keeps_no_gradients_and_leaves_the_settings_as_they_were():
    device = module.choose_device("cpu")
    with device.computing(half=False):
        assert torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")
    assert not torch.is_inference_mode_enabled()


def _raising(error):
    def raising(name):
        raise error

    return raising


def test_a_cards_free_memory_counts_what_torch_keeps_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    device = module.Device("cuda:0", "a card", types.SimpleNamespace(type="cuda"))
    assert device.free_bytes() == 130
