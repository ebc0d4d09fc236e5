"""Installs what users bring: a model folder, nnU-Net's, a MONAI Bundle, packed or not, or an address with its SHA-256."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from HTSegmentationLib.errors import InputError, OutputError, UsageError
from HTSegmentationLib.inference.models.archive import unpack
from HTSegmentationLib.inference.models.blast_ct import ALL_MODELS, write_blast_ct
from HTSegmentationLib.inference.models.download import OpenAddress, download
from HTSegmentationLib.inference.models.folder import MODEL_FILE, read_model
from HTSegmentationLib.inference.models.monai_bundle import bundle_folders, write_bundle
from HTSegmentationLib.inference.models.nnunet_folder import nnunet_folders, write_nnunet
from HTSegmentationLib.inference.models.place import models_folder
from HTSegmentationLib.inference.models.store import InstalledModel, add_model, staged
from HTSegmentationLib.inference.models.weights import require_sha256
from HTSegmentationLib.progress import Progress, part_of, silent

_BESIDE = r"(?i)(licen[cs]e|notice|readme|citation|changelog|authors)[\w.-]*|[\w.-]+\.(md|txt|rst|png|jpg|pdf)"
"""What may lie in a model folder beside description and weights: words and pictures."""

_KINDS = "a folder with model.json, a folder that nnU-Net trained, a MONAI Bundle, or a zip or tar.gz of one of these"
"""What can be installed."""


def install(
    source: str | Path,
    *,
    sha256: str | None = None,
    name: str | None = None,
    force: bool = False,
    open_address: OpenAddress | None = None,
    progress: Progress = silent,
) -> InstalledModel:
    """Installs a model, whole or not at all.

    Args:
        source: A folder, an archive, or an ``https://`` address of an archive.
        sha256: SHA-256 that the archive must have; needed with an address.
        name: Name of an nnU-Net model or MONAI Bundle; None for one made of what they say. Model folders have a name.
        force: Whether an installed model of the same name is replaced.
        open_address: How addresses are opened; None for the usual way.
        progress: Told of each step.

    Returns:
        The installed model, with remarks on what could not be checked.

    Raises:
        UsageError: An address without ``sha256`` or https, or a folder with ``sha256``.
        InputError: It is no model, is damaged, or holds what models do not hold; nothing was changed.
        OutputError: The store cannot be written to, or the disk is full; nothing was changed.

    Example:
        >>> install("se-unet.zip").name   # doctest: +SKIP
        'se-unet'
    """
    text = str(source)
    with staged(text) as stage:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
            archive = stage / "archive"
            how = {} if open_address is None else {"open_address": open_address}
            download(text, archive, sha256, progress=part_of(progress, 0.0, 0.5), **how)
        else:
            archive = Path(source)
            if sha256 is not None and archive.is_dir():
                raise UsageError(f"{source}: --sha256 goes with an archive, and this is a folder")
            if sha256 is not None:
                require_sha256(archive, sha256)
        root = archive
        if not archive.is_dir():
            root = stage / "unpacked"
            root.mkdir()
            unpack(archive, root, part_of(progress, 0.5, 0.7))
        found = _recognised(root, text)
        return add_model(lambda target: _write(found, target, name), text, force=force, progress=part_of(progress, 0.7, 1.0))


def import_blast_ct(
    folder: str | Path, models: Sequence[int] = ALL_MODELS, *, force: bool = False, progress: Progress = silent
) -> InstalledModel:
    """Installs the networks of BLAST-CT from the folder that its authors publish; see :func:`write_blast_ct`."""
    return add_model(lambda target: write_blast_ct(folder, target, models), folder, force=force, progress=progress)


def _recognised(root: Path, source: str) -> Path:
    """The one model in a folder."""
    own = [path.parent for pattern in ("", "*/") for path in root.glob(f"{pattern}{MODEL_FILE}")]
    # A model folder of nnU-Net's kind holds an nnU-Net folder as well, which is a part of it.
    found = sorted(own) or nnunet_folders(root) or bundle_folders(root)
    if not found and (root / "config.json").is_file() and any(root.glob("model_*.pt")):
        raise InputError(source, "this is BLAST-CT", "use htseg models import-blast-ct")
    if not found:
        raise InputError(source, "no model was found in it", f"give {_KINDS}")
    if len(found) > 1:
        names = ", ".join(path.relative_to(root).as_posix() for path in found)
        raise InputError(source, f"it holds {len(found)} models: {names}", "unpack it and install the folder of one of them")
    return found[0]


def _write(found: Path, target: Path, name: str | None) -> None:
    if (found / MODEL_FILE).is_file():
        if name is not None:
            raise UsageError("--name goes with nnU-Net models and MONAI Bundles; a model folder has its name in model.json")
        _copy_model(found, target)
    elif (found / "plans.json").is_file():
        write_nnunet(found, target, name=name)
    else:
        write_bundle(found, target, name=name)


def _copy_model(source: Path, target: Path) -> None:
    """Copies description, weights, words and pictures; anything else is refused, above all pickles and programs."""
    model = read_model(source)
    wanted = {MODEL_FILE, *(entry.file for entry in model.description.weights)}
    if model.description.nnunet is not None:
        wanted |= {f"nnunet/{name}" for name in ("dataset.json", "plans.json", "dataset_fingerprint.json")}
    size = 0
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_symlink():
            raise InputError(path, "it is a link", "give a model folder with the files themselves")
        if path.is_dir() or name.startswith("."):
            continue
        if name not in wanted and not re.fullmatch(_BESIDE, name):
            problem = (
                f"the model folder holds {name}, which is neither description nor safetensors weights; nothing of it was run"
            )
            raise InputError(source, problem, "take it out, or ask the author for a model folder without it")
        size += path.stat().st_size
    _require_room(size)
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_file() and not name.startswith("."):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)


def _require_room(size: int) -> None:
    free = shutil.disk_usage(models_folder()).free
    if free < size:
        problem = f"{free / 1e6:.0f} MB are free and the model has {size / 1e6:.0f} MB"
        raise OutputError(models_folder(), problem, "free space or set HTSEG_MODELS")
