"""The check of this computer: what it says of what works, of what is missing and of what is broken."""

import json
import os
import subprocess
import sys
import types
from importlib import metadata
from pathlib import Path

import pytest

from HTSegmentationLib.cli import main
from HTSegmentationLib.inference.environment import cards, computer, packages
from HTSegmentationLib.inference.environment.cards import card_findings, nvidia_driver, supports
from HTSegmentationLib.inference.environment.check import check_environment, stops_core
from HTSegmentationLib.inference.environment.computer import computer_findings, long_paths
from HTSegmentationLib.inference.environment.finding import Level
from HTSegmentationLib.inference.environment.packages import core_findings, network_findings

pytestmark = pytest.mark.usefixtures("store")


def by_name(findings):
    found = {finding.name: finding for finding in findings}
    assert len(found) == len(findings)
    assert all(finding.fix for finding in findings if finding.level is Level.PROBLEM), "a problem without a way out"
    return found


def check(tmp_path, code=""):
    """The findings of ``htseg check --json`` in a process of its own, after some code that changes what is installed."""
    (tmp_path / "check.py").write_text(
        f"import sys\n{code}\nfrom HTSegmentationLib.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, str(tmp_path / "check.py"), "check", "--json", "-"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    assert "htseg" not in run.stderr, run.stderr
    record = json.loads(run.stdout)
    assert record["works"] == (run.returncode == 0)
    return {finding["name"]: finding for finding in record["findings"]}


def test_the_check_names_everything_that_matters():
    found = by_name(check_environment())
    assert {"python", "platform", "memory", "disk", "simpleitk", "numpy", "scipy", "pydicom", "torch"} <= found.keys()
    assert {"safetensors", "monai", "nnunetv2", "totalsegmentator", "models-folder"} <= found.keys()
    assert found["numpy"].text == metadata.version("numpy")
    assert found["python"].text.startswith(".".join(map(str, sys.version_info[:3])))
    assert not stops_core(list(found.values()))


def test_the_check_imports_neither_nnunet_nor_monai_and_opens_no_connection(tmp_path):
    code = (
        "import atexit, socket\n"
        "def never(*_, **__): raise AssertionError('the network was touched')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = never\n"
        "def later():\n"
        "    slow = {'nnunetv2', 'monai', 'totalsegmentator'} & set(sys.modules)\n"
        "    if slow: sys.stderr.write(f'htseg imported {slow}')\n"
        "atexit.register(later)"
    )
    assert "torch" in check(tmp_path, code)


def test_the_words_hold_level_and_fix_of_each_line(capsys, tmp_path):
    status = main(["check", "--json", str(tmp_path / "check.json")])
    out = capsys.readouterr().out
    record = json.loads((tmp_path / "check.json").read_text())
    assert (status, record["works"]) == (0, True)
    for finding in record["findings"]:
        assert f"{finding['level']:<9}{finding['text']}" in out
        assert finding["fix"] in out
    problems = sum(finding["level"] == "problem" for finding in record["findings"])
    assert f"{problems or 'No'} problem" in out


@pytest.mark.parametrize("package", ["numpy", "SimpleITK", "pydicom"])
def test_a_missing_core_package_stops_everything_and_is_told(tmp_path, package):
    found = check(tmp_path, f"sys.modules[{package!r}] = sys.modules['torch'] = None")
    finding = found[package.lower()]
    assert (finding["level"], finding["stops_core"]) == ("problem", True)
    assert finding["fix"] == f"pip install --force-reinstall {package}"


def test_a_torch_that_is_not_there_is_no_problem(tmp_path):
    code = (
        "import importlib.abc\n"
        "class Missing(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch': raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
        "sys.meta_path.insert(0, Missing())"
    )
    found = check(tmp_path, code)
    assert found["torch"]["level"] == "note"
    assert found["torch"]["fix"] == "pip install 'htsegmentation[dl]'"


@pytest.mark.parametrize(
    "content", ["raise ImportError('libtorch_cpu.so: cannot open shared object file')", "from torch import _C", "x = 1"]
)
def test_a_half_installed_torch_is_told_with_the_way_to_mend_it(tmp_path, content):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(content)
    found = check(tmp_path, f"sys.path.insert(0, {str(tmp_path)!r})")
    assert found["torch"]["level"] == "problem"
    assert "half-installed" in found["torch"]["text"]
    assert "--force-reinstall" in found["torch"]["fix"]


def test_a_package_whose_installation_was_cut_off_is_told(monkeypatch):
    monkeypatch.setattr(packages, "is_there", lambda module: module != "monai")
    monkeypatch.setattr(packages, "version_of", lambda name: None if name == "nnunetv2" else "1.0")
    found = by_name(network_findings())
    assert (found["monai"].level, "its files are not there" in found["monai"].text) == (Level.PROBLEM, True)
    assert (found["nnunetv2"].level, "was cut off" in found["nnunetv2"].text) == (Level.PROBLEM, True)
    assert found["safetensors"].level is Level.OK
    assert {finding.level for finding in core_findings()} == {Level.OK}


def build(cuda="12.6", architectures=("sm_75", "sm_80", "sm_86"), capability=(8, 6), count=1):
    """What a build of torch for CUDA says of itself on a computer with such cards."""
    properties = types.SimpleNamespace(name="NVIDIA T4", major=capability[0], minor=capability[1], total_memory=16 * 2**30)
    own = types.SimpleNamespace(
        is_available=lambda: count > 0,
        device_count=lambda: count,
        get_device_properties=lambda number: properties,
        get_arch_list=lambda: list(architectures),
    )
    backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: False))
    version = types.SimpleNamespace(cuda=cuda, hip=None)
    return types.SimpleNamespace(__version__="2.8.0", version=version, cuda=own, backends=backends)


