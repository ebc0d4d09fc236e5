"""A table on a PDF page: columns as wide as they must be, headings on every page, published rows apart."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from HTSegmentationLib.cohort.evaluation.table import Table
from HTSegmentationLib.cohort.report.pdf_style import LONGEST_LINE, PAGE_WIDTH_MM, Styles, plain

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_SIZES = (7.2, 6.4, 5.6, 5.0)
"""Sizes of the letters that are tried until the table fits."""

_PADDING = 7.0
"""Room beside a cell's text in points, both sides together; a little more than its edges, lest words break."""

_CELL_EDGE = 3.0
"""Edge of a cell in points."""

_WIDEST_MM = 85.0
"""A cell of text is wrapped at this width."""

_LONGEST_WORD_MM = 30.0
"""Longer words are broken."""


def pdf_table(table: Table, styles: Styles) -> list[Flowable]:
    """The table with its title and note."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable, Paragraph, Spacer, TableStyle

    if not table.columns:
        return []
    size, widths = _layout(table, styles)
    upright, head, slanted = (_cell_styles(styles, size, font) for font in (styles.font, styles.bold, styles.italic))
    rows = [[Paragraph(plain(column.title, LONGEST_LINE), head[column.is_number]) for column in table.columns]]
    grid = [("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor("#333333")), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    grid += [("VALIGN", (0, 0), (-1, 0), "BOTTOM"), ("LEFTPADDING", (0, 0), (-1, -1), _CELL_EDGE)]
    grid += [("RIGHTPADDING", (0, 0), (-1, -1), _CELL_EDGE), ("TOPPADDING", (0, 0), (-1, -1), 1.2)]
    grid += [("BOTTOMPADDING", (0, 0), (-1, -1), 1.8), ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor("#dddddd"))]
    texts = table.texts()
    for source, numbers in groupby(range(len(texts)), key=lambda number: str(table.rows[number].get("source", ""))):
        held = list(numbers)
        published = table.is_published(held[0])
        start = len(rows)
        if published:
            heading = plain(source[:1].upper() + source[1:], LONGEST_LINE)
            rows.append([Paragraph(heading, head[False]), *[""] * (len(table.columns) - 1)])
            grid.append(("SPAN", (0, start), (-1, start)))
        look = slanted if published else upright
        for number in held:
            cells = zip(texts[number], table.columns, strict=True)
            rows.append([Paragraph(plain(text, LONGEST_LINE), look[column.is_number]) for text, column in cells])
        if published:
            grid.append(("BACKGROUND", (0, start), (-1, len(rows) - 1), HexColor("#f4f4f4")))
    body = LongTable(rows, colWidths=widths, repeatRows=1, hAlign="LEFT")
    body.setStyle(TableStyle(grid))
    note = [Paragraph(plain(table.note), styles.caption)] if table.note else []
    return [Paragraph(plain(table.title, LONGEST_LINE), styles.small_heading), body, *note, Spacer(1, 6)]


def _cell_styles(styles: Styles, size: float, font: str) -> dict[bool, object]:
    """The style of text (False) and of numbers (True)."""
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle

    return {
        number: ParagraphStyle(
            f"cell-{font}-{size}-{number}",
            styles.body,
            fontName=font,
            fontSize=size,
            leading=size * 1.25,
            spaceAfter=0,
            alignment=TA_RIGHT if number else TA_LEFT,
        )
        for number in (False, True)
    }


def _layout(table: Table, styles: Styles) -> tuple[float, list[float]]:
    """Size of the letters and widths of the columns in points: as wide as the text, narrower where words can be wrapped."""
    from reportlab.lib.units import mm

    room = PAGE_WIDTH_MM * mm
    for size in _SIZES:
        least, wanted = _widths(table, styles, size)
        if sum(wanted) <= room:
            return size, wanted
        if sum(least) <= room:
            break
    spare = room - sum(least)
    if spare < 0:
        return size, [width * room / sum(least) for width in least]
    stretch = spare / max(sum(wanted) - sum(least), 1e-9)
    return size, [low + (high - low) * stretch for low, high in zip(least, wanted, strict=True)]


def _widths(table: Table, styles: Styles, size: float) -> tuple[list[float], list[float]]:
    """The least and the wanted width of each column in points; numbers are never wrapped, headings between words."""
    from reportlab.lib.units import mm
    from reportlab.pdfbase.pdfmetrics import stringWidth

    texts = table.texts()
    least, wanted = [], []
    for place, column in enumerate(table.columns):
        cells = [row[place][:LONGEST_LINE] for row in texts]
        words = max((stringWidth(word, styles.bold, size) for word in column.title.split()), default=0.0)
        if column.is_number:
            longest = max((stringWidth(cell, styles.italic, size) for cell in cells), default=0.0)
            low = high = max(longest, min(words, _LONGEST_WORD_MM * mm))
        else:
            parts = [stringWidth(word, styles.italic, size) for cell in cells for word in cell.split()]
            low = max(min(max(parts, default=0.0), _LONGEST_WORD_MM * mm), words)
            whole = max((stringWidth(cell, styles.italic, size) for cell in cells), default=0.0)
            high = max(low, min(whole, _WIDEST_MM * mm), min(stringWidth(column.title, styles.bold, size), 2 * words))
        least.append(low + _PADDING)
        wanted.append(high + _PADDING)
    return least, wanted
