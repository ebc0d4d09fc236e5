"""Archives of others: what is unpacked, and what is refused before it can do harm."""

import gzip
import io
import os
import stat
import tarfile
import zipfile

import pytest

from HTSegmentationLib.errors import Cancelled, InputError
from HTSegmentationLib.inference.models import archive as module
from HTSegmentationLib.inference.models.archive import unpack

CONTENT = {"model/model.json": b"{}", "model/weights.safetensors": os.urandom(3000)}


def zipped(path, files=CONTENT, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path, files=CONTENT, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def tar_with(path, **attributes):
    """A tar archive with one member that has these attributes."""
    info = tarfile.TarInfo("model/weights.safetensors")
    for name, value in attributes.items():
        setattr(info, name, value)
    with tarfile.open(path, "w") as archive:
        archive.addfile(info)
    return path


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "outer" / "target"
    folder.mkdir(parents=True)
    return folder


def refused(path, target, words):
    """Checks that an archive is refused in these words and that nothing lies beside the target."""
    before = sorted(target.parent.parent.rglob("*"))
    with pytest.raises(InputError, match=words) as error:
        unpack(path, target)
    assert "\n" not in str(error.value)
    assert [p for p in sorted(target.parent.parent.rglob("*")) if not p.is_relative_to(target)] == [
        p for p in before if not p.is_relative_to(target)
    ]


@pytest.mark.parametrize("name", ["m.zip", "m.tar", "m.tar.gz", "misnamed.bin"])
def test_plain_archives_come_out_whole_whatever_their_name(tmp_path, target, name):
    mode = "w" if name == "m.tar" else "w:gz"
    unpack(zipped(tmp_path / name) if name == "m.zip" else tarred(tmp_path / name, mode=mode), target)
    assert {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*") if p.is_file()} == CONTENT


def test_folders_named_in_the_archive_do_not_hinder(tmp_path, target):
    with tarfile.open(tmp_path / "m.tar", "w") as archive:
        folder = tarfile.TarInfo("./model")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        info = tarfile.TarInfo("./model/model.json")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"{}"))
    unpack(tmp_path / "m.tar", target)
    assert (target / "model" / "model.json").read_bytes() == b"{}"
    assert not (target / "model" / "model.json").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/etc/model.json", "leads out"),
        ("../outside.json", "leads out"),
        ("model/../../outside.json", "leads out"),
        ("..\\outside.json", "leads out"),
        ("C:/model.json", "leads out"),
        ("C:model.json", "leads out"),
        ("//server/share/model.json", "leads out"),
        ("model/aux\x1b.json", "no name"),
        ("model/weights.", "no name"),
        ("model /weights", "no name"),
        ("m" * 300, "no name"),
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path, target, make, name, words):
    refused(make(tmp_path / "archive", {name: b"x"}), target, words)


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(
    "names", [("model.json", "MODEL.json"), ("a/x", "A/y"), ("a", "a/b"), ("a/b", "a"), ("caf\u00e9", "cafe\u0301")]
)
def test_names_that_some_systems_take_for_one_are_refused(tmp_path, target, make, names):
    refused(make(tmp_path / "archive", dict.fromkeys(names, b"x")), target, "same name")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path, target):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("model.json", b"{}")
        archive.writestr("model.json", b"{ }")
    refused(tmp_path / "m.zip", target, "same name")


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a link"),
        ({"type": tarfile.LNKTYPE, "linkname": "../../secret"}, "is a link"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "is a device"),
        ({"type": tarfile.BLKTYPE}, "is a device"),
        ({"type": tarfile.FIFOTYPE}, "is a device, a pipe"),
    ],
)
def test_links_and_devices_are_refused(tmp_path, target, attributes, words):
    refused(tar_with(tmp_path / "m.tar", **attributes), target, words)


def test_a_link_in_a_zip_is_refused(tmp_path, target):
    info = zipfile.ZipInfo("model/weights.safetensors")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "m.zip", target, "is a link")


def test_an_encrypted_zip_is_refused(tmp_path, target):
    path = zipped(tmp_path / "m.zip", {"a": b"x"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refused(path, target, "is encrypted")


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(module, "_FREE_BYTES", 1 << 20)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, target, kind):
    path = tmp_path / f"bomb.{kind}"
    files = {f"{number}": bytes(1 << 20) for number in range(4)}
    zipped(path, files) if kind == "zip" else tarred(path, files, "w:gz")
    assert path.stat().st_size < 20_000
    refused(path, target, "would unpack to more than")
    assert sum(p.stat().st_size for p in target.rglob("*")) <= 2 << 20


@pytest.mark.usefixtures("small_limits")
def test_a_bomb_in_a_header_is_refused(tmp_path, target):
    info = tarfile.TarInfo("model.json")
    info.pax_headers = {"comment": "x" * (1 << 25)}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(content.getvalue()))
    refused(path, target, "grows without measure")


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path, target):
    path = zipped(tmp_path / "m.zip", {"a": b"x" * 5000})
    content = path.read_bytes()
    path.write_bytes(content.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    refused(path, target, "damaged|larger than it says|not whole")


def test_too_many_files_are_refused(tmp_path, target, monkeypatch):
    monkeypatch.setattr(module, "_MOST_FILES", 5)
    refused(zipped(tmp_path / "m.zip", {str(number): b"" for number in range(6)}), target, "more than 5 files")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_any_part_of_an_archive_is_unpacked_right_or_refused(tmp_path, target, kind):
    path = tmp_path / f"m.{kind}"
    zipped(path) if kind == "zip" else tarred(path, mode="w:gz" if kind == "tar.gz" else "w")
    whole = path.read_bytes()
    for number, length in enumerate([0, 1, 10, 100, 700, 1500, 3000]):
        path.write_bytes(whole[:length])
        folder = target / str(number)
        folder.mkdir()
        with pytest.raises(InputError, match=r"not whole|damaged"):
            unpack(path, folder)


def test_damage_within_a_member_is_found(tmp_path, target):
    path = zipped(tmp_path / "m.zip", compression=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    refused(path, target, "damaged")


def test_what_is_no_archive_is_told(tmp_path, target):
    (tmp_path / "model.json").write_text("{}" * 1000)
    refused(tmp_path / "model.json", target, "no zip, tar or tar.gz archive")
    refused(tmp_path / "missing.zip", target, "no such file")


def test_a_disk_that_is_full_is_no_fault_of_the_archive(tmp_path, target):
    (target / "model").write_text("in the way")
    with pytest.raises(OSError):  # noqa: PT011  (whichever the system has for it)
        unpack(zipped(tmp_path / "m.zip"), target)


def test_unpacking_can_be_stopped(tmp_path, target):
    def stop(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        unpack(zipped(tmp_path / "m.zip"), target, stop)
