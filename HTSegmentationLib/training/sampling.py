"""Where the patches of training are taken from (Abramova et al. 2021, section 2.2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.fields import Fields

BORDER_SHARE = 0.3
"""Share of the background patches that come from around the lesion, "defined empirically" (section 3.3)."""

_VENTRICLE_SHARE = 0.3
"""Share that comes from the ventricles. The paper forces "a fraction" without its size; that of the border is taken."""

_REGIONS = ("brain", "anywhere")


@dataclass(frozen=True)
class Sampling:
    """How the patches of a case are shared out among its places.

    A patch is taken around a voxel. Voxels of the lesion are drawn for ``lesion_share`` of a case's patches, background for
    the others; the other shares are shares of the background. A place that a case does not have (a lesion, its border,
    hyperintense voxels) leaves its share to the background of the region.

    Args:
        lesion_share: Share of all patches around lesion voxels; 0 draws without regard to what the voxel is.
        border_share: Share of the background from the boxes around the lesion's parts.
        centre_share: Share of the background from the box about the brain's centre, where the ventricles lie.
        hyperintense_share: Share of the background from voxels as dense as blood that are no lesion.
        within: ``"brain"``: the rest comes from inside the skull; ``"anywhere"``: from all of the brain's bounding box.
        fresh: Whether each epoch draws anew, or the same patches come again, in another order.

    Example:
        >>> Sampling(border_share=0.3).lesion_share
        0.5
    """

    lesion_share: float = 0.5
    border_share: float = 0.0
    centre_share: float = 0.0
    hyperintense_share: float = 0.0
    within: str = "brain"
    fresh: bool = False

    def __post_init__(self) -> None:
        """Checks the shares."""
        for key in ("lesion_share", "border_share", "centre_share", "hyperintense_share"):
            if not 0 <= getattr(self, key) <= 1:
                raise ParameterError(f"sampling.{key} is {getattr(self, key)}; allowed is a number from 0 to 1")
        total = self.border_share + self.centre_share + self.hyperintense_share
        if total > 1:
            text = "sampling.border_share, centre_share and hyperintense_share"
            raise ParameterError(
                f"{text} are together {total:g}; they are shares of the background, so at most 1 is allowed"
            )
        if self.within not in _REGIONS:
            raise ParameterError(f"sampling.within is {self.within!r}; allowed is {' or '.join(map(repr, _REGIONS))}")

    @classmethod
    def from_json(cls, values: Any, place: str) -> Sampling:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, tuple(cls.__dataclass_fields__))
        shares = {
            key: fields.number(key, low=0, high=1)
            for key in ("lesion_share", "border_share", "centre_share", "hyperintense_share")
        }
        return cls(**shares, within=fields.choice("within", _REGIONS), fresh=fields.flag("fresh"))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


SAMPLINGS: Mapping[str, Sampling] = {
    "none": Sampling(within="anywhere"),
    "brain": Sampling(),
    "border": Sampling(border_share=BORDER_SHARE),
    "centre": Sampling(border_share=BORDER_SHARE, centre_share=_VENTRICLE_SHARE),
    "hyperintense": Sampling(border_share=BORDER_SHARE, hyperintense_share=_VENTRICLE_SHARE),
}
"""The restrictions of the paper's Table 3, in its order; each has what the one before it has, ``hyperintense`` excepted,
which stands in place of ``centre``."""
