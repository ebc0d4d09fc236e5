"""Reads the pickled weights of others without running anything that is in them."""

from __future__ import annotations

import re
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import HTSegError, InputError, MissingPackageError

_SAFE_TORCH = (2, 6)
"""Earlier versions could be made to run code even by ``weights_only`` (CVE-2025-32434)."""

_NUMPY_TYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
"""Numbers that nnU-Net's log of the training may hold."""

_AGAIN = "copy or download it again"
"""What helps a file that was damaged on its way."""


def load_pickle(path: str | Path, *, numpy_scalars: bool = False) -> Any:
    """Reads a ``.pt`` or ``.pth`` file: tensors, numbers, texts and containers of them.

    Only names of a short list are looked up while it is read, so that a file made to run code is refused before it can.

    Args:
        path: The file.
        numpy_scalars: Whether single NumPy numbers are taken, too, which nnU-Net's checkpoints hold in their log.

    Raises:
        InputError: It asks for anything else, is TorchScript, which is a program, or is not whole.
        MissingPackageError: torch is not installed.
        HTSegError: The torch that is installed is too old to do this safely.
    """
    file = Path(path)
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingPackageError("torch", "to read a network's weights", "dl") from error
    version = tuple(int(number) for number in re.findall(r"\d+", torch.__version__)[:2])
    if version < _SAFE_TORCH:
        raise HTSegError(f"torch {torch.__version__} is too old to read {file} safely; pip install 'torch>=2.6'")
    _require_plain_container(file)
    try:
        with torch.serialization.safe_globals(_numpy_globals() if numpy_scalars else []), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        # What a damaged or hostile file raises is as many-sided as pickle is.
        asked = re.search(r"GLOBAL ([\w.]+)|(?:class|type) '?<?(?:class )?'?([\w.]+)", str(error))
        if asked:
            problem = (
                f"it is a pickle that asks for {asked[1] or asked[2]}, which weights do not need; nothing of it was run"
            )
            raise InputError(file, problem, "use weights from a source that you trust, best as safetensors") from error
        raise InputError(file, "it is no file of PyTorch's weights, or not whole; nothing of it was run", _AGAIN) from error


def _require_plain_container(file: Path) -> None:
    """Checks the file around the pickle: neither TorchScript, nor the old tar format, nor compressed to a bomb."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
            if any(entry.filename.endswith("/constants.pkl") or "/code/" in entry.filename for entry in entries):
                raise InputError(file, "it is TorchScript, a program and not weights", "give its state dict or safetensors")
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise InputError(file, "its parts are compressed, which PyTorch never does", "give the file PyTorch wrote")
        elif tarfile.is_tarfile(file):
            raise InputError(file, "it is in the tar format of PyTorch before 0.4", "save it again with a later PyTorch")
    except OSError as error:
        raise InputError(file, (error.strerror or str(error)).lower(), "check the name and the permissions") from error
    except zipfile.BadZipFile as error:
        raise InputError(file, "it is not whole", _AGAIN) from error


def _numpy_globals() -> list[Any]:
    """What a pickle needs to make single numbers of NumPy's, under the names of NumPy 1 and 2."""
    import numpy as np

    scalar = np.float64(0).__reduce__()[0]
    names = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*names, np.dtype, *(type(np.dtype(name)) for name in _NUMPY_TYPES)]
