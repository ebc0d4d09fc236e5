"""One segmentation in words."""

from __future__ import annotations

from HTSegmentationLib.commands.words import remark_lines, row
from HTSegmentationLib.export.record import remarks_of
from HTSegmentationLib.measure.mask import MaskMeasurements
from HTSegmentationLib.measure.overlap import Overlap
from HTSegmentationLib.segmenter import SegmentationResult


def result_words(title: str, result: SegmentationResult, measurements: MaskMeasurements) -> list[str]:
    """A segmentation for a clinician: measurements, method, remarks."""
    explained = result.details.explain() if result.details else []
    first, *further = result.labels
    lines = measurement_words(first.name, measurements)
    if result.uncertainty_ml is not None:
        spread = "one standard deviation, from slices, voxels and threshold"
        lines.insert(1, row("Uncertainty", f"{result.uncertainty_ml:.2f} mL ({spread})"))
    if result.confidence is not None:
        lines.insert(2, row("Confidence", f"{result.confidence}."))
    lines += [row(f"{label.name} volume", f"{result.volume_ml(label):.2f} mL") for label in further]
    lines += [row("Method" if number == 0 else "", text) for number, text in enumerate([f"{title}.", *explained])]
    lines.append(row("Inside the skull", f"{result.brain_volume_ml:.0f} mL"))
    return lines + remark_lines(remarks_of(result, measurements))


def measurement_words(name: str, measurements: MaskMeasurements) -> list[str]:
    """Volume, HU, pieces, ABC/2."""
    lines = [row(f"{name} volume", f"{measurements.volume_ml:.2f} mL ({measurements.voxel_count} voxels)")]
    if measurements.voxel_count == 0:
        return lines
    if measurements.abc2_ml is not None:
        axes = f"{measurements.a_mm:.0f} x {measurements.b_mm:.0f} x {measurements.c_mm:.0f} mm"
        lines.append(row("ABC/2", f"{measurements.abc2_ml:.2f} mL (A x B x C {axes})"))
    if measurements.mean_hu is not None:
        spread = "" if measurements.sd_hu is None else f", SD {measurements.sd_hu:.1f}"
        bounds = f"{measurements.min_hu:.0f} to {measurements.max_hu:.0f}"
        lines.append(row("Density", f"mean {measurements.mean_hu:.1f} HU{spread}, {bounds} HU"))
    pieces = f"{measurements.component_count}, the largest {measurements.largest_component_ml:.2f} mL"
    lines.append(row("Separate parts", pieces))
    extent = " x ".join(f"{length:.0f}" for length in measurements.extent_mm or ())
    lines.append(row("Extent", f"{extent} mm (left-right, front-back, up-down)"))
    return lines


def overlap_words(overlap: Overlap) -> list[str]:
    """Dice and volumes against a reference."""
    difference = f"{overlap.volume_difference_ml:+.2f} mL against the reference's {overlap.reference_volume_ml:.2f} mL"
    return [row("Dice", f"{overlap.dice:.3f}"), row("Volume difference", difference)]
