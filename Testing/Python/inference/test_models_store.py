"""Installing, listing, verifying and removing models in a store of the test's own."""

import json
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from HTSegmentationLib.errors import Cancelled, InputError, OutputError, UsageError
from HTSegmentationLib.inference.models import install as install_module
from HTSegmentationLib.inference.models import store as models_store
from HTSegmentationLib.inference.models import store as store_module
from HTSegmentationLib.inference.models.folder import read_model, verify_model
from HTSegmentationLib.inference.models.install import install
from HTSegmentationLib.inference.models.place import models_folder
from HTSegmentationLib.inference.models.store import find_model, installed_models, remove_model
from HTSegmentationLib.inference.models.weights import load_tensors, sha256_of, tensor_shapes

from .. import needs
from .model_folders import tensors, write_model

torch = needs.deep_learning()

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def source(tmp_path):
    return write_model(tmp_path / "source")


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_model_folder_is_installed_listed_verified_and_removed(source, store):
    before = names(source)
    entry = install(source)
    assert (entry.name, entry.folder, entry.fault, entry.remarks) == ("tiny", store / "tiny", "", ())
    assert names(store / "tiny") == ["model.json", "weights.safetensors"]
    assert [(e.name, e.fault) for e in installed_models()] == [("tiny", "")]
    assert find_model("tiny").description.title == "Tiny SE U-Net"
    assert verify_model(find_model("tiny")) == ()
    assert remove_model("tiny") == store / "tiny"
    assert (installed_models(), names(store), names(source)) == ([], [], before)


def pack_zip(source, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in source.iterdir():
            archive.write(file, f"tiny-1.0/{file.name}")
    return path


def pack_tar(source, path):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source, arcname=".")
    return path


@pytest.mark.parametrize("pack", [pack_zip, pack_tar])
def test_an_archive_is_installed_and_stays_as_it_is(source, tmp_path, pack, store):
    path = pack(source, tmp_path / "model.archive")
    digest = sha256_of(path)
    assert install(path, sha256=digest.upper()).name == "tiny"
    assert sha256_of(path) == digest
    assert names(store) == ["tiny", "tiny/model.json", "tiny/weights.safetensors"]


def test_an_archive_with_another_sha256_is_not_opened(source, tmp_path, store, monkeypatch):
    path = pack_zip(source, tmp_path / "model.zip")
    monkeypatch.setattr(install_module, "unpack", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(InputError, match=r"its SHA-256 is [0-9a-f]{64} and not a{64}"):
        install(path, sha256="a" * 64)
    assert installed_models() == []


def test_a_sha256_with_a_folder_is_wrong_usage(source):
    with pytest.raises(UsageError, match="--sha256 goes with an archive"):
        install(source, sha256="a" * 64)


def test_words_and_pictures_come_along(source):
    for name in ("LICENSE", "README.md", "results.png"):
        (source / name).write_bytes(b"x")
    assert {"LICENSE", "README.md", "results.png"} <= set(names(install(source).folder))


@pytest.mark.parametrize(
    "name", ["extra.pt", "model.pth", "network.py", "data.pkl", "run.sh", "more.safetensors", "sub/x.md"]
)
def test_whatever_is_neither_description_nor_tensors_is_refused(source, name, store):
    (source / name).parent.mkdir(exist_ok=True)
    (source / name).write_bytes(b"x")
    with pytest.raises(InputError, match=f"the model folder holds {name}"):
        install(source)
    assert names(store) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_in_a_model_folder_is_refused(source, tmp_path, store):
    shutil.move(source / "weights.safetensors", tmp_path / "elsewhere")
    (source / "weights.safetensors").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="it is a link"):
        install(source)
    assert names(store) == []


def test_a_second_one_of_the_name_needs_force(source, tmp_path, store):
    install(source)
    other = write_model(tmp_path / "other", title="Another", weights=tensors(seed=1))
    with pytest.raises(InputError, match="a model of this name is installed; remove it first or use --force"):
        install(other)
    assert find_model("tiny").description.title == "Tiny SE U-Net"
    install(other, force=True)
    assert find_model("tiny").description.title == "Another"
    assert verify_model(find_model("tiny")) == ()