@pytest.mark.parametrize(
    ("torch", "driver", "name", "level", "words"),
    [
        (build(), "550.1", "card-0", Level.OK, "NVIDIA T4, 16.0 GB, compute capability 8.6"),
        (build(count=2), "550.1", "card-1", Level.OK, "NVIDIA T4"),
        (build(capability=(12, 0)), "570.1", "card-0", Level.PROBLEM, "this PyTorch holds no code"),
        (build(cuda=None, count=0), "550.1", "card", Level.PROBLEM, "built without CUDA"),
        (build(count=0), "390.1", "card", Level.PROBLEM, "its driver 390.1 does not work with CUDA 12.6"),
        (build(cuda=None, count=0), None, "card", Level.NOTE, "networks run on the processor"),
    ],
)
def test_what_keeps_a_card_from_working_is_told(monkeypatch, torch, driver, name, level, words):
    monkeypatch.setattr(cards, "import_torch", lambda: torch)
    monkeypatch.setattr(cards, "nvidia_driver", lambda: driver)
    finding = by_name(card_findings())[name]
    assert (finding.level, words in finding.text) == (level, True)


@pytest.mark.parametrize(
    ("capability", "architectures", "supported"),
    [
        ((8, 0), ["sm_80"], True),
        ((8, 6), ["sm_80"], True),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80", "sm_86"], False),
        ((9, 0), ["compute_80"], True),
        ((7, 5), ["compute_80"], False),
        ((9, 0), ["sm_90a"], True),
        ((10, 0), ["sm_90a", "compute_90a"], False),
        ((12, 0), ["sm_80", "sm_120"], True),
        ((12, 0), ["gfx90a"], False),
        ((6, 1), [], False),
    ],
)
def test_a_card_is_supported_when_the_build_holds_code_for_it(capability, architectures, supported):
    assert supports(capability, architectures) == supported


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the tool")
@pytest.mark.parametrize(
    ("script", "driver"),
    [
        ("echo 550.54.15; echo 550.54.15", "550.54.15"),
        ("echo NVIDIA-SMI has failed; exit 9", None),
        ("echo No devices were found", None),
        ("exec sleep 60", None),
    ],
)
def test_the_driver_is_asked_for_by_its_own_tool(tmp_path, monkeypatch, script, driver):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(cards, "_PATIENCE_S", 0.5)
    assert nvidia_driver() == driver
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert nvidia_driver() is None


@pytest.mark.parametrize(("enabled", "level"), [(True, Level.OK), (False, Level.NOTE)])
def test_windows_limit_on_paths_is_told_with_the_key_that_lifts_it(enabled, level):
    finding = long_paths(lambda: enabled)
    assert finding.level is level
    assert ("LongPathsEnabled" in finding.fix) != enabled


def test_little_memory_and_a_full_disk_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(computer, "memory_bytes", lambda: 3 * 2**30)
    monkeypatch.setattr(computer.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=2**29))
    found = by_name(computer_findings(tmp_path / "not there" / "models"))
    assert (found["memory"].level, found["memory"].text) == (Level.NOTE, "3.0 GB")
    assert (found["disk"].level, found["disk"].text) == (Level.NOTE, "0.5 GB free for models")


def test_installed_models_are_listed_and_a_damaged_one_is_a_problem(store):
    (store / "broken").mkdir(parents=True)
    found = by_name(check_environment())
    assert found["models-folder"].text == f"{store} (named by HTSEG_MODELS), 1 installed"
    assert found["model-broken"].level is Level.PROBLEM
    assert found["model-broken"].fix == "htseg models remove broken, then install it again"
    assert main(["check"]) == 0
