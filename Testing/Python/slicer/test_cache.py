"""Prepared scans live as long as their volume stays what it was."""

import gc
import weakref

import numpy as np
import pytest

from HTSegmentationLib.errors import UsageError


def test_a_volume_is_prepared_once(logic, volume):
    assert not logic.isPrepared(volume)
    first = logic.prepare(volume)
    assert logic.prepare(volume) is first
    assert logic.isPrepared(volume)


@pytest.mark.parametrize("change", ["voxels", "geometry", "transform", "moved transform", "new image"])
def test_whatever_changes_voxels_or_place_makes_the_preparation_invalid(logic, volume, addLinear, matrix, slicer, change):
    transform = addLinear(np.eye(4))
    if change == "moved transform":
        volume.SetAndObserveTransformNodeID(transform.GetID())
    logic.prepare(volume)
    moved = np.eye(4)
    moved[0, 3] = 1
    if change == "voxels":
        slicer.util.arrayFromVolume(volume)[0, 0, 0] = 5
        slicer.util.arrayFromVolumeModified(volume)
    elif change == "geometry":
        volume.SetOrigin(1, 2, 3)
    elif change == "transform":
        transform.SetMatrixTransformToParent(matrix(moved))
        volume.SetAndObserveTransformNodeID(transform.GetID())
    elif change == "moved transform":
        transform.SetMatrixTransformToParent(matrix(moved))
    elif change == "new image":
        slicer.util.updateVolumeFromArray(volume, np.array(slicer.util.arrayFromVolume(volume)))
    assert not logic.isPrepared(volume)


def test_a_new_name_or_display_changes_nothing(logic, volume):
    logic.prepare(volume)
    volume.SetName("other")
    volume.CreateDefaultDisplayNodes()
    volume.SetAttribute("a", "b")
    assert logic.isPrepared(volume)


@pytest.mark.parametrize("end", ["node", "scene", "close"])
def test_a_preparation_is_freed_with_its_node_its_scene_or_the_logic(logic, volume, scene, end):
    prepared = weakref.ref(logic.prepare(volume))
    if end == "node":
        scene.RemoveNode(volume)
    elif end == "scene":
        scene.Clear(0)
    else:
        logic.close()
    gc.collect()
    assert prepared() is None


def test_the_cache_keeps_no_node_alive_and_its_observers_go_with_it(slicer, scene, volume):
    from HTSegmentationModule.scan_cache import ScanCache

    cache = ScanCache(scene)
    tags = cache._release.peek()[2][1]
    assert all(scene.HasObserver("AnyEvent") or scene.GetCommand(tag) for tag in tags)
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None
    assert not any(scene.GetCommand(tag) for tag in tags)


def test_only_the_latest_scans_are_kept(logic, addVolume, phantom):
    from HTSegmentationModule.scan_cache import _MOST_SCANS

    volumes = [addVolume(phantom[0], name=f"head {n}") for n in range(_MOST_SCANS + 1)]
    prepared = logic.prepare(volumes[0])
    for volume in volumes[1:]:
        logic.storePrepared(volume, prepared)
    assert [logic.isPrepared(volume) for volume in volumes] == [False] + [True] * _MOST_SCANS


def test_a_preparation_made_in_another_thread_is_stored(logic, volume):
    from concurrent.futures import ThreadPoolExecutor

    scan = logic.scanFromVolume(volume)
    with ThreadPoolExecutor(1) as pool:
        prepared = pool.submit(logic.prepareScan, scan).result()
    logic.storePrepared(volume, prepared)
    assert logic.prepared(volume) is prepared


def test_a_volume_that_was_changed_or_removed_meanwhile_gets_no_preparation(logic, volume, scene):
    prepared = logic.prepareScan(logic.scanFromVolume(volume))
    volume.SetOrigin(1, 2, 3)
    with pytest.raises(UsageError, match="changed while it was prepared"):
        logic.storePrepared(volume, prepared)
    scene.RemoveNode(volume)
    with pytest.raises(UsageError, match="removed from the scene"):
        logic.storePrepared(volume, prepared)


def test_values_taken_for_hu_by_force_do_not_pass_when_the_user_takes_that_back(logic, addVolume, phantom):
    odd = addVolume(np.clip(phantom[0], 0, 255).astype(np.int16), name="clipped")
    logic.prepare(odd, assumeHU=True)
    assert logic.isPrepared(odd)
    assert not logic.isPrepared(odd, assumeHU=False)


def test_a_preview_without_preparation_says_so_and_touches_no_node(logic, case, scene):
    with pytest.raises(UsageError, match="not prepared"):
        logic.segment(case)
    logic.prepare(case.inputVolume)
    before = scene.GetNumberOfNodes()
    assert logic.segment(case).volume_ml() > 5
    assert scene.GetNumberOfNodes() == before
