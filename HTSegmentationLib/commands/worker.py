"""Segments scans on request of another program: JSON lines on stdin, JSON lines on stdout; a model stays loaded.

A request is {"id": 1, "command": "segment", "method": "NAME", "ct": "FILE", "output": "MASK"}, with "roi", "model" (a
model folder), "probability" and "options": {"device": "cpu", "parameters": "FILE"} if wanted; {"command": "shutdown"} ends
the worker once all is done. When stdin ends without it, the worker ends at once.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from HTSegmentationLib.inference.worker.protocol import Request
    from HTSegmentationLib.segmenter import Segmenter

HELP = "serve another program: requests on stdin, results on stdout"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments; there are none."""


def run(options: argparse.Namespace) -> int:  # noqa: ARG001
    """Runs the command."""
    from HTSegmentationLib.inference.worker.streams import claim_streams

    requests, answers = claim_streams()
    from HTSegmentationLib.export.mask_files import require_mask_path, write_mask
    from HTSegmentationLib.inference.worker.job import Tools
    from HTSegmentationLib.inference.worker.server import serve

    return serve(requests, answers, Tools(_segmenter, require_mask_path, write_mask))


def _segmenter(request: Request) -> Segmenter:
    from HTSegmentationLib.methods import method

    return method(request.model or request.method).make(request.parameters, device=request.device)
