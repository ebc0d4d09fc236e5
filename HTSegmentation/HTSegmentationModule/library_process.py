"""The library's commands in Slicer's own Python beside Slicer: they import what must not be loaded into the window."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.progress import Progress
from HTSegmentationModule.network_worker import pythonProgram
from HTSegmentationModule.translation import tr as _

_BEAT_S = 0.1
"""How often the caller is asked whether to go on."""

_START = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("HTSegmentationLib", sys.argv.pop(1))
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[spec.name])
from HTSegmentationLib.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""Runs a command of this very library, wherever else another one may be installed."""


def environmentRecord(progress: Progress) -> dict[str, Any]:
    """What works on this computer and what is missing, as ``htseg check --json -`` says it; takes some seconds.

    Args:
        progress: Asked whether to go on.

    Raises:
        HTSegError: The check itself failed.
        Cancelled: The progress said so.
    """
    import HTSegmentationLib

    command = [pythonProgram(), "-c", _START, HTSegmentationLib.__file__, "check", "--json", "-"]
    text = runProgram(command, progress, _("checking"))
    try:
        return json.loads(text)
    except ValueError as error:
        raise HTSegError(_("this computer could not be checked; install the extension HTSegmentation again")) from error


def runProgram(command: Sequence[str], progress: Progress, stage: str) -> str:
    """Runs a program to its end.

    Args:
        command: Program and arguments; no shell.
        progress: Told of the stage, and asked several times a second whether to go on.
        stage: What is done.

    Returns:
        What it wrote to stdout; its exit status is for the caller to read from that.

    Raises:
        HTSegError: It cannot be started.
        Cancelled: The progress said so; the program is ended.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  (our own Python and our own arguments)
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise HTSegError(_("{program} cannot be started: {reason}").format(program=command[0], reason=reason)) from error
    try:
        while True:
            try:
                return process.communicate(timeout=_BEAT_S)[0]
            except subprocess.TimeoutExpired:  # noqa: PERF203  (ten times a second)
                progress(stage, 0.0)
    except BaseException:
        process.kill()
        process.communicate()
        raise
