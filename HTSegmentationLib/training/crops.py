"""What the second stage of a cascade is trained on: the bleed, enlarged, cropped and resized (Xu et al., section 4.1)."""

from __future__ import annotations

import numpy as np

from HTSegmentationLib.inference.models.cascade_description import CascadeDescription
from HTSegmentationLib.networks.cascade import Crop, crop_to_patch, plan_crop, resized
from HTSegmentationLib.training.cached_case import CachedCase

_ENLARGEMENTS = (0.0, 0.5)
"""Share of the bleed's length added at each end, from and to: about that of inference, a quarter, since the first stage's
answer is sometimes smaller and sometimes larger than the bleed."""


def bleed_crop(
    case: CachedCase,
    window: tuple[int, int, int],
    cascade: CascadeDescription | None,
    random: np.random.Generator | None,
) -> Crop:
    """The box of a case's bleed, enlarged.

    The boxes are those of the references. The first stage's own answers on cases that it was trained on would be better
    than those it gives to new scans.

    Args:
        case: A case with a lesion.
        window: What the second stage is given, (z, y, x).
        cascade: How boxes are planned at inference.
        random: Decides by how much the box is enlarged; None enlarges it as at inference.
    """
    how = {} if cascade is None else {key: value for key, value in cascade.as_dict().items() if key != "stage2"}
    if random is not None:
        how["enlargement"] = float(random.uniform(*_ENLARGEMENTS))
    return plan_crop(case.target, patch=window, **how)


def cut(case: CachedCase, crop: Crop, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """What a network reads of a box, and the classes there.

    Args:
        case: The case.
        crop: Its box, and the patch into which it is resized.
        classes: How many classes there are, the background among them.

    Returns:
        float32 (channels, z, y, x) and uint8 (z, y, x) of the patch; each voxel has the class that has the most of it.
    """
    target = case.target[crop.box]
    shares = [resized(target == value, crop.patch) for value in range(classes)]
    return crop_to_patch(case.channels, crop), np.argmax(shares, axis=0).astype(np.uint8)
