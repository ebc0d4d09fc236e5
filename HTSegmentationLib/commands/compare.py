"""Compares the bleed in two scans of one patient: aligns them by the skull and measures how much it has grown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.case_arguments import made_folder
from HTSegmentationLib.commands.ct_arguments import add_ct_flags, ct_options
from HTSegmentationLib.commands.method_arguments import add_method_flags

if TYPE_CHECKING:
    import SimpleITK as sitk

    from HTSegmentationLib.cohort.growth import Growth
    from HTSegmentationLib.ct.scan import CTScan
    from HTSegmentationLib.progress import Progress
    from HTSegmentationLib.remark import Remark
    from HTSegmentationLib.segmenter import Segmenter

HELP = "measure a bleed's growth between two scans"

_BASELINE_MASK, _FOLLOWUP_MASK = "baseline-mask.nii.gz", "followup-mask.nii.gz"
_ALIGNED, _TRANSFORM = "followup-on-baseline.nii.gz", "baseline-to-followup.tfm"
_PICTURE, _RECORD = "compare.png", "compare.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("baseline", metavar="BASELINE", help="the first CT: DICOM folder or file, NIfTI, NRRD or MetaImage")
    parser.add_argument("followup", metavar="FOLLOWUP", help="the later CT of the same patient")
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for the masks, the follow-up on the baseline's grid, the transform, a picture and the record",
    )
    bleeds = parser.add_argument_group("the bleed in each scan (a mask, or an ROI to segment it in)")
    bleeds.add_argument("--baseline-mask", metavar="MASK", help="the bleed in the baseline, on its grid")
    bleeds.add_argument("--followup-mask", metavar="MASK", help="the bleed in the follow-up, on its grid")
    bleeds.add_argument("--label", type=int, metavar="N", help="count the voxels of this value of the masks only")
    roi = {"action": "append", "metavar": "FILE"}
    bleeds.add_argument("--baseline-roi", **roi, help="ROI in the baseline: markups or mask; repeat it for a union")
    bleeds.add_argument("--roi", **roi, help="ROI in the follow-up")
    add_method_flags(bleeds)
    parser.add_argument("--no-align", action="store_true", help="compare the volumes only")
    parser.add_argument("--no-picture", action="store_true", help="write no compare.png (it needs matplotlib)")
    parser.add_argument("--json", metavar="FILE", help="the record also here; - for stdout instead of words")
    parser.add_argument("--baseline-series", metavar="S", help="as --series, for the baseline; --series is the follow-up's")
    add_ct_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.cohort.growth import compare_scans
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.method_arguments import chosen_method
    from HTSegmentationLib.ct.read import read_ct
    from HTSegmentationLib.files import write_json
    from HTSegmentationLib.progress import part_of

    _, segmenter = chosen_method(options)
    _check(options)
    folder = Path(options.output)
    progress = ProgressLine()
    try:
        series = {"baseline": options.baseline_series, "followup": options.series}
        scans, masks, remarks = [], [], []
        for number, name in enumerate(("baseline", "followup")):
            start = 0.3 * number
            path, reading = getattr(options, name), ct_options(options) | {"series": series[name]}
            scan = read_ct(path, **reading, progress=part_of(progress, start, start + 0.1))
            mask, more = _mask(options, name, scan, segmenter, part_of(progress, start + 0.1, start + 0.3))
            scans.append(scan)
            masks.append(mask)
            remarks += [(name, remark) for remark in (*scan.remarks, *more)]
        step = part_of(progress, 0.6, 0.9)
        growth = compare_scans(scans[0], masks[0], scans[1], masks[1], align=not options.no_align, progress=step)
        progress("writing", 0.9)
        files = _write(folder, scans, masks, growth, picture=not options.no_picture)
    finally:
        progress.clear()
    told = [{"scan": name} | remark.as_dict() for name, remark in dict.fromkeys(remarks)]
    record = {"baseline": options.baseline, "followup": options.followup, **growth.as_dict()}
    record |= {"scan_remarks": told, "files": files}
    write_json(folder / _RECORD, record)
    deliver(record, _words(growth, remarks, folder), options.json)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Everything that can be refused before work is done."""
    from HTSegmentationLib.commands.console import require_not_input
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.export.preview import require_preview_path
    from HTSegmentationLib.files import require_writable

    for name, mask, roi in (
        ("baseline", options.baseline_mask, options.baseline_roi),
        ("follow-up", options.followup_mask, options.roi),
    ):
        if (mask is None) == (roi is None):
            flags = "--baseline-mask or --baseline-roi" if name == "baseline" else "--followup-mask or --roi"
            raise UsageError(f"say where the bleed of the {name} is: give {flags}, one of the two")
    if options.label is not None and options.label < 1:
        raise UsageError(f"--label {options.label}: a label is 1 or more; 0 is the background")
    folder = Path(options.output)
    names = (_BASELINE_MASK, _FOLLOWUP_MASK, _ALIGNED, _TRANSFORM, _PICTURE, _RECORD)
    inputs = [options.baseline, options.followup, options.baseline_mask, options.followup_mask, options.parameters]
    inputs += [*(options.baseline_roi or []), *(options.roi or [])]
    outputs = [*(str(folder / name) for name in names), options.json]
    require_not_input(outputs, [name for name in inputs if name])
    made_folder(options.output)
    if not options.no_picture:
        require_preview_path(folder / _PICTURE)
    if options.json not in (None, "-"):
        require_writable(options.json)


