"""Heads for the tests of growth: simulated anew in another pose, or one scan seen in another pose."""

import functools

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import corner_points
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.simulate import SimulationParameters, simulate_head


@functools.cache
def head(seed, tilt_deg, volume_ml, slice_thickness_mm=5.0, fov_mm=230.0, noise_sd_hu=4.0):
    """A small simulated case; each is made once for all tests."""
    return simulate_head(
        SimulationParameters(
            seed=seed,
            matrix=128,
            tilt_deg=tilt_deg,
            volume_ml=volume_ml,
            slice_thickness_mm=slice_thickness_mm,
            fov_mm=fov_mm,
            noise_sd_hu=noise_sd_hu,
        )
    )


def upright():
    return head(3, (0, 0, 0), 12)


def scanned_anew():
    """The same head in another pose, with other slices and twice the bleed."""
    return head(3, (12, -8, 10), 24, slice_thickness_mm=3.0, fov_mm=250.0, noise_sd_hu=6.0)


def another_patient():
    return head(11, (0, 0, 0), 12)


def posed(image, turn_deg, shift_mm, spacing, share=1.0):
    """(scan, transform): the lowest share of the image as if the head lay turned and shifted, and where points go."""
    transform = sitk.Euler3DTransform()
    transform.SetCenter(corner_points(image).mean(axis=0).tolist())
    transform.SetRotation(*np.deg2rad(turn_deg).tolist())
    transform.SetTranslation([float(length) for length in shift_mm])
    extent = np.array(image.GetSize()) * image.GetSpacing()
    size = np.round(extent * (1, 1, share) / spacing).astype(int)
    grid = sitk.Image(size.tolist(), sitk.sitkInt16)
    grid.SetSpacing(spacing)
    grid.SetOrigin((np.array(image.GetOrigin()) + shift_mm).tolist())
    grid.SetDirection(image.GetDirection())
    seen = sitk.Resample(image, grid, transform.GetInverse(), sitk.sitkLinear, -1000.0, sitk.sitkInt16)
    return CTScan(seen), transform


def farthest_mm(found, truth, image):
    """The largest distance, at the corners of a head-sized box, of where two transforms bring a point."""
    middle = corner_points(image).mean(axis=0)
    corners = middle + np.array([[x, y, z] for x in (-70, 70) for y in (-90, 90) for z in (-65, 65)])
    return max(np.linalg.norm(np.subtract(found.TransformPoint(p), truth.TransformPoint(p))) for p in corners.tolist())


def angle_deg(rotation):
    return np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
