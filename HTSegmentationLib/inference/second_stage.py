"""The second stage of a cascade: it sees the coarse bleed of the first one enlarged, and its answer replaces it there.

Source: the cascaded 3D U-Net (method D, section 4.1); what the paper leaves open is decided in
:mod:`HTSegmentationLib.networks.cascade`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.inference.models.cascade_description import CascadeDescription
from HTSegmentationLib.inference.models.folder import MODEL_FILE, Model
from HTSegmentationLib.inference.one_pass import PassResult
from HTSegmentationLib.inference.predictor import Predictor
from HTSegmentationLib.networks.cascade import crop_to_patch, patch_to_volume, plan_crop

_HALF = 0.5
"""Above this probability of all classes but the background together, the first stage has found something."""

_Network = TypeVar("_Network")


def stages_of(model: Model, networks: Sequence[_Network]) -> tuple[list[_Network], list[_Network]]:
    """A model's networks, those of the first and those of the second stage; no second stage without a cascade.

    Raises:
        InputError: The second stage begins beyond the last of the weights.
    """
    cascade = model.description.inference.cascade
    if cascade is None:
        return list(networks), []
    if cascade.stage2 >= len(networks):
        problem = f"inference.cascade.stage2 is {cascade.stage2} and weights lists {len(networks)}"
        raise InputError(model.folder / MODEL_FILE, problem, "name the place, from 0, of the second stage's first file")
    return list(networks[: cascade.stage2]), list(networks[cascade.stage2 :])


def refine(coarse: PassResult, cascade: CascadeDescription, predictor: Predictor, patch: Sequence[int]) -> PassResult:
    """Runs the second stage where the first one found something.

    The box of everything that was found is enlarged, cut out of the first stage's input, resized to the patch, segmented,
    and its probabilities resized back; outside the box those of the first stage stay.

    Args:
        coarse: What the first stage gave.
        cascade: How the box is planned.
        predictor: Has the networks of the second stage.
        patch: Sides (z, y, x) of the patch.

    Returns:
        The same with better probabilities, and one window more; the first stage's when it found nothing.
    """
    torch = import_torch()
    found = (coarse.probabilities[1:].sum(axis=0) > _HALF) & coarse.needed
    named = {key: value for key, value in cascade.as_dict().items() if key != "stage2"}
    crop = plan_crop(found, patch=patch, **named)
    if crop is None:
        return coarse
    seen = torch.from_numpy(np.ascontiguousarray(crop_to_patch(coarse.channels, crop)))
    finer = predictor(seen[None])[0].cpu().numpy()
    probabilities = patch_to_volume(finer, crop, coarse.probabilities)
    return dataclasses.replace(coarse, probabilities=probabilities, windows=coarse.windows + 1)
