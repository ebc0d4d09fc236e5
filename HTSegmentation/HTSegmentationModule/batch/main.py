"""The batch as one call: from words to an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from HTSegmentationLib.errors import HTSegError
from HTSegmentationModule.batch.arguments import PROGRAM, Batch, parse
from HTSegmentationModule.batch.run import runCases, sentence


def main(words: Sequence[str]) -> int:
    """Runs the batch in Slicer.

    Args:
        words: What the command line gives after the script's name.

    Returns:
        The exit status: 0 all went well, 1 something failed, 2 wrong usage.
    """
    try:
        batch = parse(words)
        return _run(batch)
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 1
    except HTSegError as error:
        return _fail(error, error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write(f"{PROGRAM}: stopped by the user\n")
        return 1
    except Exception as error:
        return _fail(error, 1)


def _run(batch: Batch) -> int:
    from HTSegmentationLib.commands.case_arguments import made_folder
    from HTSegmentationLib.files import require_writable
    from HTSegmentationModule.batch.files import SlicerFiles
    from HTSegmentationModule.batch.one_case import OneCase
    from HTSegmentationModule.logic import HTSegmentationLogic

    if batch.folder is not None:
        made_folder(str(batch.folder))
    if batch.table is not None:
        require_writable(batch.table)
    logic = HTSegmentationLogic()
    try:
        return runCases(batch, OneCase(batch, logic, SlicerFiles()))
    finally:
        logic.close()


def _fail(error: Exception, status: int) -> int:
    sys.stderr.write(f"{PROGRAM}: {sentence(error)}\n")
    return status
