"""The rule table as an editable table: an invalid cell is explained in place, the row that fired stands out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import qt

from HTSegmentationModule.translation import tr as _

_SD, _LOWER, _UPPER, _CLASS = range(4)
_MARKED_ALPHA = 70


class RuleTable:
    """Shows and edits the library's rules.

    Args:
        table: A QTableWidget with four columns.
        problemLabel: Takes the sentence about an invalid cell.
        onChanged: Called with the new rules after a valid edit.
    """

    def __init__(self, table: Any, problemLabel: Any, onChanged: Callable[[tuple], None]) -> None:
        self._table, self._problemLabel, self._onChanged = table, problemLabel, onChanged
        self._rules: tuple = ()
        self._fired: int | None = None
        self.problem = ""
        table.setHorizontalHeaderLabels([_("SD up to (HU)"), _("Lower (HU)"), _("Upper (HU)"), _("Paper's word")])
        header = table.horizontalHeader()
        for column in (_SD, _LOWER, _UPPER):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(_CLASS, qt.QHeaderView.Stretch)
        header.setFixedHeight(table.fontMetrics().height() + 8)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 6)
        table.connect("cellChanged(int,int)", self._onCellChanged)

    def show(self, rules: tuple) -> None:
        """Shows rules; a cell that cannot be used stays as long as the rules behind it are the same."""
        if rules == self._rules and self._table.rowCount == len(rules):
            return
        self._rules = rules
        self._fill()

    def reset(self) -> None:
        """Shows the rules again as they are, without what could not be used."""
        self._fill()

    def highlight(self, row: int | None) -> None:
        """Lets one row stand out as the one that fired."""
        if row != self._fired:
            self._fired = row
            self._paint()

    def _fill(self) -> None:
        self._table.blockSignals(True)
        self._table.setRowCount(len(self._rules))
        for row, rule in enumerate(self._rules):
            last = math.isinf(rule.sd_up_to)
            texts = (_("above") if last else f"{rule.sd_up_to:g}", f"{rule.lower_hu:g}", f"{rule.upper_hu:g}")
            for column, text in enumerate((*texts, rule.classification)):
                item = qt.QTableWidgetItem(text)
                item.setTextAlignment(int(qt.Qt.AlignCenter if column != _CLASS else qt.Qt.AlignLeft | qt.Qt.AlignVCenter))
                if column == _CLASS or (column == _SD and last):
                    item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                self._table.setItem(row, column, item)
        self._table.blockSignals(False)
        rows = self._table.verticalHeader().length()
        self._table.setFixedHeight(self._table.horizontalHeader().minimumHeight + rows + 2 * self._table.frameWidth)
        self._explain("", None)

    def _onCellChanged(self, row: int, column: int) -> None:
        from HTSegmentationLib.errors import ParameterError
        from HTSegmentationLib.threshold.rules import require_valid_rules

        try:
            rules = tuple(self._read(number) for number in range(self._table.rowCount))
            require_valid_rules(rules)
        except ParameterError as error:
            text = str(error).removeprefix("rules, ").removeprefix("rules: ")
            self._explain(text[:1].upper() + text[1:] + ".", (row, column))
            self._onChanged(self._rules)
            return
        self._rules = rules
        self._fill()
        self._onChanged(rules)

    def _read(self, row: int) -> Any:
        """One row as a rule.

        Raises:
            ParameterError: A cell is no number.
        """
        old = self._rules[row]
        numbers = []
        for column, value in ((_SD, old.sd_up_to), (_LOWER, old.lower_hu), (_UPPER, old.upper_hu)):
            numbers.append(value if math.isinf(value) else self._number(row, column))
        return type(old)(*numbers, classification=old.classification)

    def _number(self, row: int, column: int) -> float:
        from HTSegmentationLib.errors import ParameterError

        text = self._table.item(row, column).text()
        try:
            value = float(text.strip().replace(",", ".").removesuffix("HU"))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ParameterError(_("row {row}: '{text}' is no number; give HU, such as 45").format(row=row + 1, text=text))
        return value

    def _explain(self, problem: str, cell: tuple[int, int] | None) -> None:
        self.problem = problem
        self._problemLabel.setText(problem)
        self._paint(cell)

    def _paint(self, wrong: tuple[int, int] | None = None) -> None:
        palette = self._table.palette
        highlight = palette.color(qt.QPalette.Highlight)
        fired = qt.QBrush(qt.QColor(highlight.red(), highlight.green(), highlight.blue(), _MARKED_ALPHA))
        error = qt.QBrush(qt.QColor(220, 50, 47, 2 * _MARKED_ALPHA))
        self._table.blockSignals(True)
        for row in range(self._table.rowCount):
            for column in range(self._table.columnCount):
                item = self._table.item(row, column)
                brush = error if (row, column) == wrong else fired if row == self._fired else qt.QBrush()
                item.setBackground(brush)
                item.setToolTip(self.problem if (row, column) == wrong else "")
                font = item.font()
                font.setBold(row == self._fired)
                item.setFont(font)
        self._table.blockSignals(False)
