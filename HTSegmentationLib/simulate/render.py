"""Fine slices, averaged to thick ones: soft tissue on a coarser raster, bone and air at the scan's own pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.blood import Blood
from HTSegmentationLib.simulate.fields import ramp
from HTSegmentationLib.simulate.grid import HeadGrid, PlaneSampler
from HTSegmentationLib.simulate.sampling import Sampling
from HTSegmentationLib.simulate.scanner import AIR_HU
from HTSegmentationLib.simulate.tissue import BloodPart, Densities, TissueFields, soft_tissue

_CORTICAL_HU, _DIPLOE_HU = 1380.0, 620.0
"""Compact and spongy bone of the skull."""

_TABLE_MM = 1.7
"""Thickness of the skull's tables of compact bone."""

_EDGE_MM = 0.9
"""Width over which bone and skin edges are spread, about the fine slices' distance."""

_SINUS_AIR_HU = -960.0
"""Air in sinuses and cells, with a little mucosa."""


@dataclass(frozen=True)
class ThickSlice:
    """The average of the fine slices of one slice, each of shape (rows, columns).

    Args:
        hu: Noiseless HU.
        brain: Share of each pixel inside the inner table.
        head: Share of each pixel inside the skin.
        marks: What else each pixel holds, by name: the shares that the renderer was given, and what was rendered of
            staining and calcification.
    """

    hu: np.ndarray
    brain: np.ndarray
    head: np.ndarray
    marks: Mapping[str, np.ndarray]


class Renderer:
    """Turns fields on the modelling grid into thick slices.

    Args:
        grid: The modelling grid.
        sampling: The scan's voxels.
        soft: Fields of soft tissue.
        hard: Cavity, outer bone, air, bone texture in HU and skin, shape (5, z, y, x).
        marks: Shares of tissue that the truth needs, by name.
        densities: This head's HU.
        blood: All blood outside of vessels.
    """

    def __init__(
        self,
        grid: HeadGrid,
        sampling: Sampling,
        *,
        soft: TissueFields,
        hard: np.ndarray,
        marks: Mapping[str, np.ndarray],
        densities: Densities,
        blood: Sequence[Blood],
    ) -> None:
        self._grid, self._sampling, self._densities, self._blood = grid, sampling, densities, blood
        self._soft, self._hard, self._marks = soft, hard, {name: field[None] for name, field in marks.items()}
        self._work_y = sampling.y.reshape(-1, sampling.factor).mean(1)
        self._work_x = sampling.x.reshape(-1, sampling.factor).mean(1)
        self._to_work = PlaneSampler((grid.axis_y, grid.axis_x), self._work_y, self._work_x)
        self._to_pixels = PlaneSampler((grid.axis_y, grid.axis_x), sampling.y, sampling.x)
        self._to_finer = PlaneSampler((self._work_y, self._work_x), sampling.y, sampling.x)

    def thick_slice(self, index: int) -> ThickSlice:
        """The slice of that index, counted from below, averaged from its fine slices."""
        first = index * self._sampling.per_slice
        heights = self._sampling.fine[first : first + self._sampling.per_slice]
        size = (len(self._sampling.y), len(self._sampling.x))
        work = (len(self._work_y), len(self._work_x))
        hard_hu, hard_share, brain, head = (np.zeros(size, np.float32) for _ in range(4))
        soft_hu, soft_share = (np.zeros(work, np.float32) for _ in range(2))
        marks: dict[str, np.ndarray] = {}
        for number, z in enumerate(heights):
            bone, air, bone_hu, inside, skin = self._hard_parts(float(z))
            share = bone + air
            hard_share += share
            hard_hu += bone * bone_hu + _SINUS_AIR_HU * air
            brain += inside
            head += skin
            weight = 1 - self._down(share)
            fields = self._to_work(self._grid.slab(self._soft.stack, float(z)))
            pixel = self._sampling.pixel_mm * self._sampling.factor
            named = dict(zip(self._soft.names, fields, strict=True))
            tissue = soft_tissue(named, self._densities, pixel, self._blood_parts(first + number))
            soft_hu += weight * tissue.hu
            soft_share += weight
            shares = {name: np.clip(self._to_work(self._grid.slab(f, float(z)))[0], 0, 1) for name, f in self._marks.items()}
            for name, seen in {**shares, **tissue.further}.items():
                marks[name] = marks.get(name, 0) + seen
        count = len(heights)
        soft = self._up(soft_hu / np.maximum(soft_share, 1e-3))
        tissue = (1 - hard_share / count) * soft + hard_hu / count
        head /= count
        return ThickSlice(
            hu=AIR_HU + (tissue - AIR_HU) * head,
            brain=brain / count,
            head=head,
            marks={name: self._up(total / count) for name, total in marks.items()},
        )

    def _hard_parts(self, z: float) -> tuple[np.ndarray, ...]:
        """Share of bone, share of air, HU of bone, share of brain case, share of head, at the scan's pixels."""
        cavity, outer, air, texture, skin = self._to_pixels(self._grid.slab(self._hard, z))
        # Wider than a pixel, or the fine slices show as rings where bone slopes.
        px = max(self._sampling.pixel_mm, _EDGE_MM)
        inside = ramp(-cavity, px)
        bone = ramp(-outer, px) * (1 - inside)
        air_share = ramp(-air, px) * (1 - inside)
        bone *= 1 - air_share
        bone_hu = ramp(_TABLE_MM - np.minimum(cavity, -outer), 1.2) * (_CORTICAL_HU - _DIPLOE_HU)
        bone_hu += texture
        bone_hu += _DIPLOE_HU
        return bone, air_share, bone_hu, inside, ramp(-skin, px)

    def _blood_parts(self, index: int) -> list[BloodPart]:
        """The blood in one fine slice on the soft tissue's sampling."""
        parts = []
        for blood in self._blood:
            if blood.start[0] <= index < blood.start[0] + len(blood.fraction):
                share, hu = (self._down(field[index - blood.start[0]]) for field in (blood.fraction, blood.hu))
                row, column = (s // self._sampling.factor for s in blood.start[1:])
                parts.append((slice(row, row + share.shape[0]), slice(column, column + share.shape[1]), share, hu))
        return parts

    def _down(self, pixels: np.ndarray) -> np.ndarray:
        n = self._sampling.factor
        if n == 1:
            return pixels
        return sum(pixels[i::n, j::n] for i in range(n) for j in range(n)) * np.float32(1 / n**2)

    def _up(self, work: np.ndarray) -> np.ndarray:
        return work if self._sampling.factor == 1 else self._to_finer(work[None])[0]
