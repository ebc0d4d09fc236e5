"""A cohort of small heads in files, with the manifest that a batch reads."""

import csv

import numpy as np
import SimpleITK as sitk

from ..phantom import as_scan, box_roi, head_array

COLUMNS = ("case_id", "image", "roi", "reference", "ht_type", "Age")


def write_case(folder, seed, bleed_hu=62.0):
    """One head: ct, roi and truth (.nii.gz) in a folder of its own."""
    folder.mkdir(parents=True)
    array, bleed = head_array(bleed_hu=bleed_hu, seed=seed)
    scan = as_scan(array)
    truth = sitk.GetImageFromArray(bleed.astype(np.uint8))
    truth.CopyInformation(scan.image)
    sitk.WriteImage(scan.image, str(folder / "ct.nii.gz"))
    sitk.WriteImage(box_roi(scan).on_grid(scan.image), str(folder / "roi.nii.gz"))
    sitk.WriteImage(truth, str(folder / "truth.nii.gz"))


def row(name, **cells):
    """The cells of a case as :func:`write_case` leaves it."""
    files = {"image": f"{name}/ct.nii.gz", "roi": f"{name}/roi.nii.gz", "reference": f"{name}/truth.nii.gz"}
    return {"case_id": name, **files, "ht_type": "PH1", "Age": "70", **cells}


def write_manifest(path, rows, columns=COLUMNS):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_cohort(folder, count):
    """So many heads and ``cohort.csv``."""
    names = [f"ph-{number:02d}" for number in range(1, count + 1)]
    for number, name in enumerate(names):
        write_case(folder / name, seed=number, bleed_hu=58.0 + 2 * number)
    return write_manifest(folder / "cohort.csv", [row(name) for name in names])


def read_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
