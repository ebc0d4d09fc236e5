"""Parameters for a cohort: the published one's types and volumes, or any other mixture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.confounders import Confounders, confounded
from HTSegmentationLib.simulate.parameters import HemorrhageType, Side, SimulationParameters

_VOLUMES_ML = {
    HemorrhageType.HI2: (6.81, 9.59, 0.08, 35.40),
    HemorrhageType.PH: (17.28, 12.44, 3.89, 53.44),
    HemorrhageType.HI1: (1.2, 1.0, 0.1, 5.0),
    HemorrhageType.PH1: (9.0, 6.0, 1.5, 30.0),
    HemorrhageType.PH2: (25.5, 14.0, 8.0, 65.0),
}
"""Mean, standard deviation, smallest and largest hemorrhage in mL. HI2 and PH: 28 and 23 cases after thrombectomy, published
with the adaptive thresholding of hemorrhagic transformation. The paper does not tell PH1 from PH2 and has no HI1: those are
ours, PH1 and PH2 such that equal numbers of both have the mean of PH."""

_TOUCHING_SHARE = 0.25
"""Share of hemorrhages that reach the inner table."""

_CONFOUNDED = 1
"""Added to the cohort's seed for what confounds, so that the same heads come with and without it."""


def cohort_parameters(
    count_hi2: int = 28,
    count_ph: int = 23,
    seed: int = 0,
    *,
    count_hi1: int = 0,
    count_ph1: int = 0,
    count_ph2: int = 0,
    count_controls: int = 0,
    confounders: Confounders | None = None,
    slice_thickness_mm: float | None = None,
) -> list[SimulationParameters]:
    """Parameters of a cohort: volumes are log-normal within the published range, with the published mean.

    The same seed gives the same heads and hemorrhages, whatever confounds them.

    Args:
        count_hi2: Number of HI2 cases, first in the list.
        count_ph: Number of PH cases; the others follow in the order of the arguments.
        seed: Seed of the whole cohort.
        count_hi1: Number of HI1 cases.
        count_ph1: Number of PH1 cases.
        count_ph2: Number of PH2 cases.
        count_controls: Number of cases without a hemorrhage.
        confounders: What makes the cases hard; None: nothing, and slices, noise and ROI as in the published cohort.
        slice_thickness_mm: Slice thickness of all cases in mm; None: it varies.

    Raises:
        ParameterError: A count is negative, or the slice thickness is out of its range.

    Example:
        >>> len(cohort_parameters())
        51
        >>> from HTSegmentationLib.simulate import CONFOUNDERS
        >>> hard = cohort_parameters(2, 0, count_ph1=1, count_controls=1, confounders=CONFOUNDERS["hard"])
        >>> [case.hemorrhage_type.value for case in hard]
        ['HI2', 'HI2', 'PH1', 'none']
    """
    counts = {
        "count_hi2": (HemorrhageType.HI2, count_hi2),
        "count_ph": (HemorrhageType.PH, count_ph),
        "count_hi1": (HemorrhageType.HI1, count_hi1),
        "count_ph1": (HemorrhageType.PH1, count_ph1),
        "count_ph2": (HemorrhageType.PH2, count_ph2),
        "count_controls": (HemorrhageType.NONE, count_controls),
    }
    for name, (_, count) in counts.items():
        if count < 0:
            raise ParameterError(f"{name} is {count} cases; it must be 0 cases or more")
    rng = np.random.default_rng(seed)
    cases = [_drawn(rng, kind, volume) for kind, count in counts.values() for volume in _volumes(rng, kind, count)]
    if confounders is not None:
        rng = np.random.default_rng((seed, _CONFOUNDED))
        cases = [confounded(rng, case, confounders) for case in cases]
    if slice_thickness_mm is not None:
        cases = [replace(case, slice_thickness_mm=slice_thickness_mm, slices=None) for case in cases]
    return cases


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
        touching_skull=bool(rng.random() < _TOUCHING_SHARE) and kind is not HemorrhageType.NONE,
    )


def _volumes(rng: np.random.Generator, kind: HemorrhageType, count: int) -> np.ndarray:
    """Log-normal volumes by stratified sampling, so that even a small cohort has the published spread."""
    if kind is HemorrhageType.NONE:
        return np.zeros(count)
    mean, deviation, low, high = _VOLUMES_ML[kind]
    sigma2 = np.log(1 + (deviation / mean) ** 2)
    quantiles = (rng.permutation(count) + rng.random(count)) / max(count, 1)
    sample = np.sort(np.random.default_rng(7).lognormal(np.log(mean) - sigma2 / 2, np.sqrt(sigma2), 4001))
    sample = sample[(sample >= low) & (sample <= high)]
    return np.interp(quantiles, np.linspace(0, 1, len(sample)), sample)
