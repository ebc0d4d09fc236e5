"""Simulates a case, segments it and shows the measurements beside the truth: a first look without any data."""

from __future__ import annotations

import argparse

from HTSegmentationLib.commands.case_arguments import add_case_flags, case_parameters, made_folder
from HTSegmentationLib.commands.method_arguments import add_method_flags

HELP = "try everything on a simulated case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.add_argument("--output", default="htseg-demo", metavar="DIR", help="folder for all files; default: %(default)s")
    add_method_flags(parser, parameters=False)
    parser.add_argument("--json", metavar="FILE", help="the record as JSON; - for stdout instead of words")
    add_case_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.cohort.simulated import write_case
    from HTSegmentationLib.commands.console import ProgressLine, deliver
    from HTSegmentationLib.commands.method_arguments import chosen_method
    from HTSegmentationLib.commands.record import overlap_words, result_words
    from HTSegmentationLib.commands.words import row
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.export.mask_files import write_mask
    from HTSegmentationLib.export.preview import write_preview
    from HTSegmentationLib.export.record import result_record
    from HTSegmentationLib.files import write_json, write_text
    from HTSegmentationLib.measure.mask import measure_mask
    from HTSegmentationLib.measure.overlap import measure_overlap
    from HTSegmentationLib.progress import part_of
    from HTSegmentationLib.simulate.head import simulate_head

    parameters = case_parameters(options)
    if not parameters.has_hemorrhage:
        raise UsageError("the demo needs a bleed to segment; choose --type HI2 or PH")
    folder = made_folder(options.output)
    _, segmenter = chosen_method(options)
    progress = ProgressLine()
    try:
        progress("simulating", 0.0)
        case = simulate_head(parameters)
        result = segmenter.run(case.scan, case.roi, part_of(progress, 0.6, 0.8))
        measurements = measure_mask(result.mask, case.scan.image)
        overlap = measure_overlap(result.mask, case.hemorrhage)
        progress("writing", 0.8)
        files = write_case(case, folder)
        for name in ("mask.nii.gz", "mask.seg.nrrd"):
            write_mask(folder / name, result.mask, result.labels)
            files[name] = str(folder / name)
        files["picture"] = str(folder / "preview.png")
        title = f"Simulated {options.type}, {case.true_volume_ml:.1f} mL, Dice {overlap.dice:.2f}"
        write_preview(files["picture"], case.scan.image, result.mask, roi=case.roi, reference=case.hemorrhage, title=title)
    finally:
        progress.clear()
    record = result_record(case.scan, case.roi, result, measurements)
    record |= {"truth": {"volume_ml": case.true_volume_ml}, "overlap": overlap.as_dict(), "files": files}
    words = [row("Case", f"simulated {options.type}, seed {parameters.seed}: no patient, an image made by this program")]
    truth = (
        f"{case.true_volume_ml:.2f} mL of blood; voxels that it fills by half or more: {overlap.reference_volume_ml:.2f} mL"
    )
    words += [row("True volume", truth), *overlap_words(overlap)]
    words += result_words(segmenter.title, result, measurements)
    write_text(folder / "report.txt", "\n".join(words) + "\n")
    write_json(folder / "report.json", record)
    deliver(record, [*words, "", f"Picture, masks and report are in {folder}"], options.json)
    return 0
