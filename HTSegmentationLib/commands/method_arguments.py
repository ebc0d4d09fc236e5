"""The flags of every command that segments: which method, with which parameters, where."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from HTSegmentationLib.methods import DEFAULT_METHOD, METHOD_HELP

if TYPE_CHECKING:
    from HTSegmentationLib.methods import Method
    from HTSegmentationLib.segmenter import Segmenter


def add_method_flags(parser: argparse.ArgumentParser | argparse._ArgumentGroup, *, parameters: bool = True) -> None:
    """Adds --method, --device and, unless the command takes none, --parameters."""
    parser.add_argument("--method", default=DEFAULT_METHOD, metavar="NAME", help=f"{METHOD_HELP}; default: %(default)s")
    if parameters:
        parser.add_argument("--parameters", metavar="FILE", help="parameters of adaptive, global or robust, .json or .toml")
    parser.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="where a network runs: auto, cpu, cuda, cuda:N or mps; default: %(default)s",
    )


def chosen_method(options: argparse.Namespace) -> tuple[Method, Segmenter]:
    """The method that the flags name, and its segmenter.

    Raises:
        UsageError: There is no such method, or the flags do not go together.
        InputError: The parameter file or the model cannot be used.
    """
    from HTSegmentationLib.methods import method

    chosen = method(options.method)
    return chosen, chosen.make(getattr(options, "parameters", None), device=options.device)
