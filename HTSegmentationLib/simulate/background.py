"""A scan that a lesion is painted into, with what must be known of it: brain, noise, anatomy, and a given infarct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import array_to_image, same_grid, voxels_to_ml
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.grid import HeadGrid, Pose
from HTSegmentationLib.simulate.scan_anatomy import scan_anatomy
from HTSegmentationLib.simulate.scan_frame import ScanFrame, scan_frame
from HTSegmentationLib.threshold.skull_strip import strip_skull

_SMOOTHING_MM = 2.0
"""In-plane sigma over which a scan's noise is averaged out and grey matter still told from white."""

_BRAIN_HU = (18.0, 46.0)
"""Smoothed HU of brain, old infarcts included; what lies outside is fluid, vessel, calcium or bone."""

_NOISE_DEPTH_MM = 12.0
"""Noise is measured this deep under the skull, where bone blurs into nothing."""

_MAD = 1.4826
"""Median absolute deviation of a normal distribution of standard deviation 1 is 1 / 1.4826."""

_SMOOTH_NOISE_HU = 1.5
"""Averaged templates have less noise than this; no single head scan has."""

_LEAST_INSIDE = 0.8
"""A mask of which less than this share lies in the brain belongs to another head or another space."""


@dataclass(frozen=True)
class Background:
    """A scan to paint into; arrays are (z, y, x), rising to superior, posterior and left.

    Args:
        name: The file's name, without its folder.
        image: The scan as it was given.
        axial: Its axes turned so that they rise to left, posterior and superior.
        hu: HU, float32.
        smooth: HU without noise; right inside the brain alone.
        brain: Voxels inside the skull, without the rim of bone's blur.
        noise_hu: Standard deviation of the noise in HU.
        frame: Where the voxels lie in the simulation's head coordinates.
        grid: The modelling grid.
        anatomy: The head's anatomy.
        infarct: A given infarct's voxels; None if none was given.
        infarct_share: The same as a share on the modelling grid.
        infarct_ml: Its volume in mL.
        remarks: What was assumed.
    """

    name: str
    image: sitk.Image
    axial: sitk.Image
    hu: np.ndarray
    smooth: np.ndarray
    brain: np.ndarray
    noise_hu: float
    frame: ScanFrame
    grid: HeadGrid
    anatomy: Anatomy
    infarct: np.ndarray | None
    infarct_share: np.ndarray | None
    infarct_ml: float
    remarks: tuple[Remark, ...]


def prepare_background(
    scan: CTScan, infarct: sitk.Image | None = None, *, name: str = "background", infarct_name: str = "infarct mask"
) -> Background:
    """Looks at a scan once, for any number of lesions.

    Args:
        scan: Head CT in HU, or a template in HU.
        infarct: A mask, all above 0 counts; on the scan's grid, or on another one in the same space.
        name: What the scan is called in outputs: no patient's name.
        infarct_name: What the mask is called in messages.

    Raises:
        SegmentationError: No brain is found in the scan.
        ParameterError: Its brain has not the size of a head.
        InputError: The mask is empty, or lies outside of the brain.

    Example:
        >>> background = prepare_background(read_ct("head.nii.gz"))   # doctest: +SKIP
        >>> background.noise_hu                                       # doctest: +SKIP
        3.9
    """
    if infarct is not None and not np.any(sitk.GetArrayViewFromImage(infarct)):
        raise InputError(infarct_name, "it is empty", "give the mask of an infarct")
    # The mask of a file lies in the image's axes; all work is done in axes that rise to left, posterior and superior.
    axial = sitk.DICOMOrient(sitk.Cast(scan.image, sitk.sitkFloat32), "LPS")
    brain = sitk.GetArrayFromImage(strip_skull(axial).tissue) > 0
    hu = sitk.GetArrayFromImage(axial)
    frame = scan_frame(brain, axial.GetSpacing())
    grid = HeadGrid(Pose((0.0, 0.0, 0.0), (0.0, 0.0)))
    smooth = _smoothed(hu, brain, axial.GetSpacing())
    remarks = [*_remarks(frame, name)]
    noise = _noise_sd(hu, smooth, brain, axial.GetSpacing())
    if noise < _SMOOTH_NOISE_HU:
        text = (
            f"{name} has hardly any noise (SD {noise:.1f} HU), as templates have; ask for some to make it look like a scan."
        )
        remarks.append(Remark("smooth-background", text, Severity.CAUTION))
    voxels = share = None
    volume = 0.0
    if infarct is not None:
        voxels, resampled = _infarct_voxels(infarct, scan.image, axial, brain, infarct_name)
        remarks += resampled
        share = ndimage.gaussian_filter(frame.onto(voxels, grid), 0.7)
        volume = voxels_to_ml(int(np.count_nonzero(voxels)), axial)
    anatomy = scan_anatomy(smooth, brain, frame, grid)
    return Background(
        name, scan.image, axial, hu, smooth, brain, noise, frame, grid, anatomy, voxels, share, volume, tuple(remarks)
    )


