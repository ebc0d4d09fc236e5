"""What the panel tells of networks, packages and this computer: words that can be checked without Qt."""

import json
import subprocess
import sys
import types

import pytest

from HTSegmentationLib.errors import Cancelled, HTSegError
from HTSegmentationLib.methods import method

from ..inference.model_folders import write_model
from ..needs import deep_learning


class Settings(dict):
    """What is used of QSettings."""

    def value(self, key):
        return self.get(key)

    def setValue(self, key, value):
        self[key] = value


@pytest.fixture
def tiny(store):
    deep_learning()
    write_model(store / "tiny", warning="It <b>never</b> saw a patient.")
    return method("tiny")


def test_the_last_run_of_each_model_and_device_is_remembered(slicer, tiny):
    from HTSegmentationModule.run_times import RunTimes

    settings = Settings()
    assert RunTimes(settings).seconds(tiny, "cpu") is None
    RunTimes(settings).remember(tiny, "cpu", 41.23)
    RunTimes(settings).remember(tiny, "cuda", 3)
    RunTimes(settings).remember(tiny, "cpu", 38.0)
    assert RunTimes(settings).seconds(tiny, "cpu") == 38.0
    assert RunTimes(settings).seconds(tiny, "cuda") == 3.0


@pytest.mark.parametrize("damaged", ["{", "[1]", '{"tiny 1.0 cpu": "x"}', 7])
def test_settings_that_cannot_be_read_count_as_none(slicer, tiny, damaged):
    from HTSegmentationModule.run_times import RunTimes

    settings = Settings({"HTSegmentation/NetworkSeconds": damaged})
    assert RunTimes(settings).seconds(tiny, "cpu") is None
    RunTimes(settings).remember(tiny, "cpu", 1.0)
    assert RunTimes(settings).seconds(tiny, "cpu") == 1.0


def test_old_times_do_not_pile_up(slicer):
    from HTSegmentationModule.run_times import RunTimes

    settings = Settings()
    for number in range(300):
        RunTimes(settings).remember(types.SimpleNamespace(name=f"m{number}", model=None), "cpu", number)
    known = json.loads(settings["HTSegmentation/NetworkSeconds"])
    assert len(known) == 200
    assert "m299  cpu" in known


def test_advice_for_the_command_line_becomes_advice_for_the_panel(slicer):
    from HTSegmentationLib.errors import MissingPackageError
    from HTSegmentationLib.inference.worker.diagnosis import diagnose
    from HTSegmentationModule.advice import inSlicersWords

    told = inSlicersWords(str(MissingPackageError("torch", "to run networks", "dl")))
    assert told.endswith("press Install under Networks on this computer")
    for words in ("CUDA out of memory", "CUDA error", "ImportError: x", "SafetensorError", "?"):
        found = diagnose(words, 1)
        told = inSlicersWords(f"{found.problem}; {found.advice}")
        assert "--device" not in told
        assert "htseg" not in told


def test_a_device_that_is_absent_is_told_in_the_panels_words(slicer, monkeypatch):
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.inference.device import choose_device
    from HTSegmentationModule.advice import inSlicersWords

    with pytest.raises(UsageError) as found:
        choose_device("cuda:99")
    assert "--device" in str(found.value)
    assert "--" not in inSlicersWords(str(found.value))


def test_a_report_has_no_name_of_the_user_and_the_last_words(slicer, monkeypatch, tmp_path):
    from HTSegmentationModule import network_report

    monkeypatch.setattr(network_report.Path, "home", lambda: tmp_path / "jane.doe")
    record = {
        "version": "9.9",
        "findings": [
            {"name": "torch", "title": "PyTorch", "level": "ok", "text": "2.13.0", "fix": ""},
            {"name": "monai", "title": "MONAI", "level": "problem", "text": "<broken>", "fix": ""},
            {"name": "model-x", "title": "Model x", "level": "problem", "text": "damaged", "fix": ""},
        ],
    }
    stderr = "\n".join([f"line {n}" for n in range(100)] + [f"{tmp_path}/jane.doe/models/x failed"])
    text = network_report.reportText(record, "5.12.0", {"torch": "2.13.0"}, stderr)
    assert "jane" not in text
    assert "~/models/x failed" in text
    assert "line 0\n" not in text
    assert "HTSegmentation 9.9, 3D Slicer 5.12.0" in text
    assert network_report.reportText(None, "5.12.0", {}, "").startswith("HTSegmentation ?")
    assert network_report.findingsText(record) == "PyTorch: 2.13.0<br><b>MONAI: &lt;broken&gt;</b>"


def test_the_check_runs_in_a_process_of_its_own_and_with_this_very_library(slicer):
    from HTSegmentationLib.version import __version__
    from HTSegmentationModule.library_process import environmentRecord

    record = environmentRecord(lambda stage, fraction: None)
    assert record["version"] == __version__
    assert {"python", "torch"} <= {finding["name"] for finding in record["findings"]}


def test_a_program_is_ended_when_its_caller_stops(slicer):
    from HTSegmentationModule.library_process import runProgram

    def cancel(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        runProgram([sys.executable, "-c", "import time; time.sleep(600)"], cancel, "waiting")
    with pytest.raises(HTSegError, match="cannot be started"):
        runProgram(["/nowhere/python"], cancel, "waiting")


class Packaging(types.ModuleType):
    """Stands for slicer.packaging: notes what it is asked for."""

    def __init__(self, error=None):
        super().__init__("slicer.packaging")
        self.asked, self.error = [], error

    def pip_ensure(self, requirements, **options):
        self.asked.append((requirements, options))
        if self.error:
            raise self.error

    def pip_install(self, arguments, **options):
        self.pip_ensure(arguments, **options)


@pytest.fixture
def packaging(slicer, monkeypatch):
    made = Packaging()
    monkeypatch.setitem(sys.modules, "slicer.packaging", made)
    monkeypatch.setattr(slicer, "packaging", made, raising=False)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *text: True)
    monkeypatch.setattr("HTSegmentationModule.package_install._requireThere", lambda modules: None)
    return made


