"""A small scan with a bleed that is found by its place."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation


def on_grid(array, degrees=(14, -6, 9)):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.8, 1.1, 5.0))
    image.SetOrigin((-20.5, -33.0, 12.0))
    image.SetDirection(Rotation.from_euler("xyz", degrees, degrees=True).as_matrix().ravel().tolist())
    return image


@pytest.fixture
def mask():
    array = np.zeros((9, 44, 52), dtype=np.uint8)
    array[3:7, 12:25, 30:41] = 1
    image = on_grid(array)
    image.SetMetaData("0010|0010", "A^Patient")
    return image


@pytest.fixture
def scan(mask):
    values = np.full((9, 44, 52), -1000, dtype=np.int16)
    values[:, 4:40, 5:47] = 30
    values[sitk.GetArrayFromImage(mask) > 0] = 65
    return on_grid(values)