def test_a_model_that_is_wrong_does_not_replace_a_good_one(source, tmp_path):
    install(source)
    bad = write_model(tmp_path / "bad", weights__0__sha256="0" * 64)
    with pytest.raises(InputError, match="its SHA-256 is"):
        install(bad, force=True)
    assert verify_model(find_model("tiny")) == ()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "model.json").unlink(), "no model was found in it"),
        (lambda folder: (folder / "model.json").write_text("{"), "model.json: it is not JSON"),
        (lambda folder: (folder / "model.json").write_bytes(b"\xff\xfe\x00"), "model.json: it is not JSON"),
        (lambda folder: (folder / "model.json").write_text("[" * 100_000), "model.json: it is not JSON"),
        (lambda folder: (folder / "model.json").write_bytes(b" " * 10_000_001), "too large"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "named in model.json and are not there"),
        (lambda folder: os.truncate(folder / "weights.safetensors", 300), "its SHA-256 is"),
    ],
)
def test_a_damaged_folder_is_told_and_not_installed(source, store, damage, words):
    damage(source)
    with pytest.raises(InputError, match=words):
        install(source)
    assert names(store) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: held.popitem(), "1 tensors of the architecture are not in it"),
        (lambda held: held.update(more=torch.zeros(2)), "1 of its tensors are not in the architecture, as 'more'"),
        (lambda held: held.update({next(iter(held)): torch.zeros(1, 2, 3)}), r"has shape \(1, 2, 3\); the architecture has"),
    ],
)
def test_weights_that_do_not_fit_the_architecture_are_refused(tmp_path, store, change, words):
    held = dict(tensors())
    change(held)
    with pytest.raises(InputError, match=words) as error:
        install(write_model(tmp_path / "source", held))
    assert "weights.safetensors" in str(error.value)
    assert ".staged" not in str(error.value)
    assert names(store) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture__arguments": {"input_channels": 1, "classes": 2, "levels": "many"}}, "architecture.arguments: "),
        ({"input__channels": ["ct", "symmetric"], "architecture__arguments__input_channels": 2}, "has shape"),
        ({"weights__0__parameters": 7}, "parameters is 7; the architecture has"),
        ({"inference__patch": [15, 16, 8]}, r"inference.patch is \[15, 16, 8\]; name sides"),
        ({"inference__patch": None}, "inference.patch is null and input.size is, too"),
    ],
)
def test_a_description_that_does_not_fit_the_architecture_is_refused(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        install(write_model(tmp_path / "source", **changes))


def test_what_is_no_safetensors_file_is_told_without_torch(tmp_path):
    good = write_model(tmp_path / "source") / "weights.safetensors"
    content = good.read_bytes()
    assert tensor_shapes(good) == {name: tuple(value.shape) for name, value in tensors().items()}
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    first = next(name for name in header if name != "__metadata__")
    bad = {}
    for number, change in enumerate(
        [{"shape": [10**9]}, {"dtype": "OBJECT"}, {"data_offsets": [0, 10**12]}, {"data_offsets": "x"}, {"shape": None}]
    ):
        text = json.dumps(header | {first: header[first] | change}).encode()
        bad[f"{number}.safetensors"] = len(text).to_bytes(8, "little") + text + content[8 + length :]
    bad |= {
        "cut": content[:-3],
        "longer": content + b"x",
        "empty": b"",
        "pickle": b"\x80\x02}q\x00.",
        "header": content[:50],
    }
    bad |= {"huge": (2**62).to_bytes(8, "little") + content[8:], "list": (2).to_bytes(8, "little") + b"[]"}
    for name, changed in bad.items():
        (tmp_path / name).write_bytes(changed)
        for read in (tensor_shapes, load_tensors):
            with pytest.raises(InputError, match=r"safetensors|not described|not whole"):
                read(tmp_path / name)


def test_tensors_come_back_and_another_file_is_refused(tmp_path):
    path = write_model(tmp_path / "source") / "weights.safetensors"
    for name, value in load_tensors(path, sha256_of(path)).items():
        assert torch.equal(value, tensors()[name])
    with pytest.raises(InputError, match="its SHA-256 is"):
        load_tensors(path, "0" * 64)


def test_a_damaged_model_is_listed_with_its_fault_and_can_be_removed(source, store):
    install(source)
    (store / "tiny" / "weights.safetensors").unlink()
    (store / "empty").mkdir()
    shutil.copytree(write_model(source), store / "renamed")
    faults = {entry.name: entry.fault for entry in installed_models()}
    assert "not there" in faults["tiny"]
    assert "model.json: no such file" in faults["empty"]
    assert "says the name tiny" in faults["renamed"]
    with pytest.raises(InputError, match="not there"):
        find_model("tiny")
    for name in faults:
        remove_model(name)
    assert names(store) == []


def test_a_change_of_the_weights_is_found_by_verifying(source, store):
    install(source)
    path = store / "tiny" / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="its SHA-256 is"):
        verify_model(find_model("tiny"))


