"""Scans that are only grids, and Markups files."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

DATA = Path(__file__).parents[2] / "Data" / "roi"


def make_grid(size=(64, 60, 24), spacing=(1.0, 1.0, 2.5), origin=(-32.0, -30.0, -20.0), degrees=(0, 0, 0)):
    image = sitk.Image(size, sitk.sitkInt16)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(Rotation.from_euler("xyz", degrees, degrees=True).as_matrix().ravel())
    return image


def voxel_centers(image):
    """LPS points of all voxel centres, shape (z, y, x, 3), one by one through SimpleITK's own transform."""
    x, y, z = image.GetSize()
    axes = [np.array(image.TransformContinuousIndexToPhysicalPoint(np.eye(3)[n].tolist())) for n in range(3)]
    origin = np.array(image.GetOrigin())
    k, j, i = np.mgrid[:z, :y, :x]
    return origin + sum(n[..., None] * (axis - origin) for n, axis in zip((i, j, k), axes, strict=True))


def as_array(roi, image):
    return sitk.GetArrayFromImage(roi.on_grid(image)).astype(bool)


@pytest.fixture
def grid():
    return make_grid()


@pytest.fixture
def slicer_box():
    """A rotated ROI as 3D Slicer 5.12 wrote it."""
    return DATA / "rotated-box.mrk.json"


@pytest.fixture
def slicer_curve():
    """A closed curve as 3D Slicer 5.12 wrote it."""
    return DATA / "closed-curve.mrk.json"


@pytest.fixture
def changed(tmp_path):
    """Writes a copy of a Markups file with keys of its first markup changed; None takes a key away."""

    def write(source, name="changed.mrk.json", **keys):
        content = copy.deepcopy(json.loads(source.read_text()))
        for key, value in keys.items():
            if value is None:
                content["markups"][0].pop(key, None)
            else:
                content["markups"][0][key] = value
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write
