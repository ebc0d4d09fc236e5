"""Lesions whose true size is known."""

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation


def rotation(degrees):
    return Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()


def made(array, spacing=(1.0, 1.0, 1.0), direction=None, origin=(0.0, 0.0, 0.0), kind=np.uint8):
    image = sitk.GetImageFromArray(np.asarray(array).astype(kind))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(np.asarray(direction).ravel().tolist())
    return image


def ellipsoid(diameters, spacing, turn=0.0, direction=None, off=(0.13, 0.21, 0.0)):
    """An ellipsoid in the middle of a grid, turned by ``turn`` degrees in its slices."""
    size = [int(max(diameters) * 1.3 / step) + 6 for step in spacing]
    z, y, x = np.ogrid[: size[2], : size[1], : size[0]]
    middle = [n // 2 + part for n, part in zip(size, off, strict=True)]
    x, y, z = ((n - m) * step for n, m, step in zip((x, y, z), middle, spacing, strict=True))
    angle = np.radians(turn)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    a, b, c = diameters
    return made((2 * along / a) ** 2 + (2 * across / b) ** 2 + (2 * z / c) ** 2 <= 1, spacing, direction)


def blob(seed, shape=(10, 18, 20), sigma=2, level=0.02):
    """A random smooth shape of one or more parts."""
    random = np.random.default_rng(seed)
    return ndimage.gaussian_filter(random.normal(size=shape), sigma) > level


def shifted(array, by):
    """The same shape elsewhere in a larger grid."""
    larger = np.zeros(np.array(array.shape) + 6, dtype=array.dtype)
    larger[tuple(slice(3 + step, 3 + step + size) for step, size in zip(by, array.shape, strict=True))] = array
    return larger
