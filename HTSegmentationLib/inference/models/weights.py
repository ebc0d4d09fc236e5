"""Weights: read from safetensors, and nothing but tensors taken from the pickles of others."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HTSegmentationLib import files
from HTSegmentationLib.errors import InputError, MissingPackageError
from HTSegmentationLib.inference.models.fields import quoted

if TYPE_CHECKING:
    from torch import Tensor

_LENGTH_BYTES = 8
"""A safetensors file begins with the length of its header, little-endian."""

_LARGEST_HEADER_BYTES = 100_000_000
"""The format's own limit."""

_BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64"), 64),
}
"""Bits of one number of each type that the format knows."""

_COUNTED = ("running_mean", "running_var", "num_batches_tracked")
"""What batch norms keep beside what they learn."""

_AGAIN = "copy or download it again"
"""What helps a file that was damaged on its way."""


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file in hexadecimal.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return files.sha256_of(Path(path))
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "check the name and the permissions") from error


def require_sha256(path: str | Path, sha256: str) -> None:
    """Checks that a file is the one that was meant.

    Raises:
        InputError: It has another SHA-256, or cannot be read.
    """
    found = sha256_of(path)
    if found != sha256.lower():
        raise InputError(path, f"its SHA-256 is {found} and not {sha256.lower()}", f"{_AGAIN}; do not use it as it is")


def tensor_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a safetensors file, from its header, without any deep-learning library.

    Raises:
        InputError: It is no safetensors file, or a part of it is missing.

    Example:
        >>> tensor_shapes("weights.safetensors")["final.bias"]   # doctest: +SKIP
        (2,)
    """
    try:
        with Path(path).open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 0 < length <= _LARGEST_HEADER_BYTES:
                raise InputError(path, "it is no safetensors file", "give weights in that format")
            header = json.loads(file.read(length))
        held = Path(path).stat().st_size - _LENGTH_BYTES - length
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "check the name and the permissions") from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, "it is no safetensors file, or its beginning is damaged", _AGAIN) from error
    if not isinstance(header, dict):
        raise InputError(path, "it is no safetensors file", "give weights in that format")
    header.pop("__metadata__", None)
    end = 0
    for name, entry in header.items():
        if not _is_whole_entry(entry):
            raise InputError(path, f"its tensor {quoted(name)} is not described as the format asks", _AGAIN)
        end = max(end, entry["data_offsets"][1])
    if held != end:
        raise InputError(path, f"it holds {held} bytes of tensors and not {end}: it is not whole", _AGAIN)
    return {name: tuple(entry["shape"]) for name, entry in header.items()}


def load_tensors(path: str | Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Reads the tensors of a safetensors file into the processor's memory.

    Args:
        path: The file.
        sha256: What its SHA-256 must be; None when that was checked before.

    Raises:
        InputError: It is another file than meant, no safetensors file, or not whole.
        MissingPackageError: torch or safetensors is not installed.
    """
    if sha256 is not None:
        require_sha256(path, sha256)
    tensor_shapes(path)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    try:
        return load_file(str(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, f"its tensors cannot be read ({error})", _AGAIN) from error


def save_tensors(path: str | Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes tensors as safetensors; each gets memory of its own, as the format asks.

    Raises:
        MissingPackageError: torch or safetensors is not installed.
        OSError: It cannot be written.
    """
    try:
        from safetensors.torch import save
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    Path(path).write_bytes(save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}))


def require_tensors(values: Any, path: str | Path) -> dict[str, Tensor]:
    """Checks that what a pickle gave is a dict of plain tensors by their names.

    Raises:
        InputError: It is not, or a tensor claims to be larger than the numbers that it holds.
    """
    import torch

    if not isinstance(values, Mapping) or not values:
        raise InputError(path, f"it holds {type(values).__name__} and not weights by their names", "give a state dict")
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise InputError(path, f"its entry {quoted(name)} is {type(value).__name__} and no tensor", "give a state dict")
        strided = value.layout is torch.strided and not value.is_quantized
        if not strided or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InputError(path, f"its tensor {quoted(name)} is no plain array of numbers", "give a plain state dict")
    return dict(values)


def trained_numbers(tensors: Mapping[str, Tensor]) -> int:
    """How many numbers of a state dict were trained; what batch norms counted on the way was not."""
    return sum(tensor.numel() for name, tensor in tensors.items() if name.rpartition(".")[2] not in _COUNTED)


def _is_whole_entry(entry: Any) -> bool:
    """Whether a tensor's entry says type, shape and place, and these agree."""
    try:
        first, last = entry["data_offsets"]
        shape = entry["shape"]
        numbers = [first, last, *shape]
        plain = all(isinstance(number, int) and number >= 0 for number in numbers)
        return plain and (last - first) * 8 == math.prod(shape) * _BITS[entry["dtype"]]
    except (KeyError, TypeError, ValueError):
        return False


def _missing(error: ModuleNotFoundError) -> MissingPackageError:
    return MissingPackageError(error.name or "safetensors", "to read a network's weights", "dl")
