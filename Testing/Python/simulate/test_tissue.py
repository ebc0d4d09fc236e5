from __future__ import annotations

import numpy as np
import pytest

from HTSegmentationLib.simulate.tissue import _FIELDS, CALCIFICATION, STAINING, Densities, soft_tissue

DENSITIES = Densities(grey=38, white=29, cerebellum=35, pool=52, calcium=200, calcification=250)
DEEP_WHITE_MATTER = dict.fromkeys(_FIELDS, 30.0) | {
    "cavity": -30.0, "bone": -30.0, "skin": -30.0, "muscle": 6.0, "subarachnoid": 1.0, "offset": 0.0, "infarct": 0.0,
    "sulci_w": -9.0, "midline_w": -9.0, "sylvian_w": -9.0, "insular_w": -9.0, "tent_w": -9.0, "falx": -9.0,
}  # fmt: skip


def hu_of(**changes: float) -> float:
    fields = {name: np.full((2, 2), value, np.float32) for name, value in {**DEEP_WHITE_MATTER, **changes}.items()}
    return float(soft_tissue(fields, DENSITIES, 0.5, ()).hu.mean())


@pytest.mark.parametrize(
    ("name", "changes", "low", "high"),
    [
        ("white matter", {}, 27, 31),
        ("cortex beside a sulcus", {"sulci": 2.0, "sulci_w": 0.5}, 36, 40),
        ("CSF in a sulcus", {"sulci": 0.0, "sulci_w": 1.5}, 5, 12),
        ("ventricle", {"csf": -5.0}, 5, 12),
        ("deep nuclei", {"nuclei": -4.0}, 35, 40),
        ("infarcted cortex", {"sulci": 2.0, "sulci_w": 0.5, "infarct": 1.0}, 22, 28),
        ("infarcted white matter", {"infarct": 1.0}, 18, 24),
        ("cerebellum", {"cerebellum": -5.0}, 31, 38),
        ("brainstem", {"brainstem": -5.0}, 27, 33),
        ("falx", {"midline": 0.0, "midline_w": 1.5, "falx": 1.0}, 50, 60),
        ("venous sinus", {"pool": -3.0}, 45, 65),
        ("pineal", {"calcium": -3.0}, 100, 320),
        ("stained infarcted cortex", {"sulci": 2.0, "sulci_w": 0.5, "infarct": 1.0, STAINING: 50.0}, 70, 80),
        ("stained infarcted white matter", {"infarct": 1.0, STAINING: 50.0}, 24, 30),
        ("CSF beside stained cortex", {"sulci": 0.0, "sulci_w": 1.5, "infarct": 1.0, STAINING: 50.0}, 5, 12),
        ("calcification", {CALCIFICATION: -3.0}, 245, 255),
        ("the rim of a calcification", {CALCIFICATION: 0.0}, 130, 150),
        ("muscle", {"cavity": 30.0, "bone": 10.0}, 45, 60),
        ("fat", {"cavity": 30.0, "bone": 10.0, "muscle": -6.0}, -110, -60),
    ],
)
def test_tissue_has_its_published_hu(name, changes, low, high):
    assert low <= hu_of(**changes) <= high, name


def test_blood_replaces_tissue_by_its_share():
    fields = {name: np.full((4, 4), value, np.float32) for name, value in DEEP_WHITE_MATTER.items()}
    share = np.array([[0.0, 0.5], [1.0, 1.0]], np.float32)
    blood = (slice(1, 3), slice(1, 3), share, np.full((2, 2), 70, np.float32))
    hu = soft_tissue(fields, DENSITIES, 0.5, (blood,)).hu
    assert hu[1:3, 1:3] == pytest.approx(np.array([[29, 49.5], [70, 70]]), abs=0.5)
    assert hu[0] == pytest.approx(np.full(4, 29), abs=0.5)
