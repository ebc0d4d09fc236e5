"""Segments, measures and compares all cases of a table; a stopped run goes on with the same command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from HTSegmentationLib.commands.ct_arguments import add_hu_flags
from HTSegmentationLib.commands.method_arguments import add_method_flags

if TYPE_CHECKING:
    from HTSegmentationLib.cohort.batch.run import BatchSummary
    from HTSegmentationLib.cohort.manifest import Manifest

HELP = "segment all cases of a table"

_MOST_PROBLEMS = 50
"""Problems of a table that are shown; the rest is counted."""

_MOST_FAILURES = 20
"""Failed cases that are shown; results.csv has them all."""

_FAILED, _WRONG_USAGE, _CTRL_C = 1, 2, 130
"""Exit statuses; the last is what shells expect of a program that Ctrl+C ended."""

_EPILOG = """\
The table has the columns case_id, image and roi and, if wanted, reference, ht_type, baseline,
baseline_roi and series; paths are relative to it, several ROIs of a case are separated by |.
"htseg manifest" drafts one. DIR gets results.csv, timings.csv, batch.json, and the folders masks,
records and previews. The exit status is 0 when all cases went well, 1 when one failed or the run was
stopped (130 by Ctrl+C), 2 for wrong usage.

On a cluster, where all machines see the same folders under the same names
(pip install 'htsegmentation[cluster]'), start on one machine
  dask scheduler
and on each of the others one worker a core with bounded memory
  dask worker ADDRESS --nworkers N --nthreads 1 --memory-limit 1GB
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("manifest", metavar="CSV", help="the table of cases")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for all results; the same one to go on")
    method = parser.add_argument_group("method")
    add_method_flags(method)
    method.add_argument(
        "--roi",
        choices=("drawn", "auto"),
        default="drawn",
        help="drawn: the column roi; auto: found by the program in each scan; default: %(default)s",
    )
    reading = parser.add_argument_group("reading the CTs")
    add_hu_flags(reading)
    output = parser.add_argument_group("output")
    output.add_argument("--preview", action="store_true", help="a picture of each case (needs matplotlib)")
    output.add_argument("--parquet", action="store_true", help="results.parquet beside results.csv (needs pyarrow)")
    output.add_argument("--force", action="store_true", help="do all cases again, whatever is there")
    output.add_argument(
        "--skip-invalid", action="store_true", help="go on with the other cases when rows of the table cannot be used"
    )
    work = parser.add_argument_group("how the work is done (changes no result)")
    work.add_argument("--jobs", type=int, metavar="N", help="cases at once; default: as cores and free memory allow")
    work.add_argument("--timeout", type=float, metavar="S", help="give a case up that takes longer, in s")
    work.add_argument("--scheduler", metavar="ADDRESS", help="hand the cases to a Dask cluster, as tcp://10.0.0.1:8786")


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    from HTSegmentationLib.cohort.batch.run import BatchOptions, run_batch
    from HTSegmentationLib.cohort.batch.settings import BatchSettings
    from HTSegmentationLib.cohort.manifest import read_manifest
    from HTSegmentationLib.commands.batch_progress import BatchProgress
    from HTSegmentationLib.methods import method

    manifest = read_manifest(options.manifest, needs_roi=method(options.method).needs_roi and options.roi == "drawn")
    _tell_problems(manifest)
    if manifest.table_problems or (manifest.problems and not options.skip_invalid):
        return _WRONG_USAGE
    settings = BatchSettings(
        options.method,
        options.parameters,
        options.assume_hu,
        options.hu_offset,
        options.device,
        automatic_roi=options.roi == "auto",
    )
    wanted = BatchOptions(
        jobs=options.jobs,
        timeout_s=options.timeout,
        scheduler=options.scheduler,
        preview=options.preview,
        parquet=options.parquet,
        force=options.force,
        skip_invalid=options.skip_invalid,
    )
    progress = BatchProgress()
    try:
        summary = run_batch(manifest, options.output, settings, wanted, progress)
    finally:
        progress.clear()
    return _report(summary, manifest, options.output)


def _tell_problems(manifest: Manifest) -> None:
    import sys

    lines = [f"{manifest.path}: {problem}" for problem in manifest.problems[:_MOST_PROBLEMS]]
    if len(manifest.problems) > _MOST_PROBLEMS:
        lines.append(f"{manifest.path}: and {len(manifest.problems) - _MOST_PROBLEMS} more problems")
    if manifest.problems and not manifest.table_problems:
        ready = len(manifest.ready)
        advice = "mend the table, or give --skip-invalid to do these alone"
        lines.append(f"{ready} of {len(manifest.cases)} cases can be worked on; {advice}")
    sys.stderr.writelines(f"htseg batch: {line}\n" for line in lines)


def _report(summary: BatchSummary, manifest: Manifest, folder: str) -> int:
    """Says how it ended, and gives the exit status."""
    from HTSegmentationLib.cohort.cells import one_line
    from HTSegmentationLib.commands.batch_progress import duration
    from HTSegmentationLib.commands.console import say
    from HTSegmentationLib.commands.words import remark_lines, row

    state = summary.state
    kept = f" ({state.kept} of them before)" if state.kept else ""
    say(row("Cases", f"{state.total}: {state.done} done{kept}, {state.failed} failed, in {duration(state.seconds)}"))
    say(row("Results", f"{summary.place.results.name} and its folders in {folder}"))
    failures = list(summary.failures.items())
    if failures:
        say("\nFailed")
    for case_id, reason in failures[:_MOST_FAILURES]:
        say(row(case_id, one_line(reason)))
    if len(failures) > _MOST_FAILURES:
        say(f"and {len(failures) - _MOST_FAILURES} more; results.csv has them all")
    for line in remark_lines((*manifest.remarks, *summary.remarks)):
        say(line)
    if summary.stop.wanted:
        left = state.total - state.done - state.failed
        who = "Ctrl+C" if summary.stop.by_keyboard else "the system"
        say(f"\nStopped by {who} with {left} cases left; what is done is kept, the same command goes on from here.")
        return _CTRL_C if summary.stop.by_keyboard else _FAILED
    return _FAILED if failures else 0
