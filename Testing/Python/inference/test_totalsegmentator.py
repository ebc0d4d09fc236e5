"""TotalSegmentator's task, on a stand-in for the package.

The package brings 40 others and gigabytes of weights that only its own server gives, so that the tests put a small package
of the same name, with the same functions and arguments, in its place. Where the real one is installed, a test compares both.
"""

import importlib.metadata
import importlib.util
import inspect
import os
import sys
import textwrap

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import InputError, MissingPackageError, SegmentationError
from HTSegmentationLib.inference.totalsegmentator import TotalSegmentatorSegmenter
from HTSegmentationLib.methods import method

from .. import needs
from ..phantom import as_scan, box_roi, head_array

needs.deep_learning()
needs.package("nibabel", "TotalSegmentator was not tested")

USED = {"input": ..., "output": None, "ml": False, "task": "total", "quiet": False, "skip_saving": False, "device": "gpu"}
"""The arguments that are used, with the defaults of version 2.18."""

CONFIG = """
    import os
    from pathlib import Path

    def get_totalseg_dir():
        return Path(os.environ.get("TOTALSEG_HOME_DIR", Path.home() / ".totalsegmentator"))

    def get_weights_dir():
        return Path(os.environ.get("TOTALSEG_WEIGHTS_PATH", get_totalseg_dir() / "nnunet/results"))
"""

API = """
    import json, os, sys
    import numpy as np
    from nibabel import Nifti1Image
    from totalsegmentator.config import get_totalseg_dir, get_weights_dir

    seen = {}

    def download_pretrained_weights(task_id):
        raise AssertionError("a download was begun")

    def totalsegmentator(input, output=None, ml=False, nr_thr_resamp=1, nr_thr_saving=6, fast=False, nora_tag="None",
                         preview=False, task="total", roi_subset=None, statistics=False, radiomics=False, crop_path=None,
                         body_seg=False, force_split=False, output_type="nifti", quiet=False, verbose=False, test=0,
                         skip_saving=False, device="gpu", license_number=None):
        print("If you use this tool please cite")
        os.environ["nnUNet_results"] = str(get_weights_dir())
        seen.update(arguments=(output, ml, task, quiet, skip_saving, device), home=get_totalseg_dir(),
                    settings=json.loads((get_totalseg_dir() / "config.json").read_text()))
        download_pretrained_weights(150)
        download_pretrained_weights(298)
        if seen.get("fault") is not None:
            raise seen["fault"]
        data = np.asanyarray(input.dataobj)
        seen["affine"] = input.affine
        return Nifti1Image(((data > 50) & (data < 90)).astype(np.uint8), seen.get("shift", np.eye(4)) @ input.affine)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The stand-in's module ``python_api``; it is gone after the test."""
    folder = tmp_path / "packages" / "totalsegmentator"
    folder.mkdir(parents=True)
    for name, text in (("__init__", ""), ("config", CONFIG), ("python_api", API)):
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    for name in [name for name in sys.modules if name.split(".")[0] == "totalsegmentator"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("TOTALSEG_HOME_DIR", "TOTALSEG_WEIGHTS_PATH", "nnUNet_results"):
        monkeypatch.delenv(name, raising=False)
    api = importlib.import_module("totalsegmentator.python_api")
    yield api
    for name in [name for name in sys.modules if name.split(".")[0] == "totalsegmentator"]:
        del sys.modules[name]


@pytest.fixture
def weights(tmp_path):
    """The user's weights, where TotalSegmentator keeps them."""
    folder = tmp_path / "home" / ".totalsegmentator" / "nnunet" / "results"
    for name in ("Dataset150_icb_v0", "Dataset298_TotalSegmentator_total_6mm_1559subj"):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def scan():
    image = as_scan(head_array()[0]).image
    image.SetDirection(sitk.Euler3DTransform((0, 0, 0), 0.05, 0.0, -0.1).GetMatrix())
    return CTScan(image)


@pytest.fixture(scope="module")
def prepared(scan):
    return TotalSegmentatorSegmenter(device="cpu").prepare(scan)


def test_the_mask_lies_on_the_scans_own_grid(package, weights, scan, prepared):
    result = TotalSegmentatorSegmenter(device="cpu").segment(prepared)
    values = sitk.GetArrayFromImage(scan.image)
    assert np.array_equal(sitk.GetArrayFromImage(result.mask) > 0, (values > 50) & (values < 90))
    assert result.mask.GetDirection() == scan.image.GetDirection()
    assert result.labels[0].code == "50960005"
    assert package.seen["arguments"] == (None, True, "cerebral_bleed", True, True, "cpu")


def test_it_is_told_where_the_voxels_are_as_nifti_has_it(package, weights, scan, prepared):
    TotalSegmentatorSegmenter(device="cpu").segment(prepared)
    point = package.seen["affine"] @ [3, 4, 5, 1]
    assert point[:3] * [-1, -1, 1] == pytest.approx(scan.image.TransformIndexToPhysicalPoint((3, 4, 5)))


def test_no_statistics_are_sent_and_the_users_settings_and_environment_stay(package, weights, prepared, tmp_path, capfd):
    before = dict(os.environ)
    TotalSegmentatorSegmenter(device="cpu").segment(prepared)
    assert package.seen["settings"]["send_usage_stats"] is False
    assert package.seen["settings"]["statistics_disclaimer_shown"] is True
    assert not package.seen["home"].exists()
    assert not (tmp_path / "home" / ".totalsegmentator" / "config.json").exists()
    assert dict(os.environ) == before
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("missing", "task"), [("Dataset150_icb_v0", "cerebral_bleed"), ("Dataset298_TotalSegmentator", "total")]
)
def test_missing_weights_are_never_downloaded_and_the_command_is_told(package, weights, prepared, missing, task):
    next(weights.glob(f"{missing}*")).rmdir()
    with pytest.raises(InputError, match=f"totalseg_download_weights -t {task}$"):
        TotalSegmentatorSegmenter(device="cpu").segment(prepared)


