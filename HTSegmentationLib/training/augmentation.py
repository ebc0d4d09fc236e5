"""How patches are varied before a network sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from HTSegmentationLib.errors import MissingPackageError, ParameterError
from HTSegmentationLib.inference.models.fields import Fields

VIEWS = 6
"""A patch as it is, flipped along x and y, turned by 90, 180 and 270 degrees (Abramova et al. 2021, section 2.2.1)."""

_PROBABILITIES = ("flip", "rotation", "noise", "smoothing", "contrast")

_LARGEST_ANGLE_DEG = 180.0

_SIGMA_VOXELS = (0.5, 1.0)
"""Smallest and largest sigma of the blur, in the plane alone; the paper names none (these are nnU-Net's)."""

_GAMMA = (0.7, 1.5)
"""Smallest and largest exponent of the contrast (nnU-Net's)."""

_X, _Y = 2, 1
"""The axes of a volume (z, y, x)."""

Pair = tuple[np.ndarray, np.ndarray]
"""A patch, numbers (channels, z, y, x), and its classes, uint8 (z, y, x)."""


@dataclass(frozen=True)
class Augmentation:
    """How patches are varied; without arguments, not at all.

    Args:
        six_views: Whether every patch comes six times in an epoch: as it is, flipped along x, along y, and turned in the
            plane by 90, 180 and 270 degrees. An epoch has six times the patches then.
        flip: Probability of a flip, along x and along y each.
        rotation: Probability of a turn in the plane.
        rotation_deg: The turn is at most so many degrees to either side.
        noise: Probability of added Gaussian noise.
        noise_sd: Its SD is at most this, in units after normalisation.
        smoothing: Probability of a Gaussian blur, sigma 0.5 to 1 voxels.
        contrast: Probability of another contrast: the values' range to the power of 0.7 to 1.5.

    Example:
        >>> Augmentation(six_views=True).views
        6
    """

    six_views: bool = False
    flip: float = 0.0
    rotation: float = 0.0
    rotation_deg: float = 30.0
    noise: float = 0.0
    noise_sd: float = 0.1
    smoothing: float = 0.0
    contrast: float = 0.0

    def __post_init__(self) -> None:
        """Checks the probabilities."""
        for key in _PROBABILITIES:
            if not 0 <= getattr(self, key) <= 1:
                raise ParameterError(f"augmentation.{key} is {getattr(self, key)}; allowed is a probability from 0 to 1")
        if not 0 <= self.rotation_deg <= _LARGEST_ANGLE_DEG:
            raise ParameterError(f"augmentation.rotation_deg is {self.rotation_deg}; allowed are 0 to 180 degrees")
        if not self.noise_sd >= 0:
            raise ParameterError(f"augmentation.noise_sd is {self.noise_sd}; allowed is 0 or more")

    @property
    def views(self) -> int:
        """How often each patch comes in an epoch."""
        return VIEWS if self.six_views else 1

    @property
    def is_random(self) -> bool:
        """Whether anything is left to chance."""
        return any(getattr(self, key) > 0 for key in _PROBABILITIES)

    @classmethod
    def from_json(cls, values: Any, place: str) -> Augmentation:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, tuple(cls.__dataclass_fields__))
        numbers = {key: fields.number(key, low=0, high=1) for key in _PROBABILITIES}
        numbers["rotation_deg"] = fields.number("rotation_deg", low=0, high=_LARGEST_ANGLE_DEG)
        numbers["noise_sd"] = fields.number("noise_sd", low=0, high=1000)
        return cls(six_views=fields.flag("six_views"), **numbers)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def seen_as(view: int, pair: Pair) -> Pair:
    """One of the six views of a patch.

    Args:
        view: 0 to 5: as it is, flipped along x, along y, turned by 90, 180, 270 degrees.
        pair: The patch and its classes.

    Example:
        >>> x, target = np.arange(4.0).reshape(1, 1, 2, 2), np.zeros((1, 2, 2), np.uint8)
        >>> seen_as(1, (x, target))[0].ravel().tolist()
        [1.0, 0.0, 3.0, 2.0]
    """
    if view == 0:
        return pair
    x, target = pair
    if view in (1, 2):
        axis = (_X, _Y)[view - 1]
        return np.flip(x, axis + 1), np.flip(target, axis)
    return np.rot90(x, view - 2, (_Y + 1, _X + 1)), np.rot90(target, view - 2, (_Y, _X))


def varying(augmentation: Augmentation) -> Callable[[Pair, np.random.Generator], Pair]:
    """What varies patches at random, with MONAI's transforms; flips, turn, noise, blur and contrast in this order.

    The blur is SciPy's: MONAI's takes zeros beyond the patch and darkens its border.

    Args:
        augmentation: How.

    Returns:
        A function of a patch in float32 and of the generator that decides; the same generator gives the same patch.

    Raises:
        MissingPackageError: MONAI is not installed.

    Example:
        >>> varying(Augmentation(flip=0.5))(pair, np.random.default_rng(0))   # doctest: +SKIP
    """
    if not augmentation.is_random:
        return lambda pair, _: pair
    try:
        from monai.transforms import Compose, RandAdjustContrastd, RandFlipd, RandGaussianNoised, RandRotated
    except ModuleNotFoundError as error:
        raise MissingPackageError("monai", "to vary patches", "dl") from error
    angle = float(np.deg2rad(augmentation.rotation_deg))
    both = ("x", "target")
    turn = {"range_x": angle, "mode": ("bilinear", "nearest"), "padding_mode": "border"}
    placed = Compose(
        [
            RandFlipd(both, prob=augmentation.flip, spatial_axis=1),
            RandFlipd(both, prob=augmentation.flip, spatial_axis=0),
            RandRotated(both, prob=augmentation.rotation, **turn),
            RandGaussianNoised("x", prob=augmentation.noise, std=augmentation.noise_sd),
        ]
    )
    contrast = RandAdjustContrastd("x", prob=augmentation.contrast, gamma=_GAMMA)

    def varied(pair: Pair, random: np.random.Generator) -> Pair:
        seed = int(random.integers(2**31))
        placed.set_random_state(seed=seed)
        contrast.set_random_state(seed=seed)
        # Channels and slices lie in one plane, as channels of an image: nothing is interpolated between slices.
        planes = np.ascontiguousarray(pair[0]).reshape(-1, *pair[0].shape[2:])
        found = placed({"x": planes, "target": pair[1].astype(np.float32)})
        if random.random() < augmentation.smoothing:
            sigma = random.uniform(*_SIGMA_VOXELS)
            found["x"] = ndimage.gaussian_filter(np.asarray(found["x"]), (0, sigma, sigma), mode="nearest")
        x = np.asarray(contrast(found)["x"], dtype=np.float32).reshape(pair[0].shape)
        return x, np.asarray(found["target"]).astype(np.uint8)

    return varied
