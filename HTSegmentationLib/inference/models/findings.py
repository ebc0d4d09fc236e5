"""What the classes of a mask are called, and their codes."""

from __future__ import annotations

import re

from HTSegmentationLib.segmenter import HEMORRHAGE, Label

_EDEMA = ("79654002", "Edema")
"""SNOMED CT's morphology of edema, as 3D Slicer's own terminology has it."""

_INFARCT = ("55641003", "Infarct")
"""SNOMED CT's morphology of infarction."""

_OTHER = ("49755003", "Morphologically Altered Structure")
"""SNOMED CT's word for any altered tissue, for findings whose code is not known."""

_BLOOD = (HEMORRHAGE.code, HEMORRHAGE.meaning)

_KNOWN = (
    (r"intraparenchymal.*|iph|ich|intra(cerebral|cranial).*", "Intraparenchymal hemorrhage", _BLOOD, HEMORRHAGE.color),
    (r"intraventricular.*|ivh", "Intraventricular hemorrhage", _BLOOD, (214, 112, 196)),
    (r"extra.?axial.*|eah", "Extra-axial hemorrhage", _BLOOD, (230, 158, 82)),
    (r"sub.?arachnoid.*|sah", "Subarachnoid hemorrhage", _BLOOD, (240, 190, 60)),
    (r"sub.?dural.*|sdh", "Subdural hemorrhage", _BLOOD, (200, 130, 40)),
    (r"epi.?dural.*|extra.?dural.*|edh", "Epidural hemorrhage", _BLOOD, (160, 100, 30)),
    (r"(peri.*)?o?edema|phe", "Perilesional edema", _EDEMA, (96, 150, 214)),
    (r"infarct.*", "Infarct", _INFARCT, (110, 180, 110)),
    (r"h(a?e)morrhage.*|h(a?e)matoma.*|bleed(ing)?|blood|lesion|target|foreground", "Hemorrhage", _BLOOD, HEMORRHAGE.color),
)
"""Pattern of a class's name in a training set, its name for users, code and meaning, colour."""

_OTHER_COLORS = ((140, 120, 210), (90, 190, 190), (190, 190, 90), (170, 120, 120))
"""For classes that are not known, in turn."""


def label_of(value: int, name: str) -> Label:
    """A class of a mask by its name in a training set, as a label with code and colour.

    All kinds of bleeding carry SNOMED CT 50960005, Hemorrhage, the morphology that 3D Slicer's terminology and the DICOM
    category "Morphologically Altered Structure" know; the label's name says which kind it is.

    Args:
        value: The class's value in the mask.
        name: As ``"ICH"``, ``"IVH"``, ``"perihematomal edema"``; one that is not known keeps its name.

    Example:
        >>> label_of(3, "IVH").name
        'Intraventricular hemorrhage'
    """
    plain = re.sub(r"[\s_\-]+", " ", name).strip()
    for pattern, title, (code, meaning), color in _KNOWN:
        if re.fullmatch(pattern, plain.lower()):
            return Label(value, title, code, meaning, color)
    return Label(value, plain, *_OTHER, _OTHER_COLORS[value % len(_OTHER_COLORS)])


def is_hemorrhage(label: Label) -> bool:
    """Whether a label is a kind of bleeding."""
    return label.code == HEMORRHAGE.code
