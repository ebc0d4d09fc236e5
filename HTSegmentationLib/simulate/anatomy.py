"""What a lesion must know of the head that it lies in, simulated or scanned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.brain import Brain
from HTSegmentationLib.simulate.skull import Skull


@dataclass(frozen=True)
class Anatomy:
    """Fields on the modelling grid, signed distances in mm, negative inside.

    Args:
        cavity: Inside of the inner table and above the skull base.
        radius: 0 at the cavity's middle, 1 at the inner table of the vault.
        ventricles: The ventricles.
        cisterns: The basal cisterns.
        cerebellum: The cerebellum.
        brainstem: The brainstem.
        cortex: Distance from the nearest sulcus, negative in its CSF.
        fluid_mm: Mean width of the CSF under the inner table.
        center: The middle that ``radius`` is measured from, head coordinates (x, y, z) of the average head.
        scale: This head's size (x, y, z) over the average head's.
    """

    cavity: np.ndarray
    radius: np.ndarray
    ventricles: np.ndarray
    cisterns: np.ndarray
    cerebellum: np.ndarray
    brainstem: np.ndarray
    cortex: np.ndarray
    fluid_mm: float
    center: tuple[float, float, float]
    scale: tuple[float, float, float]


def anatomy_of(skull: Skull, brain: Brain) -> Anatomy:
    """The anatomy of a simulated head."""
    return Anatomy(
        cavity=skull.cavity,
        radius=skull.radius,
        ventricles=brain.ventricles,
        cisterns=brain.cisterns,
        cerebellum=brain.cerebellum,
        brainstem=brain.brainstem,
        cortex=np.abs(brain.sulci.offset) - brain.sulci.half_width,
        fluid_mm=float(brain.subarachnoid.mean()),
        center=skull.center,
        scale=skull.scale,
    )
