"""How figures look: readable in print, and by colour-blind readers, since nothing is told by colour alone."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#B8A800")
"""Okabe and Ito, 2008; their yellow is darkened, since it is not seen on white."""

MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++", "oo", "--")

GREY = "#555555"

_LONGEST_NAME = 26
"""Letters of a name in a figure."""

_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "htsegmentation",
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "path.simplify": True,
}
"""Names with a dollar sign are names, not formulas; the salt makes the same figure the same file."""


@dataclass(frozen=True)
class Look:
    """How one group or method looks wherever it appears."""

    color: str
    marker: str
    hatch: str


ALL_CASES = Look("#777777", "o", "")
"""The look of all cases together."""


def look(number: int) -> Look:
    """The look of the group or method of this number, from 0; they repeat after eight."""
    place = number % len(COLORS)
    return Look(COLORS[place], MARKERS[place], HATCHES[place])


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """The settings of all figures, for the time that they are drawn or written; the user's own stay as they are."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # Letters that the font lacks become boxes, which the reader sees; nobody reads it on a terminal.
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, which no window shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def svg_of(figure: Figure) -> bytes:
    """The figure as SVG, the same for the same figure."""
    return _written(figure, "svg", {"Date": None, "Creator": None})


def png_of(figure: Figure, dots_per_inch: int = 200) -> bytes:
    """The figure as PNG."""
    return _written(figure, "png", {"Software": None}, dots_per_inch)


def short(name: str) -> str:
    """A name as a figure can show it; a leading underscore would hide it from legends."""
    cut = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."
    return f" {cut}" if cut.startswith("_") else cut


def legend_below(axes: Axes, handles: Sequence[Line2D], columns: int = 3) -> None:
    """A legend under the axes."""
    if handles:
        axes.legend(handles=list(handles), loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns, fontsize=8)


def plain_log_axis(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic x axis whose numbers read 0.1, 1, 10."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    if values:
        axes.set_xlim(min(values) / 1.4, max(values) * 1.4)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _written(figure: Figure, form: str, metadata: dict[str, None], dots_per_inch: int | str = "figure") -> bytes:
    target = io.BytesIO()
    with drawing():
        figure.savefig(target, format=form, metadata=metadata, dpi=dots_per_inch)
    return target.getvalue()