def as_given(background: Background, array: np.ndarray) -> sitk.Image:
    """An array (z, y, x) of the background as an image on the grid of the scan as it was given."""
    code = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(background.image.GetDirection())
    image = sitk.DICOMOrient(array_to_image(array, background.axial), code)
    # Turning there and back changes the last digits of the geometry.
    image.CopyInformation(background.image)
    return image


def _smoothed(hu: np.ndarray, brain: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """HU averaged in-plane over the brain alone."""
    sigma = (0, _SMOOTHING_MM / spacing[1], _SMOOTHING_MM / spacing[0])
    weight = ndimage.gaussian_filter(brain.astype(np.float32), sigma, truncate=3.0)
    total = ndimage.gaussian_filter(np.where(brain, hu, np.float32(0)), sigma, truncate=3.0)
    return total / np.maximum(weight, 1e-3)


def _noise_sd(hu: np.ndarray, smooth: np.ndarray, brain: np.ndarray, spacing: tuple[float, ...]) -> float:
    """What smoothing took away from deep brain tissue; folds of the cortex are too few to change a median."""
    reach = [max(1, round(_NOISE_DEPTH_MM / step)) for step in spacing[1::-1]]
    deep = np.stack([ndimage.minimum_filter(section, reach) for section in brain])
    low, high = _BRAIN_HU
    rest = (hu - smooth)[deep & (smooth > low) & (smooth < high)]
    return float(_MAD * np.median(np.abs(rest - np.median(rest)))) if rest.size else 0.0


def _remarks(frame: ScanFrame, name: str) -> list[Remark]:
    if frame.reaches_vertex:
        return []
    text = f"The slices of {name} end below the vertex: how high the brain's parts lie was guessed by the largest slice."
    return [Remark("vertex-missing", text, Severity.CAUTION)]


def _infarct_voxels(
    infarct: sitk.Image, given: sitk.Image, axial: sitk.Image, brain: np.ndarray, name: str
) -> tuple[np.ndarray, list[Remark]]:
    """The infarct on the turned grid, and a remark if it had to be resampled."""
    mask = sitk.Cast(infarct > 0, sitk.sitkFloat32)
    count = int(np.count_nonzero(sitk.GetArrayViewFromImage(mask)))
    remarks = []
    if same_grid(infarct, given):
        mask.CopyInformation(given)
        voxels = sitk.GetArrayFromImage(sitk.DICOMOrient(mask, "LPS")) > 0
    else:
        resampled = sitk.Resample(mask, axial, sitk.Transform(), sitk.sitkLinear, 0.0)
        voxels = sitk.GetArrayFromImage(resampled) >= 0.5  # noqa: PLR2004 - half of the voxel
        text = f"{name} has another grid than the scan; it was resampled to it, as lying in the same space."
        remarks.append(Remark("infarct-resampled", text, Severity.CAUTION))
    inside = voxels_to_ml(int(np.count_nonzero(voxels & brain)), axial) / voxels_to_ml(count, infarct)
    if inside < _LEAST_INSIDE:
        raise InputError(
            name, f"{100 * (1 - inside):.0f}% of it lies outside of the scan's brain", "give an infarct in this scan's space"
        )
    return voxels & brain, remarks
