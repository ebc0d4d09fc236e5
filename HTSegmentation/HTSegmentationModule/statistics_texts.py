"""What users read of the plugin's measurements."""

from __future__ import annotations

from HTSegmentationModule import hemorrhage_statistics as keys
from HTSegmentationModule.translation import tr as _


def describe(key: str) -> tuple[str, str, str, str]:
    """Name (never translated), title, description and unit of a measurement.

    Args:
        key: One of :data:`HTSegmentationModule.hemorrhage_statistics.KEYS`.
    """
    return {
        keys.VOLUME: (
            "Hemorrhage volume mL",
            _("Hemorrhage volume"),
            _("Volume of the segment's voxels in world space"),
            "mL",
        ),
        keys.ABC2: (
            "Hemorrhage ABC/2 mL",
            _("ABC/2"),
            _("Volume estimated as A x B x C / 2, as measured by hand on slices"),
            "mL",
        ),
        keys.A: ("Hemorrhage A mm", _("Diameter A"), _("Largest length on the slice of largest area"), "mm"),
        keys.B: ("Hemorrhage B mm", _("Diameter B"), _("Largest width at a right angle to A on the same slice"), "mm"),
        keys.C: ("Hemorrhage C mm", _("Depth C"), _("Number of slices that hold the segment times their distance"), "mm"),
        keys.DICE: (
            "Hemorrhage DSC",
            _("Dice (DSC)"),
            _("Overlap with the reference segment, from 0 (none) to 1 (the same)"),
            "",
        ),
        keys.VOLUME_DIFFERENCE: (
            "Hemorrhage volume difference mL",
            _("Volume difference"),
            _("Volume less that of the reference segment"),
            "mL",
        ),
        keys.HD95: (
            "Hemorrhage HD95 mm",
            _("HD95"),
            _("Distance to the reference's surface that 95% of the surface keep to, the larger of both directions"),
            "mm",
        ),
    }[key]
