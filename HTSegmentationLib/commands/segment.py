"""Segments the bleed inside a region of interest of one CT, and measures it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.ct_arguments import add_ct_flags, ct_options
from HTSegmentationLib.commands.method_arguments import add_method_flags

if TYPE_CHECKING:
    from HTSegmentationLib.ct.scan import CTScan
    from HTSegmentationLib.methods import Method
    from HTSegmentationLib.roi import Roi

HELP = "segment the bleed in one CT"

AUTO_ROI = "auto"
"""In place of a file: the program finds the region of interest itself."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("ct", metavar="CT", help="DICOM folder or file, NIfTI, NRRD or MetaImage")
    region = parser.add_argument_group("region of interest (one of the two; networks do without)")
    region.add_argument(
        "--roi",
        action="append",
        metavar="FILE",
        help="3D Slicer markups (.mrk.json: ROI box or closed curve) or a mask image; repeat it for a union; "
        "auto: found by the program, as htseg suggest does",
    )
    region.add_argument("--roi-box", type=_box, metavar="X0,X1,Y0,Y1,Z0,Z1", help="a box in LPS mm")
    region.add_argument(
        "--roi-slices",
        type=_slices,
        metavar="FIRST-LAST",
        help="cut the ROI to these slices, counted from 1 at the lowest; all when left out",
    )
    region.add_argument(
        "--roi-curve-depth",
        type=float,
        metavar="MM",
        help="how far closed curves reach across their plane, half to each side; the whole scan when left out",
    )
    method = parser.add_argument_group("method")
    add_method_flags(method)
    add_ct_flags(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--output", required=True, metavar="MASK", help=".nii.gz, .nrrd, .mha, or .seg.nrrd for 3D Slicer")
    output.add_argument("--json", metavar="FILE", help="the whole record as JSON; - for stdout instead of words")
    output.add_argument("--preview", metavar="PNG", help="a picture of scan, ROI and mask (needs matplotlib)")
    output.add_argument("--write-ct", metavar="FILE", help="the CT on the grid of the mask, as it was read and resampled")


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.method_arguments import chosen_method
    from HTSegmentationLib.commands.record import result_words
    from HTSegmentationLib.ct.read import read_ct
    from HTSegmentationLib.export import write_image, write_mask, write_preview
    from HTSegmentationLib.export.record import result_record
    from HTSegmentationLib.measure.mask import measure_mask
    from HTSegmentationLib.progress import part_of
    from HTSegmentationLib.suggest import segment_automatically

    chosen, segmenter = chosen_method(options)
    _require_sense(options, chosen)
    _require_outputs(options)
    # A network spends its time after the preparation, a threshold in it.
    prepared_at = 0.4 if chosen.is_network else 0.8
    progress = ProgressLine()
    try:
        scan = read_ct(options.ct, **ct_options(options), progress=part_of(progress, 0.0, 0.3))
        roi = _roi(options, scan)
        prepared = segmenter.prepare(scan, part_of(progress, 0.3, prepared_at))
        rest = part_of(progress, prepared_at, 0.9)
        found = None
        if _is_auto(options):
            found = segment_automatically(segmenter, prepared, labels=chosen.labels, progress=rest)
            roi, result = found.roi, found.result
        else:
            result = segmenter.segment(prepared, roi, rest)
        progress("writing", 0.9)
        measurements = measure_mask(result.mask, scan.image)
        write_mask(options.output, result.mask, result.labels)
        if options.write_ct:
            write_image(options.write_ct, scan.image)
        if options.preview:
            write_preview(options.preview, scan.image, result.mask, roi=roi)
    finally:
        progress.clear()
    record = result_record(scan, roi, result, measurements) | {"mask": options.output}
    if found is not None:
        record["suggestions"] = found.suggestions.as_dict()
    words = [*result_words(segmenter.title, result, measurements), "", f"Mask written to {options.output}"]
    deliver(record, words, options.json)
    return 0


def _require_sense(options: argparse.Namespace, chosen: Method) -> None:
    from HTSegmentationLib.errors import UsageError

    given = [name for name in ("roi", "roi_box") if getattr(options, name) is not None]
    if len(given) > 1 or (chosen.needs_roi and not given):
        raise UsageError("give the region of interest by --roi or by --roi-box, one of the two")
    automatic = _is_auto(options)
    if options.roi is not None and len(options.roi) > 1 and AUTO_ROI in options.roi:
        raise UsageError("--roi auto stands alone; leave the other --roi out")
    if automatic and (options.roi_slices is not None or options.roi_curve_depth is not None):
        raise UsageError("--roi-slices and --roi-curve-depth go with a region that is given; --roi auto finds its own")
    if options.roi_slices is not None and not given:
        raise UsageError("--roi-slices goes with --roi or --roi-box")
    if options.roi_curve_depth is not None and options.roi is None:
        raise UsageError("--roi-curve-depth goes with the closed curves of --roi")


def _require_outputs(options: argparse.Namespace) -> None:
    """Checks what is to be written before anything is read."""
    from HTSegmentationLib.commands.console import require_not_input
    from HTSegmentationLib.export import require_image_path, require_mask_path, require_preview_path
    from HTSegmentationLib.files import require_writable

    require_mask_path(options.output)
    drawn = [] if _is_auto(options) else options.roi or []
    inputs = [options.ct, *drawn, *([options.parameters] if options.parameters else [])]
    require_not_input([options.output, options.json, options.preview, options.write_ct], inputs)
    if options.preview:
        require_preview_path(options.preview)
    if options.write_ct:
        require_image_path(options.write_ct)
    if options.json not in (None, "-"):
        require_writable(options.json)


def _roi(options: argparse.Namespace, scan: CTScan) -> Roi | None:
    """The region of interest that the flags name; None if they name none or leave it to the program."""
    from HTSegmentationLib.roi import read_roi, roi_from_box

    if options.roi_box is not None:
        return roi_from_box(scan.image, options.roi_box, slice_range=options.roi_slices)
    if options.roi is None or _is_auto(options):
        return None
    depth = options.roi_curve_depth
    return read_roi(options.roi, scan.image, slice_range=options.roi_slices, curve_extent_mm=depth)


def _is_auto(options: argparse.Namespace) -> bool:
    return options.roi == [AUTO_ROI]


def _box(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 6:  # noqa: PLR2004  (two ends along three axes)
        raise argparse.ArgumentTypeError(f"{text!r} must be six numbers in LPS mm, as -10,50,-20,40,30,80")
    return numbers


def _slices(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last):
        return int(first), int(last)
    raise argparse.ArgumentTypeError(f"{text!r} must be two slice numbers from 1 on, as 12-18")
