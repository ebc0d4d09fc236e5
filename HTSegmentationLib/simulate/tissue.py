"""From shapes to HU: one thin slice of soft tissue at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.brain import Brain
from HTSegmentationLib.simulate.face import Face
from HTSegmentationLib.simulate.fields import ramp
from HTSegmentationLib.simulate.skull import Skull
from HTSegmentationLib.simulate.vessels import DenseThings

CSF_HU = 8.0
"""Cerebrospinal fluid measures 0-15 HU."""

FAT_HU = -95.0
"""Subcutaneous and orbital fat measures -110 to -70 HU."""

MUSCLE_HU = 52.0
"""Resting muscle measures 45-60 HU."""

SKIN_HU = 30.0
"""Skin, seen with partial volume of air and fat."""

DURA_HU = 52.0
"""Falx and tentorium measure 45-65 HU."""

EDEMA_GREY_HU, EDEMA_WHITE_HU = 25.0, 20.5
"""Infarcted grey and white matter a day or two after the stroke."""

CORTEX_MM = 2.9
"""Thickness of the cerebral cortex, 2-4 mm."""

STAINED_WHITE = 0.12
"""White matter takes up this share of the contrast agent that grey matter does."""

_FOLIUM_MM = 4.6
"""Distance of the cerebellum's larger folia."""


@dataclass(frozen=True)
class Densities:
    """HU of this head's tissue; they differ a little from person to person and with the tube voltage."""

    grey: float
    white: float
    cerebellum: float
    pool: float
    calcium: float
    calcification: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, dense: DenseThings, calcification: float = 0.0) -> Densities:
        """Draws one head's HU: grey 36-40, white 27-31."""
        return cls(
            grey=float(np.clip(rng.normal(37.8, 0.7), 36.3, 39.5)),
            white=float(np.clip(rng.normal(28.8, 0.7), 27.3, 30.5)),
            cerebellum=float(rng.normal(35.5, 0.6)),
            pool=dense.blood_pool_hu,
            calcium=dense.calcium_hu,
            calcification=calcification,
        )


_FIELDS = (
    "cavity", "bone", "skin", "muscle", "globe", "sulci", "sulci_w", "midline", "midline_w", "sylvian", "sylvian_w",
    "insular", "insular_w", "tent", "tent_w", "subarachnoid", "csf", "nuclei", "cerebellum", "brainstem", "offset",
    "infarct", "pool", "falx", "calcium",
)  # fmt: skip

STAINING, CALCIFICATION = "staining", "calcification"
"""Further fields of heads that have them: HU that contrast agent adds to grey matter, signed distance to calcium in mm."""

BloodPart = tuple[slice, slice, np.ndarray, np.ndarray]
"""Row and column slices, fraction and HU of blood in a thin slice."""


@dataclass(frozen=True)
class TissueFields:
    """All fields that soft tissue depends on.

    Args:
        names: What they are.
        stack: The fields, shape (field, z, y, x).
    """

    names: tuple[str, ...]
    stack: np.ndarray


def tissue_fields(
    skull: Skull,
    brain: Brain,
    dense: DenseThings,
    face: Face,
    *,
    hypodense: np.ndarray,
    shading: np.ndarray,
    further: Mapping[str, np.ndarray],
) -> TissueFields:
    """Puts the fields together.

    Args:
        skull: The skull.
        brain: The brain.
        dense: Vessels, dura and calcium.
        face: What lies outside.
        hypodense: How far tissue is infarcted or edematous, 0 to 1.
        shading: HU that beam hardening adds.
        further: Fields that only some heads have, by :data:`STAINING` and :data:`CALCIFICATION`.
    """
    sheets = (brain.sulci, brain.midline, brain.sylvian, brain.insular, brain.tent)
    fields = [skull.cavity, face.bone, skull.skin, face.muscle, face.globe]
    for sheet in sheets:
        fields += [sheet.offset, sheet.half_width]
    fields += [brain.subarachnoid, np.minimum(brain.ventricles, brain.cisterns), brain.nuclei, brain.cerebellum]
    fields += [brain.brainstem, brain.offset_hu + shading, hypodense, dense.blood_pool, dense.falx, dense.calcium]
    return TissueFields((*_FIELDS, *further), packed([*fields, *further.values()]))


