import json
import stat

import pytest

from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.files import require_writable, to_json, write_json, written_whole


def test_a_file_appears_whole_when_the_block_ends(tmp_path):
    target = tmp_path / "ü b.nii.gz"
    with written_whole(target) as temporary:
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("mask")
        assert not target.exists()
    assert target.read_text() == "mask"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path):
    target = tmp_path / "old.txt"
    target.write_text("old")

    def fail():
        with written_whole(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_result_has_the_permissions_of_any_new_file(tmp_path):
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_text("")
    with written_whole(ours) as temporary:
        temporary.write_text("")
    assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_missing_folder_a_folder_and_a_disk_that_fails_are_named(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match="no folder"):
        require_writable(tmp_path / "none" / "mask.nii.gz")
    with pytest.raises(OutputError, match="this is a folder"):
        require_writable(tmp_path)

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("HTSegmentationLib.files.os.replace", full)
    with pytest.raises(OutputError, match="no space left on device; free space"):
        write_json(tmp_path / "r.json", {})
    assert list(tmp_path.iterdir()) == []


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        to_json({"dice": float("nan")})
    assert json.loads(to_json({"ü": [1, None]})) == {"ü": [1, None]}
