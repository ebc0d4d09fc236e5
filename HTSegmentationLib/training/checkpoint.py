"""A fold's state in one file: all that is needed to go on as if nothing had happened."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.files import written_whole
from HTSegmentationLib.inference.device import import_torch

CHECKPOINT_FORMAT = 1
"""Raised when an entry changes its name or its meaning."""

_AGAIN = "take this file away to train the fold anew, or copy it from a backup"


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Writes a state, whole or not at all: the one before it stays until this one is complete.

    Args:
        path: The file.
        state: Tensors, numbers and texts in dicts, lists and tuples.

    Raises:
        OutputError: It cannot be written, as on a full disk; the one before it is still there.

    Example:
        >>> save_checkpoint("/tmp/checkpoint.pt", {"epoch": 3})   # doctest: +SKIP
    """
    memory = io.BytesIO()
    # In memory first: PyTorch's own writer turns a full disk into an error that says nothing of it.
    import_torch().save({"format": CHECKPOINT_FORMAT, **state}, memory)
    with written_whole(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


def load_checkpoint(path: str | Path) -> dict[str, Any] | None:
    """Reads a state; None where there is none.

    Only tensors, numbers and texts are taken out of the file, so that it cannot run code.

    Raises:
        InputError: It is damaged, or from another version.
    """
    torch = import_torch()
    file = Path(path)
    if not file.is_file():
        return None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise InputError(file, "this checkpoint cannot be read, it is damaged", _AGAIN) from error
    if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
        raise InputError(file, "this checkpoint is from another version of HTSegmentation", _AGAIN)
    return state
