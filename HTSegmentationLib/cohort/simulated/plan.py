"""Which case of a cohort lies in which background and which infarct."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from HTSegmentationLib.cohort.simulated.backgrounds import PlannedCase
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.simulate.parameters import SimulationParameters

_SHUFFLED = 3
"""Added to the cohort's seed for the order of files, so that each type meets all of them."""


def planned_cases(
    parameters: Sequence[SimulationParameters],
    backgrounds: Sequence[Path] = (),
    infarcts: Sequence[Path] = (),
    *,
    noise_sd_hu: float | None = None,
    seed: int = 0,
) -> list[PlannedCase]:
    """Deals backgrounds and infarcts to cases, each as often as any other.

    Args:
        parameters: One of each case.
        backgrounds: CTs or templates; empty to simulate the heads, too.
        infarcts: Masks in the space of all backgrounds; empty: infarcts by the seed. Controls get none.
        noise_sd_hu: Noise in HU that backgrounds are brought to; None: their own.
        seed: The cohort's seed.

    Raises:
        UsageError: There are infarcts but no background.

    Example:
        >>> cases = cohort_parameters(1, 1)                                       # doctest: +SKIP
        >>> planned_cases(cases, [Path("head.nii.gz")])[0].background.name        # doctest: +SKIP
        'head.nii.gz'
    """
    if not backgrounds:
        if infarcts:
            raise UsageError("infarct masks go with a background; name the CT or template that they lie in")
        return [PlannedCase(case) for case in parameters]
    rng = np.random.default_rng((seed, _SHUFFLED))
    heads = _dealt(rng, backgrounds, len(parameters))
    masks = _dealt(rng, infarcts, len(parameters)) if infarcts else [None] * len(parameters)
    return [
        PlannedCase(case, head, mask if case.has_infarct else None, noise_sd_hu)
        for case, head, mask in zip(parameters, heads, masks, strict=True)
    ]


def _dealt(rng: np.random.Generator, files: Sequence[Path], count: int) -> list[Path]:
    rounds = [rng.permutation(len(files)) for _ in range(-(-count // len(files)))]
    return [files[number] for number in np.concatenate([*rounds, np.zeros(0, int)])[:count]]
