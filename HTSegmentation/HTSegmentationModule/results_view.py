"""Measurements as rows of text, for the panel and the clipboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import qt

from HTSegmentationModule.messages import scaledFont
from HTSegmentationModule.sureness import confidenceMeaning, confidenceText, volumeText
from HTSegmentationModule.translation import tr as _


@dataclass(frozen=True)
class Row:
    """One measurement in words.

    Args:
        name: What was measured.
        value: Number and unit.
        meaning: What it means, for the tooltip.
    """

    name: str
    value: str
    meaning: str


def measureRows(measurement: Any, further: Iterable[Any] = (), result: Any = None) -> list[Row]:
    """All that is known of a segment, in the order in which a reader wants it.

    Args:
        measurement: The hemorrhage's.
        further: Those of the result's other classes, of which only the volume is told.
        result: The result that the segment still is, for its uncertainty; None for a segment that was corrected.
    """
    volume, *rest = _ofMask(measurement.mask, None if result is None else result.uncertainty_ml)
    meaning = _("Another class that the network tells apart, with a segment of its own.")
    classes = [Row(other.name, volumeText(other.measurement.mask.volume_ml), meaning) for other in further]
    return [volume, *classes, *rest, *(_againstReference(measurement) if measurement.overlap is not None else [])]


def _ofMask(mask: Any, uncertaintyMl: float | None) -> list[Row]:
    meaning = _("Voxels times their volume in the world.")
    if uncertaintyMl is not None:
        meaning += _(" ±: one standard deviation, from slices, voxels and threshold.")
    rows = [Row(_("Volume"), volumeText(mask.volume_ml, uncertaintyMl), meaning)]
    if mask.abc2_ml is not None:
        difference = mask.abc2_ml - mask.volume_ml
        value = _("{ml:.2f} mL ({difference:+.2f} mL, {percent:+.0f}%)").format(
            ml=mask.abc2_ml, difference=difference, percent=100 * difference / mask.volume_ml
        )
        size = f"{mask.a_mm:.0f} x {mask.b_mm:.0f} x {mask.c_mm:.0f} mm"
        meaning = _("Length x width x depth / 2 ({size}), the bedside estimate, and its difference from the volume.")
        rows.append(Row(_("ABC/2"), value, meaning.format(size=size)))
    if mask.component_count is not None:
        value = _("{count} (largest {ml:.2f} mL)").format(count=mask.component_count, ml=mask.largest_component_ml)
        rows.append(Row(_("Separate parts"), value, _("Voxels that touch at a corner belong together.")))
    if mask.mean_hu is not None:
        value = _("{mean:.1f} / {highest:.0f} HU").format(mean=mask.mean_hu, highest=mask.max_hu)
        rows.append(Row(_("Mean / highest HU"), value, _("Of the scan's own HU in the segment, unfiltered.")))
        meaning = _(
            "Clotted blood measures up to about 90 HU; what lies above it is bone, calcification or contrast medium."
        )
        rows.append(
            Row(_("Above 90 HU"), _("{percent:.1f}% of voxels").format(percent=100 * mask.share_above_90_hu), meaning)
        )
    return rows


def _againstReference(measurement: Any) -> list[Row]:
    from HTSegmentationLib.measure.agreement import agreement_word

    overlap = measurement.overlap
    dice = _("{dice:.3f} ({word})").format(dice=overlap.dice, word=_(agreement_word(overlap.dice)))
    rows = [Row(_("Dice (DSC)"), dice, _("2 x both / (segment + reference); the words are those of Landis and Koch."))]
    agreement = getattr(measurement, "agreement", None)
    if agreement is not None:
        values = (agreement.sensitivity, agreement.specificity, agreement.auc)
        meaning = _("Only voxels in the ROI count, as published; AUC = (sensitivity + specificity) / 2.")
        name = _("Sens. / spec. / AUC in the {domain}").format(domain=agreement.domain)
        rows.append(Row(name, " / ".join(_three(value) for value in values), meaning))
    elif overlap.sensitivity is not None:
        rows.append(Row(_("Sensitivity"), _three(overlap.sensitivity), _("Share of the reference that the segment holds.")))
    difference, reference = overlap.volume_difference_ml, overlap.reference_volume_ml
    value = _("{ml:+.2f} mL").format(ml=difference)
    if reference:
        value += _(" ({percent:+.0f}%)").format(percent=100 * difference / reference)
    meaning = _("Segment less reference ({ml:.2f} mL).").format(ml=reference)
    rows.append(Row(_("Volume error"), value, meaning))
    distance = getattr(measurement, "hd95Mm", None)
    if distance is not None:
        meaning = _("95th percentile of the distances between the two surfaces.")
        rows.append(Row(_("HD95"), _("{mm:.1f} mm").format(mm=distance), meaning))
    return rows


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


class ResultsView:
    """The large volume and the table below it.

    Args:
        ui: The panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self._volume, self._source, self._table = ui.volumeLabel, ui.resultSourceLabel, ui.measuresTable
        self._confidence = ui.confidenceLabel
        self._confidence.toolTip = confidenceMeaning()
        self.rows: list[Row] = []
        self._of = ""
        font = scaledFont(self._volume.font, 1.8)
        font.setBold(True)
        self._volume.setFont(font)
        self._table.horizontalHeader().setVisible(False)
        self._table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.ResizeToContents)
        self._table.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.Stretch)
        self._table.verticalHeader().setVisible(False)
        self._table.verticalHeader().setDefaultSectionSize(self._table.fontMetrics().height() + 6)
        self.clear(_("Nothing measured yet."))

    def clear(self, sentence: str) -> None:
        """Shows no result, and says why."""
        self.rows = []
        self._volume.setVisible(False)
        self._confidence.setVisible(False)
        self._table.setVisible(False)
        self._source.setText(sentence)

    def show(self, measurement: Any, source: str, further: Iterable[Any] = (), result: Any = None) -> None:
        """Shows a measurement, of what it is, the volumes of further classes, and how sure the result is."""
        volume, *shown = measureRows(measurement, further, result)
        self._volume.setText(volume.value)
        self._volume.toolTip = volume.meaning
        self._volume.setVisible(True)
        sure = []
        if result is not None and result.confidence is not None:
            sure = [Row(_("Confidence"), confidenceText(result.confidence), confidenceMeaning())]
            self._confidence.setText(f"{sure[0].name} {sure[0].value}.")
        self._confidence.setVisible(bool(sure))
        self.rows = [volume, *sure, *shown]
        self._of = source
        self.setOutdated(False)
        self._table.setRowCount(len(shown))
        for number, row in enumerate(shown):
            for column, text in enumerate((row.name, row.value)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(row.meaning)
                item.setFlags(qt.Qt.ItemIsEnabled)
                if column:
                    item.setTextAlignment(int(qt.Qt.AlignRight | qt.Qt.AlignVCenter))
                self._table.setItem(number, column, item)
        self._table.setFixedHeight(self._table.verticalHeader().length() + 2 * self._table.frameWidth)
        self._table.setVisible(bool(shown))

    def setOutdated(self, outdated: bool) -> None:
        """Says whether something was changed since the segment was made."""
        if self.rows:
            changed = _("Something was changed since: press Apply to bring it up to date.")
            self._source.setText(f"{self._of}. <i>{changed}</i>" if outdated else f"{self._of}.")

    def text(self) -> str:
        """The rows, tab-separated."""
        return "\n".join(f"{row.name}\t{row.value}" for row in self.rows)
