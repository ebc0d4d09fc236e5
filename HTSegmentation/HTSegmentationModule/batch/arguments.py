"""The words of the command line: those of ``htseg segment``, and those for many cases."""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.cli import joined
from HTSegmentationLib.commands import segment
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.export.image_files import require_image_path
from HTSegmentationLib.export.mask_files import MASK_FORMATS, SLICER_FORMAT, require_mask_path
from HTSegmentationLib.export.preview import require_preview_path
from HTSegmentationLib.methods import method
from HTSegmentationModule.batch.cases import Case, readCases

PROGRAM = "HTSegmentationBatch"
"""What the script is called in its messages."""

_ABSENT = "\0"
"""Stands for what a table of cases says instead of the command line; no file can be called so."""


@dataclass(frozen=True)
class Outputs:
    """The files that a case becomes; those that are None are not wanted."""

    mask: Path
    scene: Path | None = None
    json: Path | None = None
    preview: Path | None = None
    ct: Path | None = None

    def all(self) -> list[Path]:
        """All of them that are wanted."""
        return [path for path in (self.mask, self.scene, self.json, self.preview, self.ct) if path is not None]


@dataclass(frozen=True)
class Batch:
    """What was asked for.

    Args:
        cases: The cases and the files that each becomes.
        table: CSV for the results of all cases; None for none.
        method: Name in the library's registry.
        parameters: Parameter file of the method.
        assumeHU: Whether to take the values for HU whatever they look like.
        offsetHU: Added to every value of each CT.
        device: Where a network runs.
        debug: Whether to show whole tracebacks.
        folder: To be made if it is not there; None for none.
        unusedColumns: Columns of the table of cases that are not used.
    """

    cases: tuple[tuple[Case, Outputs], ...]
    table: Path | None
    method: str
    parameters: str | None
    assumeHU: bool
    offsetHU: float
    debug: bool
    folder: Path | None = None
    unusedColumns: tuple[str, ...] = ()
    device: str = "auto"


def parse(words: Sequence[str]) -> Batch:
    """What the words after the script's name ask for.

    Raises:
        SystemExit: Wrong usage (status 2), or help was asked for (status 0); argparse has written why.
        HTSegError: The words do not go together, or the table of cases cannot be used.
    """
    # "--" keeps Slicer from reading what follows; it may be left in place.
    given = joined(list(words[1:] if words[:1] == ["--"] else words))
    parser = _parser()
    if any(word == "--cases" or word.startswith("--cases=") for word in given):
        return _many(parser.parse_args([_ABSENT, "--output", _ABSENT, *given]))
    return _single(parser.parse_args(given))


def _parser() -> argparse.ArgumentParser:
    start = f"Slicer --no-main-window --python-script {PROGRAM}.py --"
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Segments bleeds in 3D Slicer without a window: one case, or a table of cases.",
        usage=textwrap.dedent(f"""
            {start} CT --roi FILE --output MASK [options]
            {start} --cases CSV --output-dir DIR [options]""").strip(),
        epilog="The exit status is 0 when all cases went well, 1 when one failed, 2 for wrong usage.",
        allow_abbrev=False,
    )
    segment.add_arguments(parser)
    group = parser.add_argument_group("many cases, and Slicer's own files")
    group.add_argument(
        "--cases",
        metavar="CSV",
        help="a table of cases instead of CT, --roi and --output, as for htseg batch: columns case_id, image, roi and, if "
        "wanted, reference and series; paths are relative to it, several ROIs of a case are separated by |",
    )
    group.add_argument("--output-dir", metavar="DIR", help="where the files of --cases go: CASE_ID.seg.nrrd, results.csv")
    group.add_argument("--table", metavar="FILE", help="the measurements of all cases as CSV; with --cases always written")
    group.add_argument("--scene", action="store_true", help="save the scene of each case beside its mask, as .mrb")
    group.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    return parser


def _many(options: argparse.Namespace) -> Batch:
    single = {"roi": "--roi", "roi_box": "--roi-box", "roi_slices": "--roi-slices", "series": "--series"}
    single |= {"json": "--json", "preview": "--preview", "write_ct": "--write-ct"}
    wrong = [flag for name, flag in single.items() if getattr(options, name) is not None]
    wrong += ["--output"] if options.output != _ABSENT else []
    wrong += ["CT"] if options.ct != _ABSENT else []
    if wrong:
        raise UsageError(f"{', '.join(wrong)}: meant for one case; leave it away, or leave --cases away")
    if options.output_dir is None:
        raise UsageError("--cases needs --output-dir, the folder for the results")
    cases, unused = readCases(options.cases)
    folder = Path(options.output_dir)
    planned = tuple((case, _filesOf(folder / f"{case.name}{SLICER_FORMAT}", options)) for case in cases)
    return dataclasses.replace(
        _batch(options, planned, Path(options.table or folder / "results.csv")), folder=folder, unusedColumns=tuple(unused)
    )


def _single(options: argparse.Namespace) -> Batch:
    if options.output_dir is not None:
        raise UsageError("--output-dir goes with --cases; one case has --output")
    given = sum(value is not None for value in (options.roi, options.roi_box))
    if given > 1 or (not given and method(options.method).needs_roi):
        raise UsageError("give the region of interest by --roi or by --roi-box, one of the two")
    if options.roi_slices is not None and options.roi is None:
        raise UsageError("--roi-slices goes with the closed curves of --roi")
    if options.json == "-":
        raise UsageError("--json - would be mixed with what Slicer writes; give the name of a file")
    require_mask_path(options.output)
    if options.preview:
        require_preview_path(options.preview)
    if options.write_ct:
        require_image_path(options.write_ct)
    mask = Path(options.output)
    case = Case(
        name=_stem(mask),
        image=options.ct,
        rois=tuple(options.roi or ()),
        box=options.roi_box,
        slices=options.roi_slices,
        series=options.series,
    )
    return _batch(options, ((case, _filesOf(mask, options)),), Path(options.table) if options.table else None)


def _batch(options: argparse.Namespace, cases: tuple[tuple[Case, Outputs], ...], table: Path | None) -> Batch:
    _requireApart(cases, table, [path for path in (options.cases, options.parameters) if path])
    return Batch(
        cases=cases,
        table=table,
        method=options.method,
        parameters=options.parameters,
        assumeHU=options.assume_hu,
        offsetHU=options.hu_offset,
        debug=options.debug,
        device=getattr(options, "device", "auto"),
    )


def _filesOf(mask: Path, options: argparse.Namespace) -> Outputs:
    return Outputs(
        mask=mask,
        scene=mask.parent / f"{_stem(mask)}.mrb" if options.scene else None,
        json=Path(options.json) if options.json else None,
        preview=Path(options.preview) if options.preview else None,
        ct=Path(options.write_ct) if options.write_ct else None,
    )


def _requireApart(cases: tuple[tuple[Case, Outputs], ...], table: Path | None, others: list[str]) -> None:
    """No file may be written over an input, nor over another output."""
    taken = {Path(path).resolve() for path in others}
    taken |= {Path(path).resolve() for case, _ in cases for path in case.inputs()}
    for path in [path for _, outputs in cases for path in outputs.all()] + ([table] if table else []):
        if path.resolve() in taken:
            raise UsageError(f"{path}: it is an input or another output; choose another name or folder")
        taken.add(path.resolve())


def _stem(mask: Path) -> str:
    """The file's name without the ending of a mask."""
    name = mask.name
    ending = next((ending for ending in MASK_FORMATS if name.lower().endswith(ending)), mask.suffix)
    return name[: len(name) - len(ending)] or name
