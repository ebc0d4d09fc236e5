"""Where models are kept: the folder, what is installed in it, and how models come and go whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.errors import HTSegError, InputError, OutputError, UsageError
from HTSegmentationLib.inference.models.folder import Model, read_model, verify_model
from HTSegmentationLib.inference.models.place import STORE_VARIABLE, bundled_folder, models_folder
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark

_STAGE_PREFIX = ".staged-"
"""Folders in the making; whatever begins with a dot is no model."""

_FORGOTTEN_S = 24 * 3600
"""A folder in the making that is older than a day was left by a power cut or a killed process."""


@dataclass(frozen=True)
class InstalledModel:
    """A folder in the store.

    Args:
        name: The folder's name, which is the model's name and method.
        folder: The folder.
        model: The model; None when it is damaged.
        fault: What is wrong with a damaged one, as one line; empty otherwise.
        remarks: What was said when it was installed.
        bundled: Whether it comes with this package.
    """

    name: str
    folder: Path
    model: Model | None
    fault: str = ""
    remarks: tuple[Remark, ...] = ()
    bundled: bool = False


def installed_models() -> list[InstalledModel]:
    """All models by name: those of the store, and those that come with this package unless the store has one of their name.

    Only their descriptions are read, and a damaged one is listed with its fault.
    """
    entries = {folder.name: _entry(folder, bundled=True) for folder in _folders(bundled_folder())}
    entries |= {folder.name: _entry(folder) for folder in _folders(models_folder())}
    return [entries[name] for name in sorted(entries)]


def _folders(place: Path) -> list[Path]:
    try:
        return [path for path in place.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))]
    except OSError:
        return []


def find_model(name: str) -> Model | None:
    """The installed model of that name; None when there is none.

    Raises:
        InputError: It is damaged.
    """
    for entry in installed_models():
        if entry.name == name:
            return entry.model or _read_own(entry.folder)
    return None


def add_model(
    make: Callable[[Path], None], source: str | Path, *, force: bool = False, progress: Progress = silent
) -> InstalledModel:
    """Makes a model folder in the store, whole or not at all.

    It is made beside the others under another name, checked to the last tensor and then renamed.

    Args:
        make: Fills the empty folder that it is given.
        source: What it is made of, for messages.
        force: Whether a model of the same name is replaced.
        progress: Told of the check.

    Raises:
        InputError: The folder that was made is no model, or one of its name is installed.
        OutputError: The store cannot be written to, or the disk is full.
    """
    with staged(source) as stage:
        made = stage / "model"
        made.mkdir()
        make(made)
        model = read_model(made)
        name = model.description.name
        target = models_folder() / name
        if not force and target.exists():
            raise InputError(target, "a model of this name is installed", "remove it first or use --force")
        remarks = verify_model(model, progress)
        if (bundled_folder() / name).is_dir():
            text = f"It takes the place of the demonstration model {name}, which comes back when it is removed."
            remarks = (*remarks, Remark("demonstration-replaced", text))
        with contextlib.suppress(FileNotFoundError):
            os.replace(target, stage / "replaced")
        try:
            os.replace(made, target)
        except OSError:
            with contextlib.suppress(OSError):
                os.replace(stage / "replaced", target)
            raise
    return InstalledModel(name, target, read_model(target), remarks=remarks)


def remove_model(name: str) -> Path:
    """Removes an installed model, a damaged one as well.

    Returns:
        The folder that was removed.

    Raises:
        UsageError: There is none of that name, or it comes with this package.
        OutputError: It cannot be removed.
    """
    entries = {entry.name: entry for entry in installed_models()}
    if name not in entries:
        raise UsageError(f"no model {name!r} is installed; installed are {', '.join(entries) or 'none'}")
    if entries[name].bundled:
        raise UsageError(
            f"the model {name!r} comes with HTSegmentation; it goes with it, or a model of its name replaces it"
        )
    folder = entries[name].folder
    if folder.is_symlink():
        folder.unlink()
        return folder
    with staged(name) as stage:
        os.replace(folder, stage / "removed")
    return folder


@contextlib.contextmanager
def staged(source: str | Path) -> Iterator[Path]:
    """A private folder in the store that is gone when the block ends, in whichever way.

    Args:
        source: What it is made of: messages name this, and not the files of a folder that is gone.

    Raises:
        OutputError: The store cannot be made or written to, or the disk is full.
    """
    store = models_folder()
    try:
        store.mkdir(parents=True, exist_ok=True)
        _forget_old_stages(store)
        stage = Path(tempfile.mkdtemp(prefix=_STAGE_PREFIX, dir=store))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(store, reason, f"name another folder for models by {STORE_VARIABLE}") from error
    try:
        yield stage
    except InputError as error:
        raise _of_source(error, stage, source) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(store, f"{reason}; nothing was changed", f"free space or set {STORE_VARIABLE}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _of_source(error: InputError, stage: Path, source: str | Path) -> InputError:
    """The same error with the source's name instead of that of a file in the stage."""
    path = Path(error.path)
    if not path.is_relative_to(stage):
        return error
    within = "/".join(path.relative_to(stage).parts[1:])
    return InputError(source, f"{within}: {error.problem}" if within else error.problem, error.advice)


def _forget_old_stages(store: Path) -> None:
    for path in store.glob(f"{_STAGE_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _FORGOTTEN_S:
                shutil.rmtree(path, ignore_errors=True)


def _entry(folder: Path, *, bundled: bool = False) -> InstalledModel:
    try:
        return InstalledModel(folder.name, folder, _read_own(folder), bundled=bundled)
    except HTSegError as error:
        return InstalledModel(folder.name, folder, None, str(error), bundled=bundled)


def _read_own(folder: Path) -> Model:
    """The model in a folder of the store, whose name is the folder's."""
    model = read_model(folder)
    if model.description.name != folder.name:
        problem = f"its model.json says the name {model.description.name}"
        raise InputError(folder, problem, "give the folder that name or install the model again")
    return model
