"""The report as PDF, on A4 pages."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.cohort.evaluation.table import Table
from HTSegmentationLib.cohort.report.content import Block, CasePicture, Facts, Gallery, Picture, Report
from HTSegmentationLib.cohort.report.pdf_style import LONGEST_LINE, PAGE_WIDTH_MM, Styles, load_styles, plain
from HTSegmentationLib.cohort.report.pdf_table import pdf_table
from HTSegmentationLib.cohort.report.style import drawing, png_of
from HTSegmentationLib.errors import MissingPackageError

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_MARGIN_MM = 16.0

_LARGEST_PICTURE_MM = 175.0
"""Height of a picture at most, so that it fits on a page with its caption."""

_LONGEST_CAPTION = 1200
"""Letters of a caption that still fits on a page with its picture."""

_CASES_IN_A_ROW = 3

_DOTS_PER_INCH = 72.0
"""PDF's own unit."""


def report_pdf(report: Report) -> bytes:
    """The report as PDF; the same report gives the same bytes.

    Raises:
        MissingPackageError: reportlab or matplotlib is not installed.
    """
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.units import mm
        from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer
    except ImportError as error:
        raise MissingPackageError("reportlab", "to write a report as PDF", "report") from error
    styles = load_styles()
    story: list[Flowable] = [Paragraph(plain(report.title, LONGEST_LINE), styles.title), *_facts(report.facts, styles)]
    warning = "<b>Research software, not a medical device.</b> Nothing here may be used to decide about a patient."
    story += [Paragraph(warning, styles.warning)]
    count = 0
    for section in report.sections:
        waiting: list[Flowable] = [Paragraph(plain(section.title, LONGEST_LINE), styles.heading)]
        for block in section.blocks:
            count += isinstance(block, Picture)
            waiting += _flowables(block, styles, count)
            if isinstance(block, (Picture, Gallery)) or (isinstance(block, Table) and block.is_short):
                # What leads to it stays with it; a heading alone at the foot of a page leads nowhere.
                story.append(KeepTogether(waiting))
                waiting = []
            elif isinstance(block, Table):
                story += waiting
                waiting = []
        story += waiting
        story.append(Spacer(1, 2 * mm))
    target = io.BytesIO()
    edges = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN_MM * mm)
    document = SimpleDocTemplate(
        target, pagesize=A4, title=report.title, author="HTSegmentation", lang="en", invariant=1, **edges
    )
    footer = partial(_footer, title=report.title, font=styles.font)
    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return target.getvalue()


def _footer(canvas: Any, document: Any, title: str, font: str) -> None:
    from reportlab.lib.units import mm

    canvas.saveState()
    canvas.setFont(font, 7)
    canvas.drawString(document.leftMargin, 9 * mm, f"{title}. Research software, not a medical device.")
    canvas.drawRightString(document.pagesize[0] - document.rightMargin, 9 * mm, f"Page {document.page}")
    canvas.restoreState()


def _flowables(block: Block, styles: Styles, number: int) -> list[Flowable]:
    from reportlab.platypus import Paragraph

    if isinstance(block, Table):
        return pdf_table(block, styles)
    if isinstance(block, Picture):
        return _picture(block, styles, number)
    if isinstance(block, Gallery):
        return _gallery(block, styles)
    if isinstance(block, Facts):
        return _facts(block, styles)
    if block.as_list:
        return [Paragraph(plain(text), styles.item, bulletText="\N{BULLET}") for text in block.texts]
    return [Paragraph(plain(text), styles.body) for text in block.texts]


def _facts(facts: Facts, styles: Styles) -> list[Flowable]:
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, Spacer, TableStyle
    from reportlab.platypus import Table as Grid

    if not facts.pairs:
        return []
    rows = [
        [Paragraph(f"<b>{plain(name, LONGEST_LINE)}</b>", styles.body), Paragraph(plain(text), styles.body)]
        for name, text in facts.pairs
    ]
    grid = Grid(rows, colWidths=[24 * mm, (PAGE_WIDTH_MM - 24) * mm], hAlign="LEFT")
    grid.setStyle(
        TableStyle(
            [("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 0), ("LEFTPADDING", (0, 0), (0, -1), 0)]
        )
    )
    return [grid, Spacer(1, 2 * mm)]


def _picture(picture: Picture, styles: Styles, number: int) -> list[Flowable]:
    """The figure at its own size or the page's width, with the caption and, since a PDF may be read aloud, what is seen."""
    from reportlab.lib.units import mm
    from reportlab.platypus import Image, Paragraph, Spacer

    with drawing():
        figure = picture.draw()
        content = png_of(figure)
    inches = figure.get_size_inches()
    width, height = inches[0] * _DOTS_PER_INCH, inches[1] * _DOTS_PER_INCH
    shrink = min(1.0, PAGE_WIDTH_MM * mm / width, _LARGEST_PICTURE_MM * mm / height)
    image = Image(io.BytesIO(content), width * shrink, height * shrink, hAlign="LEFT")
    caption = (
        f"<b>Figure {number}.</b> {plain(picture.caption, _LONGEST_CAPTION)} <i>{plain(picture.seen, _LONGEST_CAPTION)}</i>"
    )
    return [Spacer(1, 2 * mm), image, Paragraph(caption, styles.caption), Spacer(1, 2 * mm)]


def _gallery(gallery: Gallery, styles: Styles) -> list[Flowable]:
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, TableStyle
    from reportlab.platypus import Table as Grid

    width = PAGE_WIDTH_MM * mm / _CASES_IN_A_ROW
    rows = [gallery.cases[start : start + _CASES_IN_A_ROW] for start in range(0, len(gallery.cases), _CASES_IN_A_ROW)]
    cells = [[_case(case, styles, width - 3 * mm) for case in row] + [""] * (_CASES_IN_A_ROW - len(row)) for row in rows]
    grid = Grid(cells, colWidths=[width] * _CASES_IN_A_ROW, hAlign="LEFT")
    grid.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return [Paragraph(plain(gallery.title, LONGEST_LINE), styles.small_heading), grid]


def _case(case: CasePicture, styles: Styles, width: float) -> list[Flowable]:
    from reportlab.platypus import Image, Paragraph

    words = Paragraph(f"<b>{plain(case.title, LONGEST_LINE)}</b><br/>{plain(case.seen, LONGEST_LINE)}", styles.caption)
    if case.png is None:
        return [Paragraph(plain(case.problem, LONGEST_LINE), styles.missing), words]
    return [Image(io.BytesIO(case.png), width, width), words]
