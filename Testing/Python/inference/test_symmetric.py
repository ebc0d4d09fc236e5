"""The brain mirrored and fitted to itself."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import Cancelled
from HTSegmentationLib.inference.symmetric import mirror_transform
from HTSegmentationLib.threshold.prepare import prepare

from ..phantom import BLEED_CENTER_MM, as_scan, head_array
from .test_preprocess import turned

ASKEW = (0.0, 0.08, 0.2)
"""Tilt to a side and turn of the head in rad: 5 and 11 degrees."""


def moved(prepared, angles=(0, 0, 0), shift=(0, 0, 0)):
    """The same brain of a patient who lay elsewhere."""

    def placed(image):
        image = turned(image, angles)
        image.SetOrigin([o + s for o, s in zip(image.GetOrigin(), shift, strict=True)])
        return image

    scan = dataclasses.replace(prepared.scan, image=placed(prepared.scan.image))
    return dataclasses.replace(prepared, scan=scan, brain_mask=placed(prepared.brain_mask))


def mirrored_voxel(prepared, point_mm):
    """Where a point of the phantom, given in its own axes, is mirrored to, in its own axes, too."""
    image = prepared.scan.image
    axes = np.array(image.GetDirection()).reshape(3, 3)
    corner = -(np.array(image.GetSize()) - 1) * np.array(image.GetSpacing()) / 2
    patient = np.array(image.GetOrigin()) + axes @ (np.array(point_mm) - corner)
    return axes.T @ (np.array(mirror_transform(prepared).TransformPoint(patient.tolist())) - image.GetOrigin()) + corner


@pytest.fixture(scope="module")
def prepared():
    return prepare(as_scan(head_array()[0]))


@pytest.mark.parametrize(("angles", "shift"), [((0, 0, 0), (0, 0, 0)), (ASKEW, (0, 0, 0)), (ASKEW, (30, -20, 40))])
def test_a_point_is_mirrored_about_the_heads_own_middle_however_it_lies(angles, shift, prepared):
    x, y, z = BLEED_CENTER_MM
    np.testing.assert_allclose(mirrored_voxel(moved(prepared, angles, shift), (x, y, z)), (-x, y, z), atol=2.5)


def test_mirroring_twice_leads_back(prepared):
    transform = mirror_transform(moved(prepared, ASKEW))
    points = np.random.default_rng(0).uniform(-50, 50, (20, 3))
    back = [transform.TransformPoint(transform.TransformPoint(point.tolist())) for point in points]
    assert np.abs(back - points).max() < 4


def test_the_mirrored_scan_is_bright_where_the_bleed_is_not(prepared):
    mirrored = sitk.GetArrayFromImage(sitk.Resample(prepared.scan.image, mirror_transform(prepared)))
    bleed = head_array()[1]
    assert np.median(mirrored[bleed]) == pytest.approx(32, abs=2)
    assert np.median(mirrored[bleed[:, :, ::-1]]) == pytest.approx(62, abs=2)


def test_the_same_scan_gives_the_same_transform(prepared):
    image = prepared.scan.image
    first, second = (sitk.GetArrayFromImage(sitk.Resample(image, mirror_transform(prepared))) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_fit_can_be_stopped_and_tells_where_it_is(prepared):
    heard = []

    def stop(stage, fraction):
        heard.append(fraction)
        if len(heard) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        mirror_transform(prepared, stop)
    assert len(heard) == 5
    assert heard == sorted(heard)
