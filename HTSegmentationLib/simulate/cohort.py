"""Parameters for a cohort with the published one's types and volumes."""

from __future__ import annotations

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.parameters import HemorrhageType, Side, SimulationParameters

_VOLUMES_ML = {HemorrhageType.HI2: (6.81, 9.59, 0.08, 35.40), HemorrhageType.PH: (17.28, 12.44, 3.89, 53.44)}
"""Mean, standard deviation, smallest and largest hemorrhage of 28 HI2 and 23 PH after thrombectomy, published with the
adaptive thresholding of hemorrhagic transformation."""

_TOUCHING_SHARE = 0.25
"""Share of hemorrhages that reach the inner table."""


def cohort_parameters(count_hi2: int = 28, count_ph: int = 23, seed: int = 0) -> list[SimulationParameters]:
    """Parameters of a cohort: volumes are log-normal within the published range, with the published mean.

    Args:
        count_hi2: Number of HI2 cases, first in the list.
        count_ph: Number of PH cases.
        seed: Seed of the whole cohort.

    Raises:
        ParameterError: A count is negative.

    Example:
        >>> len(cohort_parameters())
        51
    """
    for name, count in (("count_hi2", count_hi2), ("count_ph", count_ph)):
        if count < 0:
            raise ParameterError(f"{name} is {count} cases; it must be 0 cases or more")
    rng = np.random.default_rng(seed)
    kinds = ((HemorrhageType.HI2, count_hi2), (HemorrhageType.PH, count_ph))
    return [_drawn(rng, kind, volume) for kind, count in kinds for volume in _volumes(rng, kind, count)]


def _drawn(rng: np.random.Generator, kind: HemorrhageType, volume_ml: float) -> SimulationParameters:
    """One case of that type and volume; the rest varies as in the published cohort."""
    return SimulationParameters(
        seed=int(rng.integers(2**31)),
        hemorrhage_type=kind,
        volume_ml=round(float(volume_ml), 3),
        side=Side.LEFT if rng.integers(2) else Side.RIGHT,
        slice_thickness_mm=float(rng.choice((4.0, 5.0, 5.0))),
        fov_mm=float(rng.uniform(215, 250)),
        noise_sd_hu=float(rng.uniform(3.0, 5.0)),
        touching_skull=bool(rng.random() < _TOUCHING_SHARE),
    )


def _volumes(rng: np.random.Generator, kind: HemorrhageType, count: int) -> np.ndarray:
    """Log-normal volumes by stratified sampling, so that even a small cohort has the published spread."""
    mean, deviation, low, high = _VOLUMES_ML[kind]
    sigma2 = np.log(1 + (deviation / mean) ** 2)
    quantiles = (rng.permutation(count) + rng.random(count)) / max(count, 1)
    sample = np.sort(np.random.default_rng(7).lognormal(np.log(mean) - sigma2 / 2, np.sqrt(sigma2), 4001))
    sample = sample[(sample >= low) & (sample <= high)]
    return np.interp(quantiles, np.linspace(0, 1, len(sample)), sample)