def test_what_comes_with_slicer_is_never_installed_by_pip(packaging):
    from HTSegmentationModule.package_install import installPackages

    installPackages(["monai", "nnunetv2"])
    ((requirements, options),) = packaging.asked
    assert requirements == ["monai>=1.4", "nnunetv2>=2.5"]
    assert {"SimpleITK", "numpy", "requests", "torch"} <= set(options["skip_packages"])
    assert options["prompt_install"] is False


def test_torch_comes_through_its_extension_alone(packaging, monkeypatch):
    from HTSegmentationModule.package_install import installPackages

    monkeypatch.delitem(sys.modules, "PyTorchUtils", raising=False)
    with pytest.raises(HTSegError, match="extension PyTorch"):
        installPackages(["torch", "monai"])
    assert packaging.asked == []
    calls = []

    class PyTorchUtilsLogic:
        def installTorch(self, **options):
            calls.append(options)
            return object()

    extension = types.ModuleType("PyTorchUtils")
    extension.PyTorchUtilsLogic = PyTorchUtilsLogic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    installPackages(["torch", "monai"])
    assert calls == [{"askConfirmation": False, "torchVersionRequirement": ">=2.6"}]
    assert packaging.asked[0][0] == ["monai>=1.4"]


def test_nothing_is_installed_without_consent(packaging, slicer, monkeypatch, tmp_path):
    from HTSegmentationModule.package_install import installFromFolder, installPackages

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *text: False)
    (tmp_path / "torch-2.13.0-py3-none-any.whl").touch()
    monkeypatch.setattr("HTSegmentationModule.package_install.version_of", lambda name: None)
    for install in (installPackages, lambda modules: installFromFolder(tmp_path, modules)):
        with pytest.raises(HTSegError, match="did not agree"):
            install(["torch"])
    assert packaging.asked == []


@pytest.mark.parametrize("error", [subprocess.CalledProcessError(1, "pip"), RuntimeError("x"), OSError(28, "full")])
def test_a_failed_installation_is_one_sentence(packaging, error):
    from HTSegmentationModule.package_install import installPackages

    packaging.error = error
    with pytest.raises(HTSegError, match="installation failed") as found:
        installPackages(["monai"])
    assert "\n" not in str(found.value)


def test_offline_only_new_wheels_are_taken_and_no_index_is_asked(packaging, tmp_path, monkeypatch):
    from HTSegmentationModule.package_install import installFromFolder

    installed = {"pillow": "11.0"}
    monkeypatch.setattr("HTSegmentationModule.package_install.version_of", installed.get)
    names = ["torch-2.13.0", "monai-1.6.1", "numpy-1.26", "SimpleITK-2.0", "pillow-9.0", "nnunetv2-2.8.1", "safetensors-0.5"]
    for name in names:
        (tmp_path / f"{name}-py3-none-any.whl").touch()
    installFromFolder(tmp_path, ["torch", "monai", "nnunetv2", "safetensors"])
    ((arguments, _options),) = packaging.asked
    assert arguments[:4] == ["--no-index", "--find-links", str(tmp_path), "--no-deps"]
    taken = {argument.rsplit("/", 1)[-1].partition("-")[0] for argument in arguments[4:]}
    assert taken == {"torch", "monai", "nnunetv2", "safetensors"}


def test_a_folder_without_wheels_is_told(packaging, tmp_path):
    from HTSegmentationModule.package_install import installFromFolder

    with pytest.raises(HTSegError, match="holds no wheel of PyTorch, MONAI"):
        installFromFolder(tmp_path, ["torch", "monai"])
    assert packaging.asked == []


def test_what_is_there_and_what_is_missing_is_one_line(slicer, monkeypatch):
    from HTSegmentationModule import package_install

    monkeypatch.setattr(package_install, "is_there", lambda module: module == "monai")
    monkeypatch.setattr(package_install, "version_of", lambda name: "1.6.1")
    assert package_install.packagesText() == "MONAI 1.6.1; missing: PyTorch, safetensors, nnU-Net"


def test_what_a_model_says_of_itself_is_never_markup(slicer, tiny):
    from HTSegmentationModule.network_section import aboutText, timeText

    text = aboutText(tiny)
    assert "It &lt;b&gt;never&lt;/b&gt; saw a patient." in text
    assert "licence Apache-2.0" in text
    assert "Hemorrhage" in text
    assert "An ROI is not needed" in text
    assert timeText(None) == "not measured yet on this computer"
    assert timeText(24.4) == "about 24 s, as the last run"
    assert timeText(150) == "about 2.5 min, as the last run"


@pytest.mark.parametrize("name", ["iph", "eah", "oedema", "ivh"])
def test_segment_statistics_measures_every_bleeding_of_blast_ct_and_no_edema(slicer, name):
    from HTSegmentationLib.export.slicer_segmentation import terminology_entry
    from HTSegmentationLib.inference.models.findings import label_of
    from HTSegmentationModule.hemorrhage_statistics import isHemorrhage

    segment = slicer.vtkSegment()
    label = label_of(1, name)
    segment.SetName(label.name)
    segment.SetTerminology(terminology_entry(label))
    assert isHemorrhage(segment) == (name != "oedema")
