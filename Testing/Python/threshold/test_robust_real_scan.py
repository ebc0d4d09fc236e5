"""The robust threshold on a real scan without hemorrhage: 60 x 60 x 40 mm boxes about its brain."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.roi import roi_from_box
from HTSegmentationLib.threshold.prepare import prepare
from HTSegmentationLib.threshold.robust.robust_threshold import RobustThreshold


@pytest.fixture(scope="module")
def prepared(real_scan):
    return prepare(real_scan)


def box_at(prepared, shares):
    """A box about the point that lies so far from the brain's middle, as shares of its size."""
    image = prepared.scan.image
    inside = np.argwhere(sitk.GetArrayFromImage(prepared.brain_mask) > 0)[:, ::-1]
    low, high = (
        np.array(image.TransformContinuousIndexToPhysicalPoint([float(n) for n in ends]))
        for ends in (inside.min(axis=0), inside.max(axis=0))
    )
    middle = (low + high) / 2 + np.array(shares) * (high - low)
    half = np.array((30.0, 30.0, 20.0))
    edges = np.stack((middle - half, middle + half), axis=1)
    return roi_from_box(image, [float(edge) for edge in edges.ravel()])


@pytest.mark.parametrize(
    "shares",
    [
        *[(-0.5, 0, 0.1), (0.5, 0, 0.1), (0, -0.5, 0.1), (0, 0.5, 0.1), (0.35, 0.35, 0.1), (0.35, -0.3, 0.2)],
        *[(-0.35, -0.3, 0.2), (0.5, 0.2, -0.15), (-0.5, 0.2, -0.15), (0, 0, 0.4)],
    ],
)
def test_a_box_against_the_skull_of_a_brain_without_hemorrhage_is_empty(prepared, shares):
    assert RobustThreshold().segment(prepared, box_at(prepared, shares)).volume_ml() < 0.05


def test_the_calcified_plexus_is_small_and_not_called_sure(prepared):
    result = RobustThreshold().segment(prepared, box_at(prepared, (-0.25, 0.25, 0)))
    assert result.volume_ml() < 0.3
    assert result.confidence.word != "high"


def test_grey_white_matter_and_midline_are_those_of_a_head(prepared):
    assert 22 < prepared.tissue.white_hu < 31
    assert prepared.tissue.white_hu + 6 < prepared.tissue.grey_hu < 42
    assert prepared.midplane.normal[0] > 0.98
