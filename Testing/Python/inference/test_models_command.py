"""``htseg models`` as a user calls it."""

import json
import subprocess
import sys

import pytest

from HTSegmentationLib.cli import main

from .. import needs
from .model_folders import tensors, write_model

needs.deep_learning()


@pytest.fixture
def call(capsys, store):
    """(exit status, stdout, stderr) of one call."""

    def called(*words):
        try:
            status = main(["models", *map(str, words)])
        except SystemExit as stop:
            status = stop.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return called


@pytest.fixture
def source(tmp_path):
    return write_model(tmp_path / "source")


def test_a_model_comes_is_looked_at_and_goes(call, source, store):
    status, out, err = call("install", source)
    assert (status, err) == (0, "")
    assert f"Tiny SE U-Net is installed as tiny in {store / 'tiny'}" in out
    assert "tiny  Tiny SE U-Net" in call("list")[1]
    out = call("show", "tiny")[1]
    assert "Warning       It never saw a patient." in out
    assert "Labels        1 Hemorrhage" in out
    assert call("verify") == (0, "tiny  all weights are as they were\n", "")
    assert call("remove", "tiny") == (0, f"{store / 'tiny'} is removed\n", "")
    assert f"No models in {store}" in call("list")[1]
    assert call("verify")[1] == "No model is installed.\n"


def test_each_action_gives_its_result_to_programs(call, source, store):
    record = json.loads(call("install", source, "--json", "-")[1])
    assert (record["name"], record["kind"], record["remarks"]) == ("tiny", "network", [])
    assert [model["name"] for model in json.loads(call("list", "--json", "-")[1])["models"]] == ["tiny"]
    assert json.loads(call("show", "tiny", "--json", "-")[1])["description"]["architecture"]["name"] == "se-unet"
    assert json.loads(call("verify", "tiny", "--json", "-")[1])["sound"] is True
    assert json.loads(call("remove", "tiny", "--json", "-")[1]) == {"removed": str(store / "tiny")}


def test_verify_says_which_model_is_damaged_and_fails(call, source, store, tmp_path):
    call("install", source)
    call("install", write_model(tmp_path / "other", name="other", weights=tensors(seed=1)))
    (store / "tiny" / "weights.safetensors").write_bytes(b"x")
    status, out, _ = call("verify")
    assert status == 1
    assert "other  all weights are as they were" in out
    assert "tiny   damaged: " in out
    assert call("verify", "other")[0] == 0
    (store / "tiny" / "model.json").unlink()
    assert "tiny   damaged: " in call("list")[1]
    assert call("show", "tiny")[0] == 0


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("show", "nothing"), 2, "no model 'nothing' is installed; installed are none"),
        (("verify", "nothing"), 2, "no model 'nothing' is installed"),
        (("remove", "nothing"), 2, "no model 'nothing' is installed"),
        (("install", "missing"), 1, "missing: no such file or directory"),
        (("install", "https://models.test/m.zip"), 2, "needs --sha256"),
        (("import-blast-ct", "missing"), 1, "config.json: no such file"),
        (("import-blast-ct", "x", "--models", "1,1"), 2, "must be some of 1, 2 and 3"),
        (("import-blast-ct", "x", "--models", "4"), 2, "must be some of 1, 2 and 3"),
        ((), 2, "required: ACTION"),
    ],
)
def test_wrong_calls_are_told_on_stderr(call, words, status, message):
    found, out, err = call(*words)
    assert (found, out) == (status, "")
    assert message in err


def test_debug_shows_the_whole_traceback_before_and_after_the_action(call):
    for words in (("--debug", "install", "missing"), ("install", "missing", "--debug")):
        with pytest.raises(Exception, match="no such file"):
            call(*words)


def test_help_answers_without_torch_and_numpy():
    code = (
        "import sys, HTSegmentationLib.cli as cli\n"
        "for words in (['models', '--help'], ['models', 'install', '--help'], ['check', '--help']):\n"
        "    try:\n        cli.main(words)\n    except SystemExit: pass\n"
        "sys.stderr.write(str(sorted({'numpy', 'SimpleITK', 'scipy', 'torch', 'pydicom'} & set(sys.modules))))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "[]"


def test_listing_models_imports_no_torch(source, store, call):
    call("install", source)
    code = (
        "import sys, HTSegmentationLib.cli as cli\n"
        "cli.main(['models', 'list']); cli.main(['models', 'show', 'tiny'])\n"
        "sys.stderr.write(str(sorted({'torch', 'monai', 'safetensors'} & set(sys.modules))))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Tiny SE U-Net" in run.stdout
    assert run.stderr == "[]"
