import dataclasses
import os
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.errors import OutputError, ParameterError, SegmentationError
from HTSegmentationLib.inference.network_grid import network_grid
from HTSegmentationLib.inference.preprocess import Extent, network_input
from HTSegmentationLib.segmenter import Label
from HTSegmentationLib.threshold.prepare import prepare
from HTSegmentationLib.training import cache, cached_case
from HTSegmentationLib.training.cache import prepared_cases, target_on_grid
from HTSegmentationLib.training.cases import read_training_cases
from HTSegmentationLib.training.labels import LabelMap, label_map_for

from .tiny_cohort import CASES, image_of, write_case, write_table


@pytest.fixture
def one(tiny, tmp_path):
    """One case, prepared in a cache of its own."""
    (cached,) = prepared_cases(tiny.cases[:1], tiny.settings, tmp_path / "own", jobs=1)
    return cached


def test_the_network_reads_in_training_what_it_reads_at_inference(tiny):
    case, cached = tiny.cases[0], tiny.cached[0]
    prepared = prepare(read_ct(case.image))
    given = network_input(prepared, tiny.settings.input, Extent(smallest=tiny.settings.window))
    assert cached.channels.dtype == np.float16
    assert cached.channels.shape == given.channels.shape
    # A window of 100 HU became 0 to 1: half precision keeps a twentieth of a HU.
    assert np.abs(cached.channels.astype(np.float32) - given.channels).max() < 0.05 / 100
    assert (cached.channels[0, ~given.grid.resample(prepared.brain_mask, 0).astype(bool)] == 0).all()


def test_an_offset_is_added_before_the_network_reads_a_scan(tiny, one, tmp_path):
    case = tiny.cases[0]
    raised = tmp_path / "ct.nii.gz"
    sitk.WriteImage(sitk.ReadImage(str(case.image)) + 1024, str(raised))
    lowered = dataclasses.replace(case, image=raised, hu_offset=-1024.0)
    (cached,) = prepared_cases([lowered], tiny.settings, tmp_path / "own", jobs=1)
    assert np.array_equal(cached.channels, one.channels)


def test_the_reference_lies_where_the_blood_is(tiny):
    for case, cached in zip(tiny.cases, tiny.cached, strict=True):
        blood = cached.target > 0
        assert blood.sum() == round(case.volume_ml * 1000 / np.prod(cached.spacing))
        assert cached.channels[0][blood].mean() > 0.6
        assert cached.channels[0][~blood].max() < 0.6


def test_a_reference_on_another_grid_keeps_its_volume_and_its_shape():
    mask = np.zeros((14, 64, 56), np.uint8)
    mask[4:10, 20:44, 14:38] = 1
    mask[4:10, 20:44, 26:38] = 2
    image = image_of(mask)
    grid = network_grid(image, "LPS", (1.1, 1.3, 2.9))
    found = target_on_grid(image, 3, grid)
    voxel = np.prod(grid.spacing) / np.prod(image.GetSpacing())
    for value in (1, 2):
        assert (found == value).sum() * voxel == pytest.approx((mask == value).sum(), rel=0.06)
    # Nearest neighbours agree but where a voxel lies between two.
    nearest = grid.resample(image, 0) if grid.on_scan_voxels else None
    assert nearest is None
    moved = sitk.Resample(
        image, grid.size, sitk.Transform(), sitk.sitkNearestNeighbor, grid.origin, grid.spacing, grid.direction
    )
    assert (sitk.GetArrayFromImage(moved) == found).mean() > 0.99


def test_on_the_scans_own_grid_the_reference_stays_as_it_is():
    mask = np.random.default_rng(0).integers(0, 4, (14, 64, 56)).astype(np.uint8)
    image = image_of(mask)
    assert (target_on_grid(image, 4, network_grid(image)) == mask).all()


def test_prepared_cases_are_not_prepared_again(tiny, monkeypatch):
    monkeypatch.setattr(cache, "prepare", None)
    again = prepared_cases(tiny.cases, tiny.settings, tiny.cache, jobs=1)
    assert again == tiny.cached


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "entry"])
def test_a_damaged_entry_is_made_again(tiny, one, damage):
    before, target = one.channels.copy(), one.folder / "target.npy"
    content = target.read_bytes()
    if damage == "cut":
        target.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        target.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "gone":
        (one.folder / "channels.npy").unlink()
    else:
        (one.folder / "entry.json").write_text("{")
    (again,) = prepared_cases(tiny.cases[:1], tiny.settings, one.folder.parent, jobs=1)
    assert again == one
    assert target.read_bytes() == content
    assert (again.channels == before).all()