def _mask(
    options: argparse.Namespace, name: str, scan: CTScan, segmenter: Segmenter, progress: Progress
) -> tuple[sitk.Image, tuple[Remark, ...]]:
    """The bleed as 0 and 1: read, or segmented here."""
    from HTSegmentationLib.roi import read_mask, read_roi

    given = getattr(options, f"{name}_mask")
    if given is not None:
        return read_mask(given, options.label)
    roi = read_roi(options.baseline_roi if name == "baseline" else options.roi, scan.image)
    result = segmenter.run(scan, roi, progress)
    return result.mask, result.remarks


def _write(folder: Path, scans: list[CTScan], masks: list[sitk.Image], growth: Growth, *, picture: bool) -> dict[str, str]:
    import SimpleITK as sitk

    from HTSegmentationLib.cohort.growth import on_baseline, scan_on_baseline
    from HTSegmentationLib.export.image_files import write_image
    from HTSegmentationLib.export.mask_files import write_mask
    from HTSegmentationLib.export.pair_preview import write_pair_preview
    from HTSegmentationLib.files import written_whole

    written = [_BASELINE_MASK, _FOLLOWUP_MASK]
    for name, mask in zip(written, masks, strict=True):
        write_mask(folder / name, mask)
    if growth.alignment is not None:
        grid = scans[0].image
        aligned = scan_on_baseline(scans[1].image, grid, growth.alignment)
        write_image(folder / _ALIGNED, aligned)
        with written_whole(folder / _TRANSFORM) as temporary:
            sitk.WriteTransform(growth.alignment.transform, str(temporary))
        written += [_ALIGNED, _TRANSFORM]
        if picture:
            bleeds = masks[0], on_baseline(masks[1], grid, growth.alignment)
            write_pair_preview(folder / _PICTURE, (grid, aligned), bleeds, caption="\n".join(_volume_words(growth)))
            written.append(_PICTURE)
    return {name: str(folder / name) for name in written}


def _volume_words(growth: Growth) -> list[str]:
    volumes = f"Baseline {growth.baseline_volume_ml:.2f} mL, follow-up {growth.followup_volume_ml:.2f} mL"
    lines = [f"{volumes}: {growth.verdict}."]
    if growth.alignment is not None:
        found = growth.alignment
        doubt = "; DOUBTFUL, see the remarks" if found.doubtful else ""
        lines.append(f"Skulls {found.residual_mm:.1f} mm apart after alignment (95th percentile){doubt}.")
    return lines


def _words(growth: Growth, remarks: list[tuple[str, Remark]], folder: Path) -> list[str]:
    from HTSegmentationLib.commands.words import remark_lines, row

    words = [row("Baseline volume", f"{growth.baseline_volume_ml:.2f} mL")]
    words += [row("Follow-up volume", f"{growth.followup_volume_ml:.2f} mL"), row("Change", growth.verdict)]
    by_definition = [
        name
        for name, met in (
            ("more than 6 mL or 33%", growth.expansion_6ml_or_33percent),
            ("more than 12.5 mL", growth.expansion_12_5ml),
        )
        if met
    ]
    words.append(row("Expansion", f"yes: {', '.join(by_definition)}" if by_definition else "no, by none of the definitions"))
    if growth.alignment is not None:
        doubt = ", doubtful" if growth.alignment.doubtful else ""
        distance = f"skulls {growth.alignment.residual_mm:.1f} mm apart (95th percentile){doubt}"
        words += [row("Alignment", distance), row("Dice, aligned", f"{growth.dice:.3f}")]
    words += remark_lines(growth.remarks)
    for name, title in (("baseline", "Baseline"), ("followup", "Follow-up")):
        lines = remark_lines(dict.fromkeys(remark for scan, remark in remarks if scan == name))
        words += [line.replace("Remarks", f"{title}: remarks") if line == "Remarks" else line for line in lines]
    return [*words, "", f"Masks, transform, picture and record are in {folder}"]
