"""Measures a mask: volume, ABC/2, parts, and with the CT its density; with a reference, the overlap."""

from __future__ import annotations

import argparse

from HTSegmentationLib.commands.ct_arguments import add_ct_flags, ct_options

HELP = "measure a mask"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("mask", metavar="MASK", help="NIfTI, NRRD, .seg.nrrd or MetaImage; voxels above 0 count")
    parser.add_argument("--image", metavar="CT", help="the CT on the same grid, for the density in the mask")
    parser.add_argument("--label", type=int, metavar="N", help="count the voxels of this value only")
    parser.add_argument("--reference", metavar="MASK", help="a second mask on the same grid, for Dice and volume difference")
    parser.add_argument("--json", metavar="FILE", help="everything as JSON; - for stdout instead of words")
    add_ct_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.commands.console import ProgressLine, deliver, require_not_input
    from HTSegmentationLib.commands.record import measurement_words, overlap_words
    from HTSegmentationLib.commands.words import remark_lines
    from HTSegmentationLib.ct.read import read_ct
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.measure.mask import measure_mask
    from HTSegmentationLib.measure.overlap import measure_overlap
    from HTSegmentationLib.roi import read_mask

    require_not_input([options.json], [name for name in (options.mask, options.image, options.reference) if name])
    if options.label is not None and options.label < 1:
        raise UsageError(f"--label {options.label}: a label is 1 or more; 0 is the background")
    mask, remarks = read_mask(options.mask, options.label)
    progress = ProgressLine()
    try:
        scan = read_ct(options.image, **ct_options(options), progress=progress) if options.image else None
    finally:
        progress.clear()
    measurements = measure_mask(mask, scan.image if scan else None)
    record = {"mask": options.mask, "measurements": measurements.as_dict()}
    words = measurement_words("Mask", measurements)
    if options.reference:
        reference, reference_remarks = read_mask(options.reference, options.label)
        remarks += reference_remarks
        overlap = measure_overlap(mask, reference)
        record["overlap"] = overlap.as_dict()
        words += overlap_words(overlap)
    remarks += (*(scan.remarks if scan else ()), *measurements.remarks)
    record["remarks"] = [remark.as_dict() for remark in remarks]
    deliver(record, words + remark_lines(remarks), options.json)
    return 0