@pytest.mark.parametrize("what", ["input", "patch", "labels", "image", "reference"])
def test_what_the_preparation_depends_on_names_the_entry(tiny, what):
    settings, case = tiny.settings, tiny.cases[0]
    plain = LabelMap(((1, 1),))
    key = cache._key(case, plain, settings)
    if what == "input":
        settings = dataclasses.replace(settings, input=dataclasses.replace(settings.input, window_hu=(0.0, 90.0)))
    elif what == "patch":
        settings = settings.with_patch((24, 24, 8))
    elif what == "labels":
        plain = LabelMap(((1, 0), (2, 1)))
    else:
        case = dataclasses.replace(case, **{f"{what}_sha256": "0" * 64})
    assert cache._key(case, plain, settings) != key


def test_what_it_does_not_depend_on_shares_the_entry(tiny):
    other = dataclasses.replace(tiny.settings, loss="focal", patches_per_case=7, seed=5)
    assert cache._key(tiny.cases[0], LabelMap(((1, 1),)), other) == tiny.cached[0].folder.name.rpartition("-")[2]


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tiny, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cached_case.np, "save", full)
    with pytest.raises(OutputError, match=r"no space left on device.*free space"):
        prepared_cases(tiny.cases[:1], tiny.settings, tmp_path, jobs=1)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_behind_is_removed_after_a_day(tiny, one):
    old, new = (one.folder.parent / f"{cached_case.MAKING_PREFIX}{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (1e9, 1e9))
    prepared_cases(tiny.cases[:1], tiny.settings, one.folder.parent, jobs=1)
    assert (old.exists(), new.exists()) == (False, True)


def test_all_cases_without_a_brain_are_listed_with_their_rows(tmp_path, tiny):
    rows = [write_case(tmp_path, f"ph-0{n}", n, *CASES["ph-01"]) for n in range(3)]
    for name in ("ph-00", "ph-02"):
        scan = sitk.ReadImage(str(tmp_path / name / "ct.nii.gz"))
        sitk.WriteImage(sitk.Clamp(scan, sitk.sitkInt16, -1000, 45), tmp_path / name / "ct.nii.gz")
    cases = read_training_cases(write_table(tmp_path, rows), jobs=1)
    with pytest.raises(SegmentationError, match=r"2 of 3 cases cannot be prepared: row 2 \(ph-00\).*row 4 \(ph-02\)"):
        prepared_cases(cases, tiny.settings, tmp_path / "cache", jobs=1)


def test_a_reference_outside_the_skull_is_told(tmp_path, tiny):
    rows = [write_case(tmp_path, "ph-00", 0, (0.0, 86.0, 0.0), 20.0)]
    cases = read_training_cases(write_table(tmp_path, rows), jobs=1)
    (cached,) = prepared_cases(cases, tiny.settings, tmp_path / "cache", jobs=1)
    assert [remark.code for remark in cached.remarks] == ["reference-outside-brain"]


def test_several_processes_prepare_the_same_as_one(tiny, tmp_path):
    found = prepared_cases(tiny.cases[:2], tiny.settings, tmp_path, jobs=2)
    for mine, theirs in zip(found, tiny.cached, strict=False):
        assert (mine.channels == theirs.channels).all()
        assert (mine.target == theirs.target).all()
    shutil.rmtree(tmp_path)


def test_a_single_value_is_the_single_class_and_several_need_names():
    one = (Label(1, "Hemorrhage", "50960005", "Hemorrhage", (1, 2, 3)),)
    assert label_map_for([255], one, None).pairs == ((255, 1),)
    with pytest.raises(
        ParameterError, match="the references hold the values 1, 3 and the network's classes are 1 Hemorrhage"
    ):
        label_map_for([1, 3], one, None)
    assert label_map_for([1, 3], one, ((1, 1), (3, 0))).classes(np.array([0, 1, 3])).tolist() == [0, 1, 0]
    with pytest.raises(ParameterError, match="the value 2"):
        label_map_for([1, 2], one, ((1, 1),))
