"""A cohort of small heads whose every voxel is known, as a site would have it on its disk."""

import csv
from pathlib import Path

import numpy as np
import SimpleITK as sitk

SIZE = (56, 64, 14)
SPACING = (3.2, 3.0, 8.0)

CASES = {
    "hi2-01": ((25.0, 10.0, 5.0), 14.0),
    "hi2-02": ((-25.0, 0.0, 0.0), 12.0),
    "hi2-03": ((20.0, -25.0, 10.0), 13.0),
    "ph-01": ((30.0, 5.0, 0.0), 20.0),
    "ph-02": ((-28.0, 10.0, 8.0), 22.0),
    "ph-03": ((0.0, 30.0, 0.0), 18.0),
}
"""Centre in mm and radius in mm of each case's bleed."""


def head(seed, center_mm=None, radius_mm=0.0, bleed_hu=65.0):
    """(scan, bleed as booleans): scalp 45, bone 1000, brain 32 HU, a ball of blood, white noise of 3 HU."""
    x, y, z = (np.arange(n) * s - (n - 1) * s / 2 for n, s in zip(SIZE, SPACING, strict=True))
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    radius = np.sqrt((xx / 72) ** 2 + (yy / 84) ** 2 + (zz / 62) ** 2)
    array = np.full(xx.shape, -1000.0)
    array[radius < 1.1] = 45.0
    array[radius < 1.03] = 1000.0
    array[radius < 0.92] = 32.0
    bleed = np.zeros(xx.shape, bool)
    if center_mm is not None:
        bleed = np.sqrt(sum((g - c) ** 2 for g, c in zip((xx, yy, zz), center_mm, strict=True))) < radius_mm
    array[bleed] = bleed_hu
    array += np.random.default_rng(seed).normal(0, 3.0, array.shape)
    return image_of(np.rint(array).astype(np.int16)), bleed


def image_of(array):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING)
    image.SetOrigin([-(n - 1) * s / 2 for n, s in zip(SIZE, SPACING, strict=True)])
    return image


def write_case(folder, name, seed, center_mm=None, radius_mm=0.0, value=1):
    """Writes scan and reference; the row of the table."""
    place = Path(folder) / name
    place.mkdir(parents=True, exist_ok=True)
    scan, bleed = head(seed, center_mm, radius_mm)
    sitk.WriteImage(scan, place / "ct.nii.gz")
    sitk.WriteImage(image_of(bleed.astype(np.uint8) * value), place / "truth.nii.gz")
    kind = name.split("-")[0].upper()
    return {"case_id": name, "image": f"{name}/ct.nii.gz", "reference": f"{name}/truth.nii.gz", "ht_type": kind}


def write_table(folder, rows):
    path = Path(folder) / "cohort.csv"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)
    return path


def write_cohort(folder, cases=CASES):
    """Writes all cases and their table, and gives its path."""
    return write_table(folder, [write_case(folder, name, n, *place) for n, (name, place) in enumerate(cases.items())])
