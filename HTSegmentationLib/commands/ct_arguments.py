"""The flags of every command that reads a CT."""

from __future__ import annotations

import argparse


def add_ct_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say how a CT is read."""
    group = parser.add_argument_group("reading the CT")
    group.add_argument("--series", metavar="S", help="which DICOM series: its number or its instance UID")
    add_hu_flags(group)


def add_hu_flags(group: argparse._ActionsContainer) -> None:
    """Adds the flags that say what a CT's values are, for one CT or for all of a table."""
    group.add_argument("--assume-hu", action="store_true", help="take the values as HU even if they do not look like it")
    group.add_argument("--hu-offset", type=float, default=0.0, metavar="HU", help="add this to every value, as -1024")


def ct_options(options: argparse.Namespace) -> dict[str, object]:
    """The keyword arguments of ``read_ct`` that the flags stand for."""
    return {"series": options.series, "assume_hu": options.assume_hu, "hu_offset": options.hu_offset}
