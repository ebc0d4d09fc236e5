"""The report as one HTML file that needs no other file, no network and no script."""

from __future__ import annotations

import base64
from itertools import groupby
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.evaluation.table import Table
from HTSegmentationLib.cohort.report.content import Block, CasePicture, Facts, Gallery, Picture, Report, Sentences
from HTSegmentationLib.cohort.report.style import drawing, svg_of
from HTSegmentationLib.errors import MissingPackageError

_TEMPLATES = Path(__file__).parent / "templates"

_LONG_WORD = 24
"""Letters of a word that is broken where it must be, so that it does not stretch the table."""


def report_html(report: Report) -> str:
    """The report as HTML; every text of it is escaped.

    Raises:
        MissingPackageError: jinja2 or matplotlib is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingPackageError("jinja2", "to write a report", "report") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["longworded"] = _has_long_word
    sections = [
        {"key": section.key, "title": section.title, "blocks": [_block(block) for block in section.blocks]}
        for section in report.sections
    ]
    numbered = 0
    for section in sections:
        for block in section["blocks"]:
            if block["kind"] == "picture":
                numbered += 1
                block["number"] = numbered
    return environment.get_template("report.html").render(title=report.title, facts=report.facts.pairs, sections=sections)


def _block(block: Block) -> dict[str, Any]:
    """What the template needs of a block."""
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Picture):
        with drawing():
            source = _data(svg_of(block.draw()), "image/svg+xml")
        return {"kind": "picture", "caption": block.caption, "seen": block.seen, "source": source}
    if isinstance(block, Gallery):
        return {"kind": "gallery", "title": block.title, "cases": [_case(case) for case in block.cases]}
    if isinstance(block, Facts):
        return {"kind": "facts", "pairs": block.pairs}
    return _sentences(block)


def _sentences(block: Sentences) -> dict[str, Any]:
    return {"kind": "list" if block.as_list else "paragraphs", "texts": block.texts}


def _table(table: Table) -> dict[str, Any]:
    """A table with its rows in bodies by their source, since published rows stand apart."""
    texts = table.texts()
    bodies = []
    for source, numbers in groupby(range(len(texts)), key=lambda number: str(table.rows[number].get("source", ""))):
        rows = list(numbers)
        published = table.is_published(rows[0])
        heading = source[:1].upper() + source[1:] if published else ""
        bodies.append({"published": published, "source": heading, "rows": [texts[number] for number in rows]})
    return {
        "kind": "table",
        "title": table.title,
        "note": table.note,
        "columns": table.columns,
        "bodies": bodies,
        "short": table.is_short,
    }


def _case(case: CasePicture) -> dict[str, Any]:
    source = "" if case.png is None else _data(case.png, "image/png")
    return {"title": case.title, "seen": case.seen, "problem": case.problem, "source": source}


def _has_long_word(text: str) -> bool:
    return any(len(word) > _LONG_WORD for word in text.split())


def _data(content: bytes, form: str) -> str:
    return f"data:{form};base64,{base64.b64encode(content).decode('ascii')}"