def test_weights_that_the_user_keeps_elsewhere_are_found(package, weights, prepared, tmp_path, monkeypatch):
    elsewhere = weights.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(elsewhere))
    assert TotalSegmentatorSegmenter(device="cpu").segment(prepared).volume_ml() > 0


@pytest.mark.parametrize("fault", [RuntimeError("no such layer\nat all"), SystemExit(1)])
def test_its_own_failures_become_one_line(package, weights, prepared, fault):
    package.seen["fault"] = fault
    with pytest.raises(SegmentationError, match=r"^TotalSegmentator failed \(.*\); run its own command") as caught:
        TotalSegmentatorSegmenter(device="cpu").segment(prepared)
    assert "\n" not in str(caught.value)


def test_a_mask_on_another_grid_is_refused(package, weights, prepared):
    shift = np.eye(4)
    shift[0, 3] = 1.0
    package.seen["shift"] = shift
    with pytest.raises(SegmentationError, match="another grid"):
        TotalSegmentatorSegmenter(device="cpu").segment(prepared)


def test_an_roi_cuts_the_result(package, weights, scan, prepared):
    roi = box_roi(scan, center_mm=scan.image.TransformIndexToPhysicalPoint((89, 88, 8)))
    segmenter = TotalSegmentatorSegmenter(device="cpu")
    whole, cut = segmenter.segment(prepared), segmenter.segment(prepared, roi)
    inside = sitk.GetArrayFromImage(roi.on_grid(scan.image))
    assert np.array_equal(sitk.GetArrayFromImage(cut.mask), sitk.GetArrayFromImage(whole.mask) * inside)
    assert "roi-restricts" in [remark.code for remark in cut.remarks]


def test_the_method_of_that_name_makes_it(package, weights):
    found = method("totalsegmentator")
    assert not found.needs_roi
    assert isinstance(found.make(device="cpu"), TotalSegmentatorSegmenter)


def test_without_the_package_the_command_that_installs_it_is_told(prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "totalsegmentator", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'htsegmentation\[totalsegmentator\]'"):
        TotalSegmentatorSegmenter(device="cpu").segment(prepared)


def test_the_stand_in_takes_what_the_real_package_takes(package):
    def used(function):
        parameters = inspect.signature(function).parameters
        return {
            name: ... if parameters[name].default is inspect.Parameter.empty else parameters[name].default for name in USED
        }

    assert used(package.totalsegmentator) == USED
    try:
        importlib.metadata.version("TotalSegmentator")
    except importlib.metadata.PackageNotFoundError:
        return
    sys.path.pop(0)
    for name in [name for name in sys.modules if name.split(".")[0] == "totalsegmentator"]:
        del sys.modules[name]
    assert used(importlib.import_module("totalsegmentator.python_api").totalsegmentator) == USED
