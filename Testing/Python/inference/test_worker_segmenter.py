"""The segmenter whose work is done in a worker gives what the segmenter itself gives."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import ROIError
from HTSegmentationLib.inference.worker.client import WorkerClient
from HTSegmentationLib.inference.worker.remote_segmenter import RemoteSegmenter
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold

from ..phantom import as_scan, box_roi, head_array


@pytest.fixture(scope="module")
def worker():
    with WorkerClient() as client:
        yield client


@pytest.fixture(scope="module")
def scan():
    """An oblique head whose spacing and origin no decimal number names, with words that must stay here."""
    image = as_scan(head_array()[0]).image
    turned = sitk.Euler3DTransform((0, 0, 0), 0.03, -0.02, 0.1).GetMatrix()
    image.SetDirection(turned)
    image.SetSpacing([length / 3 * np.pi / 1.05 for length in image.GetSpacing()])
    image.SetOrigin([-92.123456789012, 1 / 3, 1e-7])
    image.SetMetaData("0010|0010", "Somebody^Known")
    return CTScan(image, remarks=(Remark("tilt", "The gantry was tilted."),))


def test_a_remote_result_is_the_local_one(worker, scan):
    local, remote = AdaptiveThreshold(), RemoteSegmenter(worker, "adaptive", title="Adaptive")
    roi = box_roi(scan, center_mm=scan.image.TransformIndexToPhysicalPoint((89, 88, 8)))
    prepared = remote.prepare(scan)
    wanted, found = local.segment(prepared, roi), remote.segment(prepared, roi)
    assert wanted.volume_ml() > 0
    assert np.array_equal(sitk.GetArrayViewFromImage(found.mask), sitk.GetArrayViewFromImage(wanted.mask))
    assert found.mask.GetPixelID() == wanted.mask.GetPixelID()
    for part in ("GetOrigin", "GetSpacing", "GetDirection", "GetSize"):
        assert getattr(found.mask, part)() == getattr(scan.image, part)()
    assert found.remarks == wanted.remarks
    assert found.labels == wanted.labels
    assert found.method == wanted.method
    assert dict(found.parameters) == dict(wanted.parameters)
    assert found.brain_volume_ml == wanted.brain_volume_ml
    assert set(wanted.stage_seconds) < set(found.stage_seconds)
    assert found.details.as_dict() == wanted.details.as_dict()
    assert found.details.explain() == wanted.details.explain()


def test_a_missing_roi_is_the_methods_own_error(worker, scan):
    remote = RemoteSegmenter(worker, "adaptive")
    with pytest.raises(ROIError, match="needs a region of interest"):
        remote.segment(remote.prepare(scan))


def test_files_for_the_worker_hold_no_words_of_the_scan_and_are_removed(worker, scan):
    seen = []

    def progress(stage, fraction):
        for file in worker._folder.glob("case-*/*.nrrd"):
            header = file.read_bytes()[:5000]
            seen.append(file.name)
            assert b"Somebody" not in header

    remote = RemoteSegmenter(worker, "adaptive")
    roi = box_roi(scan, center_mm=scan.image.TransformIndexToPhysicalPoint((89, 88, 8)))
    remote.segment(remote.prepare(scan), roi, progress)
    assert {"ct.nrrd", "brain.nrrd", "tissue.nrrd", "roi.nrrd"} <= set(seen)
    assert not list(worker._folder.glob("case-*"))
