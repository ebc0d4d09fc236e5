"""Scans that lesions are painted into, as files."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.errors import InputError, ParameterError, SegmentationError
from HTSegmentationLib.roi import read_labels
from HTSegmentationLib.simulate.background import Background, prepare_background
from HTSegmentationLib.simulate.case import SimulatedCase
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.on_background import simulate_on
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.simulate.scan_lesion import fitted


@dataclass(frozen=True)
class PlannedCase:
    """A case to be simulated.

    Args:
        parameters: What is simulated.
        background: A CT or template in HU that the lesion is painted into; None to simulate the head, too.
        infarct: A mask of the infarct that the hemorrhage lies in; None: by the seed.
        noise_sd_hu: Noise in HU that the background is brought to; None: its own.
    """

    parameters: SimulationParameters
    background: Path | None = None
    infarct: Path | None = None
    noise_sd_hu: float | None = None


def simulate_planned(case: PlannedCase, *, fit: bool) -> SimulatedCase:
    """Simulates a case, on its background if it has one.

    Args:
        case: The case.
        fit: Give the hemorrhage a volume that its type can have in the given infarct, instead of refusing it.

    Raises:
        InputError: Background or infarct cannot be used.
        ParameterError: The hemorrhage does not go with them.
    """
    if case.background is None:
        return simulate_head(case.parameters)
    background = read_background(case.background, case.infarct)
    parameters = fitted(case.parameters, background) if fit else case.parameters
    return simulate_on(background, parameters, case.noise_sd_hu)


@functools.lru_cache(maxsize=1)
def read_background(ct: Path, infarct: Path | None = None) -> Background:
    """Reads a background; the last one is kept, for the next lesion in it.

    Raises:
        InputError: A file cannot be read, holds no head, or the infarct is empty or lies outside of the brain.
        UsageError: A DICOM folder holds several series.
    """
    scan = read_ct(ct)
    mask = None if infarct is None else read_labels(infarct)[0]
    try:
        return prepare_background(scan, mask, name=ct.name, infarct_name="" if infarct is None else infarct.name)
    except (SegmentationError, ParameterError) as error:
        raise InputError(ct, str(error), "choose another background") from error