def packed(fields: Sequence[np.ndarray]) -> np.ndarray:
    """Fields of one shape in one float32 array (field, z, y, x)."""
    stack = np.empty((len(fields), *fields[0].shape), np.float32)
    for slot, field in zip(stack, fields, strict=True):
        slot[...] = field
    return stack


@dataclass(frozen=True)
class SoftSlice:
    """One thin slice of soft tissue, as if there were no bone and no air.

    Args:
        hu: HU.
        further: What each pixel shows of :data:`STAINING` (HU that were added) and :data:`CALCIFICATION` (share).
    """

    hu: np.ndarray
    further: Mapping[str, np.ndarray]


def soft_tissue(
    fields: Mapping[str, np.ndarray], densities: Densities, pixel_mm: float, blood: Sequence[BloodPart]
) -> SoftSlice:
    """Renders one thin slice.

    Args:
        fields: Each field's values (rows, columns) by name.
        densities: This head's HU.
        pixel_mm: Pixel width, over which edges are spread.
        blood: The blood in this slice.
    """
    f = fields
    px = max(pixel_mm, 0.6)
    brain, further = _brain_hu(f, densities, px, blood)
    inside = ramp(-(f["cavity"] + f["bone"]), 1.0)
    outside = FAT_HU + (MUSCLE_HU - FAT_HU) * ramp(f["muscle"], 1.5)
    outside += (SKIN_HU - outside) * ramp(f["skin"] + 2.0, 1.5)
    eye = ramp(-f["globe"], px)
    outside += (10 + 34 * ramp(f["globe"] + 1.2, 1.0) - outside) * eye
    return SoftSlice(outside + (brain - outside) * inside, further)


def _brain_hu(
    f: Mapping[str, np.ndarray], densities: Densities, px: float, blood: Sequence[BloodPart]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """HU inside the inner table, and what was added to it."""
    margin = f["subarachnoid"] + f["cavity"]
    for name in ("sulci", "midline", "sylvian", "insular", "tent"):
        margin = np.maximum(margin, f[name + "_w"] - np.abs(f[name]))
    fluid = np.maximum(ramp(margin, px), ramp(-f["csf"], px))
    grey = np.maximum(ramp(margin + CORTEX_MM, 1.4), 0.9 * ramp(-f["nuclei"], 1.6))
    grey *= ramp(f["brainstem"], 2.0)
    hu = densities.white + (densities.grey - densities.white) * grey

    depth = -f["cerebellum"]
    folia = np.sin(f["tent"] * np.float32(2 * np.pi / _FOLIUM_MM) + 0.8 * f["offset"])
    small = densities.cerebellum - 3.5 * ramp(depth - 15, 10) - 2.2 * np.clip(folia - 0.2, 0, 1) * ramp(16 - depth, 8)
    hu += (small - hu) * ramp(depth, px)
    hu += f["offset"]
    edema = EDEMA_WHITE_HU + (EDEMA_GREY_HU - EDEMA_WHITE_HU) * grey
    hu += (edema - hu) * f["infarct"]
    further = {}
    if STAINING in f:
        gain = f[STAINING] * (STAINED_WHITE + (1 - STAINED_WHITE) * grey)
        hu += gain
        further[STAINING] = gain * (1 - fluid)
    hu += (CSF_HU - hu) * fluid
    dura = np.maximum(
        ramp(f["falx"] - np.abs(f["midline"]), px), 0.8 * ramp(np.minimum(0.75 - np.abs(f["tent"]), f["tent_w"]), px)
    )
    hu += (DURA_HU - hu) * dura
    hu += (densities.pool - hu) * ramp(-f["pool"], px)
    hu += (densities.calcium - hu) * ramp(-f["calcium"], 1.5)
    if CALCIFICATION in f:
        share = further[CALCIFICATION] = ramp(-f[CALCIFICATION], 1.5)
        hu += (densities.calcification - hu) * share
    for rows, columns, fraction, blood_hu in blood:
        hu[rows, columns] += (blood_hu - hu[rows, columns]) * fraction
    return hu, further
