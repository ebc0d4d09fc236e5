"""What is taken for Hounsfield units, and what is refused with which advice."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct import read_ct
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Severity

from .conftest import codes, head_image, pixels_of, remark


@pytest.fixture
def head():
    """The head with noise, as an array of HU."""
    values = pixels_of(head_image()).astype(float)
    return np.rint(values + np.random.default_rng(0).normal(0, 6, values.shape))


@pytest.fixture
def read(tmp_path):
    def read(values, **options):
        sitk.WriteImage(sitk.GetImageFromArray(np.asarray(values, dtype=np.float32)), str(tmp_path / "a.mha"))
        return read_ct(tmp_path / "a.mha", **options)

    return read


def stripped(head, background):
    return np.where((head > -100) & (head < 300), head, background)


def test_a_head_in_hu_passes_without_a_word(read, head):
    assert codes(read(head)) == []


@pytest.mark.parametrize("background", [0, -1024])
def test_a_skull_stripped_head_passes_with_a_caution(read, head, background):
    assert remark(read(stripped(head, background)), "no-skull").severity is Severity.CAUTION


def test_metal_passes(read, head):
    head[7, 13, 12] = 30000
    assert codes(read(head)) == []


@pytest.mark.parametrize("offset", [1024, 1000])
def test_an_offset_is_named_with_the_flag_that_mends_it(read, head, offset):
    with pytest.raises(InputError, match=rf"HU \+ {offset} .*--hu-offset -{offset}"):
        read(np.maximum(head + offset, 0))
    assert "hu-offset-added" in codes(read(np.maximum(head + offset, 0), hu_offset=-offset))


def magnetic(head):
    """MR by its histogram: a dark background, and tissue spread over hundreds."""
    noise = np.abs(np.random.default_rng(1).normal(0, 12, head.shape))
    return np.where(head > 300, 60, np.where(head > -500, 350 + 12 * head, 0)) + noise


NOT_HU = {
    "MR": (magnetic, "is it MR"),
    "picture": (lambda head: np.clip(head / 80 * 255, 0, 255).round(), "as in a picture, not in HU"),
    "window": (lambda head: np.clip(head, 0, 100), "cut off at 100"),
    "window with air": (lambda head: np.clip(head, -1000, 100), "cut off at 100"),
    "scaled to one": (lambda head: (head + 1000) / 2000, "no brain near"),
    "labels": (lambda head: (head > 300) * 2 + ((head > 0) & (head < 100)), "mask of labels"),
    "shifted down": (lambda head: head - 1024, "nothing near the HU of soft tissue"),
    "constant": (lambda head: np.full(head.shape, 40), "all its voxels are 40"),
}


@pytest.mark.parametrize("kind", NOT_HU)
def test_what_cannot_be_hu_is_refused_with_the_reason(read, head, kind):
    change, reason = NOT_HU[kind]
    with pytest.raises(InputError, match=reason):
        read(change(head))


@pytest.mark.parametrize("kind", NOT_HU)
def test_whoever_says_it_is_hu_is_believed_with_a_warning(read, head, kind):
    change, reason = NOT_HU[kind]
    found = remark(read(change(head), assume_hu=True), "hu-assumed")
    assert found.severity is Severity.WARNING
    assert reason.split(",")[0] in found.text


def test_a_true_ct_stays_without_a_warning_when_it_is_called_hu(read, head):
    assert codes(read(head, assume_hu=True)) == []


@pytest.mark.parametrize(("shift", "told"), [(0, False), (12, False), (-45, True), (45, True)])
def test_a_brain_at_unusual_hu_is_told(read, head, shift, told):
    moved = np.where((head > -100) & (head < 200), head + shift, head)
    assert ("brain-hu-unusual" in codes(read(moved))) is told


def test_a_cut_out_block_of_brain_passes_with_a_caution(read):
    block = np.random.default_rng(2).normal(33, 8, (12, 20, 20)).round()
    assert codes(read(block)) == ["no-skull"]
