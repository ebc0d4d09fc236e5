"""What the tests of the simulation share."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.simulate import SimulationParameters


def small(**changes) -> SimulationParameters:
    """Parameters of a scan that is simulated in about a second."""
    return SimulationParameters(**({"seed": 3, "matrix": 128} | changes))


def array(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)