@pytest.mark.parametrize("name", ["nothing", "..", "../store", ".", "", "/"])
def test_only_what_is_listed_can_be_removed(source, store, name):
    install(source)
    with pytest.raises(UsageError, match="installed are tiny"):
        remove_model(name)
    assert find_model("tiny") is not None
    assert find_model(name) is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_removing_a_linked_model_leaves_what_it_links_to(source, store):
    store.mkdir(parents=True)
    (store / "tiny").symlink_to(source)
    assert find_model("tiny") is not None
    remove_model("tiny")
    assert names(source) == ["model.json", "weights.safetensors"]


def test_nothing_is_left_when_the_disk_is_full(source, tmp_path, store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    archive = pack_zip(source, tmp_path / "model.zip")
    for place in (install_module.shutil, "copyfile"), (store_module.os, "replace"), (install_module, "unpack"):
        with monkeypatch.context() as patch:
            patch.setattr(*place, full)
            with pytest.raises(OutputError, match="no space left on device; nothing was changed"):
                install(archive)
        assert names(store) == []


def test_too_little_room_is_told_before_anything_is_copied(source, store, monkeypatch):
    monkeypatch.setattr(install_module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(OutputError, match="0 MB are free"):
        install(source)
    assert names(store) == []


def test_an_installation_can_be_stopped(source, store):
    def stop(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        install(source, progress=stop)
    assert names(store) == []


def test_what_a_power_cut_left_is_cleared_away_after_a_day(source, store):
    old, young = store / ".staged-old", store / ".staged-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    install(source)
    assert (old.exists(), young.exists()) == (False, True)
    assert [entry.name for entry in installed_models()] == ["tiny"]
    young.rmdir()


@pytest.mark.skipif(sys.platform == "win32" or getattr(os, "getuid", int)() == 0, reason="the superuser may write anywhere")
def test_a_store_that_cannot_be_written_to_is_told(source, tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    monkeypatch.setenv("HTSEG_MODELS", str(locked / "store"))
    with pytest.raises(OutputError, match="permission denied; name another folder for models by HTSEG_MODELS"):
        install(source)


def test_a_store_that_is_a_file_is_told(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("HTSEG_MODELS", str(tmp_path / "file"))
    assert installed_models() == []
    with pytest.raises(OutputError, match="name another folder for models by HTSEG_MODELS"):
        install(source)


def test_two_models_in_one_archive_are_told(source, tmp_path):
    both = tmp_path / "both"
    for name in ("a", "b"):
        shutil.copytree(source, both / name)
    with pytest.raises(InputError, match="it holds 2 models: a, b"):
        install(both)


def test_without_torch_the_files_are_checked_and_the_rest_is_remarked(source, monkeypatch):
    from HTSegmentationLib.inference.models import folder

    monkeypatch.setattr(folder.importlib.util, "find_spec", lambda name: None)
    assert [remark.code for remark in install(source).remarks] == ["architecture-unchecked"]


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    """A model that comes with the package."""
    folder = tmp_path / "bundled"
    monkeypatch.setattr(models_store, "bundled_folder", lambda: folder)
    return write_model(folder / "tiny")


def test_a_model_that_comes_with_the_package_is_offered_and_cannot_be_removed(bundled, store):
    (bundled.parent / "__pycache__").mkdir()
    assert [(entry.name, entry.folder, entry.bundled) for entry in installed_models()] == [("tiny", bundled, True)]
    assert find_model("tiny").folder == bundled
    with pytest.raises(UsageError, match="the model 'tiny' comes with HTSegmentation"):
        remove_model("tiny")
    assert bundled.is_dir()


def test_a_model_of_the_same_name_takes_the_place_of_the_bundled_one_until_it_is_removed(bundled, store, source):
    entry = install(source)
    assert [remark.code for remark in entry.remarks] == ["demonstration-replaced"]
    assert [(entry.name, entry.bundled) for entry in installed_models()] == [("tiny", False)]
    assert find_model("tiny").folder == store / "tiny"
    assert remove_model("tiny") == store / "tiny"
    assert find_model("tiny").folder == bundled


def test_the_store_lies_where_the_system_keeps_such_data(monkeypatch):
    home = Path.home()
    monkeypatch.delenv("HTSEG_MODELS")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert models_folder() == home / ".local" / "share" / "htsegmentation" / "models"
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert models_folder() == home / "data" / "htsegmentation" / "models"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert models_folder() == home / "Library" / "Application Support" / "HTSegmentation" / "models"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(home / "Local"))
    assert models_folder() == home / "Local" / "HTSegmentation" / "models"
    monkeypatch.setenv("HTSEG_MODELS", "~/mine")
    assert models_folder() == home / "mine"


def test_a_model_folder_is_read_where_it_lies(source, tmp_path):
    assert read_model(source).weight_paths == (source / "weights.safetensors",)
    with pytest.raises(InputError, match="there is no such folder"):
        read_model(tmp_path / "missing")
