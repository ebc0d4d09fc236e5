"""Models that nnU-Net trained, against nnU-Net's own commands."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import Cancelled, InputError, MissingPackageError, ParameterError
from HTSegmentationLib.inference.make import make_segmenter
from HTSegmentationLib.inference.models.folder import read_model
from HTSegmentationLib.inference.models.nnunet_folder import write_nnunet
from HTSegmentationLib.inference.nnunet import segmenter as segmenter_module
from HTSegmentationLib.inference.nnunet.reader import as_read, on_scan, require_reader
from HTSegmentationLib.inference.nnunet.segmenter import NnUNetSegmenter
from HTSegmentationLib.inference.nnunet.trainers import find_trainer
from HTSegmentationLib.inference.worker.client import WorkerClient
from HTSegmentationLib.inference.worker.remote_segmenter import RemoteSegmenter
from HTSegmentationLib.roi import Roi

from .. import needs
from . import nnunet_training

torch = needs.deep_learning()
if not os.environ.get("CI"):
    needs.package("nnunetv2", "no model of nnU-Net was run")

LONGEST_TRAINING_S = 900


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of :func:`nnunet_training.train`; of several processes that run the tests one trains, the others wait."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "nnunet"
    done, failed = root / "done", root / "failed"
    try:
        root.mkdir()
    except FileExistsError:
        end = time.monotonic() + LONGEST_TRAINING_S
        while not done.exists():
            assert not failed.exists()
            assert time.monotonic() < end
            time.sleep(0.2)
        return root
    try:
        nnunet_training.train(root)
    except BaseException:
        failed.touch()
        raise
    done.touch()
    return root


@pytest.fixture
def model_of(trained, tmp_path, monkeypatch):
    """Makes the model folder of a folder that nnU-Net trained, with these folds alone; the trainer is one of our own."""
    monkeypatch.setenv("nnUNet_extTrainer", str(trained / "trainers"))
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.delenv(name, raising=False)

    def make(folds=("0",), *, name=nnunet_training.FOLDER, change=lambda folder: None):
        source = tmp_path / "source"
        shutil.copytree(trained / name, source, ignore=lambda _, names: {n for n in names if n.startswith("fold_")})
        for fold in folds:
            shutil.copytree(trained / name / f"fold_{fold}", source / f"fold_{fold}")
        target = tmp_path / "model"
        target.mkdir()
        write_nnunet(source, target)
        change(target / "nnunet")
        return read_model(target)

    return make


def scan_of(trained, name):
    return CTScan(sitk.ReadImage(trained / "scans" / name / f"{name}_0000.nii.gz"))


def array_of(image):
    return sitk.GetArrayFromImage(image)


def wanted(trained, name, case):
    return array_of(sitk.ReadImage(trained / name / f"{case}.nii.gz"))


def test_the_mask_is_that_of_nnunets_own_command(trained, model_of):
    segmenter = NnUNetSegmenter(model_of(), device="cpu", mirroring=False)
    result = segmenter.run(scan_of(trained, "plain"))
    expected = wanted(trained, "of_one_fold", "plain")
    assert set(np.unique(expected)) == {0, 1, 2}
    assert array_of(result.mask).dtype == expected.dtype
    assert np.array_equal(array_of(result.mask), expected)
    assert [label.code for label in result.labels] == ["50960005", "79654002"]
    assert result.parameters["mirroring_axes"] == []


def test_so_it_is_with_two_folds_mirrored_on_a_scan_that_is_turned_and_cropped(trained, model_of):
    scan = scan_of(trained, "odd")
    result = NnUNetSegmenter(model_of(("0", "1")), device="cpu").run(scan)
    assert np.array_equal(array_of(result.mask), wanted(trained, "of_two_folds", "odd"))
    for part in ("GetOrigin", "GetSpacing", "GetDirection", "GetSize"):
        assert getattr(result.mask, part)() == getattr(scan.image, part)()
    assert result.parameters["folds"] == [0, 1]
    assert result.parameters["mirroring_axes"] == [1, 2]
    assert "the mean of 2 networks" in result.details.explain()[0]


def test_so_it_is_with_regions_that_lie_in_each_other(trained, model_of):
    model = model_of(name=nnunet_training.REGIONS)
    assert [(label.value, label.name) for label in model.description.labels] == [
        (1, "Intraparenchymal hemorrhage"),
        (2, "whole"),
    ]
    result = NnUNetSegmenter(model, device="cpu", mirroring=False).run(scan_of(trained, "plain"))
    expected = wanted(trained, "of_regions", "plain")
    assert set(np.unique(expected)) == {0, 1, 2}
    assert np.array_equal(array_of(result.mask), expected)
    likely = array_of(result.probability)
    assert likely[expected == 1].min() > 0.5
    assert likely[expected != 1].max() <= 0.5


def test_the_probability_is_that_of_the_hemorrhage_on_the_scans_grid(trained, model_of):
    scan = scan_of(trained, "odd")
    result = NnUNetSegmenter(model_of(), device="cpu", mirroring=False).run(scan)
    mask, likely = array_of(result.mask), array_of(result.probability)
    assert likely.dtype == np.float32
    assert likely.shape == mask.shape
    assert 0 <= likely.min() < 0.1
    assert 0.5 < likely.max() <= 1
    assert likely[mask == 1].min() > 1 / 3
    assert likely[mask != 1].max() <= 0.5
    # What nnU-Net cropped away has none.
    for border in (likely[0], likely[-1], likely[:, :4], likely[:, -9:], likely[:, :, :7], likely[:, :, -2:]):
        assert not border.any()


def test_neither_words_nor_folders_of_nnunets_are_needed_and_the_second_scan_loads_nothing(
    trained, model_of, capfd, monkeypatch
):
    segmenter = make_segmenter(model_of(), device="cpu", mirroring=False)
    scan = scan_of(trained, "plain")
    first = segmenter.run(scan)
    monkeypatch.setattr(segmenter_module, "read_trained", None)
    assert np.array_equal(array_of(segmenter.run(scan).mask), array_of(first.mask))
    assert capfd.readouterr() == ("", "")


def test_progress_counts_every_tile_of_every_fold_and_a_stop_takes_effect_at_the_next(trained, model_of):
    segmenter = NnUNetSegmenter(model_of(("0", "1")), device="cpu", mirroring=False)
    prepared = segmenter.prepare(scan_of(trained, "plain"))
    told = []
    result = segmenter.segment(prepared, progress=lambda *words: told.append(words))
    fractions = [fraction for stage, fraction in told if stage == "network"]
    assert len(set(fractions)) == 2 * result.details.tiles > 10
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    threads, seen = threading.active_count(), []

    def stop(stage, fraction):
        if stage == "network":
            seen.append(fraction)
        if len(seen) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        segmenter.segment(prepared, progress=stop)
    assert len(seen) == 4
    assert threading.active_count() == threads
    assert np.array_equal(array_of(segmenter.segment(prepared).mask), array_of(result.mask))


def test_an_roi_cuts_the_result_and_says_so(trained, model_of):
    segmenter = NnUNetSegmenter(model_of(), device="cpu", mirroring=False)
    scan = scan_of(trained, "plain")
    prepared = segmenter.prepare(scan)
    half = np.zeros(scan.image.GetSize()[::-1], np.uint8)
    half[:, :, 90:] = 1
    image = sitk.GetImageFromArray(half)
    image.CopyInformation(scan.image)
    whole, cut = segmenter.segment(prepared), segmenter.segment(prepared, Roi.from_mask(image))
    assert np.array_equal(array_of(cut.mask), array_of(whole.mask) * half)
    assert np.array_equal(array_of(cut.probability), array_of(whole.probability) * half)
    assert "roi-restricts" in [remark.code for remark in cut.remarks]
    assert "roi-restricts" not in [remark.code for remark in whole.remarks]


def test_in_the_worker_the_mask_is_the_same(trained, model_of):
    model = model_of()
    with WorkerClient(environment=dict(os.environ)) as worker:
        segmenter = RemoteSegmenter(worker, "brief", model=model.folder, device="cpu")
        prepared = segmenter.prepare(scan_of(trained, "plain"))
        result = segmenter.segment(prepared)
    local = NnUNetSegmenter(model, device="cpu").segment(prepared)
    assert np.array_equal(array_of(result.mask), array_of(local.mask))
    assert result.labels == local.labels
    assert result.remarks == local.remarks


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return subprocess.call, (["touch", self.file],)


def test_a_checkpoint_that_was_exchanged_after_the_installation_runs_nothing(trained, model_of, tmp_path):
    def exchange(folder):
        path = folder / "fold_0" / "checkpoint_final.pth"
        checkpoint = torch.load(path, weights_only=False)
        torch.save(checkpoint | {"logging": Malicious(tmp_path / "was-run")}, path)

    model = model_of(change=exchange)
    with pytest.raises(InputError, match="nothing of it was run"):
        NnUNetSegmenter(model, device="cpu").run(scan_of(trained, "plain"))
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("network_class_name", "subprocess.Popen"), ("network_class_name", "torch.nn.__import__('os')"), ("conv_op", "this.s")],
)
def test_plans_name_networks_of_known_packages_alone(trained, model_of, key, value):
    def change(folder):
        plans = json.loads((folder / "plans.json").read_text())
        architecture = plans["configurations"]["3d_fullres"]["architecture"]
        (architecture if key in architecture else architecture["arch_kwargs"])[key] = value
        (folder / "plans.json").write_text(json.dumps(plans))

    model = model_of(change=change)
    with pytest.raises(InputError, match=r"plans\.json has .* allowed is what dynamic_network_architectures"):
        NnUNetSegmenter(model, device="cpu").run(scan_of(trained, "plain"))


def test_a_trainer_that_is_not_there_is_named_with_what_to_do(trained, model_of, monkeypatch):
    model = model_of()
    monkeypatch.delenv("nnUNet_extTrainer")
    with pytest.raises(InputError, match=r"trained by BriefTrainer.*nnUNet_extTrainer"):
        NnUNetSegmenter(model, device="cpu").run(scan_of(trained, "plain"))


def test_weights_of_another_network_are_told_in_one_line(trained, model_of):
    def change(folder):
        path = folder / "fold_0" / "checkpoint_final.pth"
        checkpoint = torch.load(path, weights_only=False)
        checkpoint["network_weights"].popitem()
        torch.save(checkpoint, path)

    model = model_of(change=change)
    with pytest.raises(InputError, match="do not belong together") as caught:
        NnUNetSegmenter(model, device="cpu").run(scan_of(trained, "plain"))
    assert "\n" not in str(caught.value)


def test_without_nnunet_the_command_that_installs_it_is_told(trained, model_of, monkeypatch):
    model = model_of()
    monkeypatch.setitem(sys.modules, "nnunetv2", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'htsegmentation\[dl\]'"):
        NnUNetSegmenter(model, device="cpu").run(scan_of(trained, "plain"))


@pytest.mark.parametrize("reader", ["SimpleITKIO", "NibabelIO", "SimpleITKIOWithReorient", "NibabelIOWithReorient"])
@pytest.mark.parametrize("orientation", ["LPS", "RAI", "SLA", "PIR"])
def test_scans_are_handed_over_as_nnunets_own_readers_give_files(reader, orientation, tmp_path):
    from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(-1000, 1000, (5, 6, 7)).astype(np.int16))
    image.SetSpacing((0.5, 0.75, 4.0))
    image.SetDirection(sitk.Euler3DTransform((0, 0, 0), 0.1, 0.05, -0.2).GetMatrix())
    image = sitk.DICOMOrient(image, orientation)
    path = tmp_path / "scan_0000.nii.gz"
    sitk.WriteImage(image, path)
    image = sitk.ReadImage(path)
    array, properties = as_read(image, reader)
    theirs, their_properties = recursive_find_reader_writer_by_name(reader)().read_images([str(path)])
    assert array.dtype == theirs.dtype
    assert np.array_equal(array, theirs)
    assert np.allclose(properties["spacing"], their_properties["spacing"], rtol=1e-6)
    back = on_scan(array[0], image, reader)
    assert np.array_equal(array_of(back), array_of(image))
    assert back.GetDirection() == image.GetDirection()
    assert back.GetOrigin() == image.GetOrigin()


def test_models_of_pictures_are_refused():
    with pytest.raises(ParameterError, match="NaturalImage2DIO; allowed are SimpleITKIO"):
        require_reader("NaturalImage2DIO")


def test_the_own_trainers_of_nnunet_are_found_without_importing_all_of_them():
    assert find_trainer("nnUNetTrainer_5epochs", Path("model")).__name__ == "nnUNetTrainer_5epochs"
