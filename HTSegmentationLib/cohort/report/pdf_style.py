"""Fonts and paragraph styles of the PDF: DejaVu, which has the letters of most languages and comes with matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from reportlab.lib.styles import ParagraphStyle

PAGE_WIDTH_MM = 173.0
"""Width of A4 between the margins, less the frame's own edge."""

_FONT = "DejaVuSans"

_FACES = {"": "", "-Bold": "Bold", "-Oblique": "Italic", "-BoldOblique": "BoldItalic"}
"""Endings of the font files."""


LONGEST_TEXT, LONGEST_LINE = 2500, 240
"""Letters of a paragraph, and of a cell or title: what is longer would not fit on a page. The HTML has all of it."""


@dataclass(frozen=True)
class Styles:
    """The styles of all paragraphs.

    Args:
        font: Name of the upright font.
        bold: Name of its bold face.
        italic: Name of its slanted face.
    """

    font: str
    bold: str
    italic: str
    title: ParagraphStyle
    heading: ParagraphStyle
    small_heading: ParagraphStyle
    body: ParagraphStyle
    item: ParagraphStyle
    warning: ParagraphStyle
    caption: ParagraphStyle
    missing: ParagraphStyle


def plain(text: str, most: int = LONGEST_TEXT) -> str:
    """Text as reportlab's paragraphs take it: escaped, and cut where it would not fit on a page.

    Example:
        >>> plain("a < b"), plain("abcdefgh", 6)
        ('a &lt; b', 'abc...')
    """
    return escape(text if len(text) <= most else text[: most - 3] + "...")


def load_styles() -> Styles:
    """The styles, after the fonts were made known to reportlab."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    names = _register_fonts()
    base = ParagraphStyle("base", fontName=names[""], fontSize=8.6, leading=12, spaceAfter=3, textColor=HexColor("#1a1a1a"))
    orange, blue = HexColor("#d55e00"), HexColor("#0072b2")
    heading = {"fontName": names["-Bold"], "keepWithNext": 1, "spaceAfter": 4}
    line = {"borderWidth": 0, "borderColor": blue}
    return Styles(
        font=names[""],
        bold=names["-Bold"],
        italic=names["-Oblique"],
        title=ParagraphStyle("title", base, fontSize=16, leading=20, **(heading | {"spaceAfter": 8})),
        heading=ParagraphStyle(
            "heading", base, fontSize=12, leading=15, spaceBefore=12, **(heading | line | {"textColor": blue})
        ),
        small_heading=ParagraphStyle("small", base, fontSize=9, leading=12, spaceBefore=6, **heading),
        body=base,
        item=ParagraphStyle("item", base, leftIndent=9, bulletIndent=1),
        warning=ParagraphStyle(
            "warning", base, borderColor=orange, borderWidth=0.8, borderPadding=4, spaceBefore=6, spaceAfter=8
        ),
        caption=ParagraphStyle("caption", base, fontSize=7, leading=9, spaceBefore=2),
        missing=ParagraphStyle(
            "missing",
            base,
            fontSize=7.5,
            leading=10,
            borderColor=HexColor("#777777"),
            borderWidth=0.5,
            borderPadding=4,
            leftIndent=4,
            rightIndent=6,
            spaceBefore=6,
            spaceAfter=9,
        ),
    )


def _register_fonts() -> dict[str, str]:
    """Makes DejaVu's four faces known, once; gives their names by the ending of their files."""
    from matplotlib import get_data_path
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(get_data_path()) / "fonts" / "ttf"
    names = {ending: f"{_FONT}{ending}" for ending in _FACES}
    known = set(pdfmetrics.getRegisteredFontNames())
    for ending, name in names.items():
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{_FONT}{ending}.ttf")))
    regular, bold, italic, both = names.values()
    pdfmetrics.registerFontFamily(_FONT, normal=regular, bold=bold, italic=italic, boldItalic=both)
    return names
