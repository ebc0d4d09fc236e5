"""The command line, ``htseg``: finds the subcommand, runs it, and turns errors into one line and an exit status."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.version import __version__

_COMMANDS = (
    "segment",
    "suggest",
    "measure",
    "manifest",
    "batch",
    "evaluate",
    "compare",
    "calibrate",
    "train",
    "nnunet",
    "models",
    "check",
    "simulate",
    "demo",
    "worker",
)
"""The modules of the folder ``commands``, in the order in which the help lists them."""

_TAKES_NEGATIVE_NUMBERS = ("--roi-box",)
"""Flags whose value may begin with a minus and holds commas, which argparse would take for a flag of its own."""

_FAILED = 1
"""Exit status when the work failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words after ``htseg``; those of the process when None.

    Returns:
        0 when all went well, 1 when the work failed; wrong usage ends with 2.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(joined(words))
    try:
        return options.run(options)
    except HTSegError as error:
        return _fail(options, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail(options, "stopped by the user")
    except MemoryError:
        return _fail(options, "out of memory; close other programs or use a machine with more")
    except BrokenPipeError:
        sys.stderr.close()
        return _FAILED
    except Exception as error:
        text = " ".join(str(error).split())
        return _fail(options, f"unexpected {type(error).__name__}: {text}; please report it with the output of --debug")


def _fail(options: argparse.Namespace, text: str, status: int = _FAILED) -> int:
    if options.debug:
        raise  # noqa: PLE0704  (called only while an error is handled)
    sys.stderr.write(f"htseg {options.command}: {text}\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="htseg",
        description="Segments hemorrhagic transformation on non-contrast head CT and measures it. "
        "Research software, not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"htseg {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in _COMMANDS:
        module = importlib.import_module(f"HTSegmentationLib.commands.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        command.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
        command.set_defaults(run=module.run)
        module.add_arguments(command)
    return parser


def joined(words: list[str]) -> list[str]:
    """``--roi-box -10,20,...`` as ``--roi-box=-10,20,...``, which argparse does not take for a flag."""
    kept: list[str] = []
    for word in words:
        if kept and kept[-1] in _TAKES_NEGATIVE_NUMBERS:
            kept[-1] += f"={word}"
        else:
            kept.append(word)
    return kept
