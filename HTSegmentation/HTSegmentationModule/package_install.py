"""Installs what networks need into Slicer's Python, without ever replacing what is there.

Everything here runs only after the user pressed a button and agreed to the list of packages.
"""

from __future__ import annotations

import importlib
import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

import slicer

from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.inference.environment.packages import is_there, version_of
from HTSegmentationModule.translation import tr as _

_TORCH_RANGE = ">=2.6"
"""Older ones cannot read weights safely that are not safetensors, such as nnU-Net's."""

_PIP_REQUIREMENTS = {"safetensors": "safetensors>=0.4", "monai": "monai>=1.4", "nnunetv2": "nnunetv2>=2.5"}
"""By module, what pip installs beside PyTorch."""

_TITLES = {"torch": "PyTorch", "safetensors": "safetensors", "monai": "MONAI", "nnunetv2": "nnU-Net"}
"""All modules that networks need, by the names that users know."""

_KEPT_PACKAGES = ("SimpleITK", "numpy", "scipy", "requests", "pydicom", "vtk", "itk", "torch")
"""Never brought by pip as a dependency: they come with Slicer or from its PyTorch extension, and another build breaks it."""


def packagesText() -> str:
    """Which packages are there, in one line; looked up and not imported, since that takes seconds."""
    there = [f"{title} {version_of(module) or ''}".strip() for module, title in _TITLES.items() if is_there(module)]
    lacking = titlesOf(missingModules())
    parts = [", ".join(there)] if there else []
    parts += [_("missing: {names}").format(names=lacking)] if lacking else []
    return "; ".join(parts)


def missingModules() -> list[str]:
    """Modules that networks need and Slicer's Python lacks."""
    return [module for module in _TITLES if not is_there(module)]


def titlesOf(modules: Sequence[str]) -> str:
    """Modules by the names that users know."""
    return ", ".join(_TITLES[module] for module in modules)


def installPackages(modules: Sequence[str]) -> None:
    """Installs missing modules from the internet, after one question; for the main thread.

    Args:
        modules: Of :func:`missingModules`.

    Raises:
        HTSegError: The user said no, the PyTorch extension is missing, or an installation failed; one sentence.
    """
    question = _(
        "{packages} will be downloaded from the internet and installed into Slicer's Python. This can take several minutes "
        "and some gigabytes. Packages that come with Slicer are not touched. Go on?"
    )
    _ask(question.format(packages=titlesOf(modules)))
    if "torch" in modules:
        _installTorch()
    wanted = [_PIP_REQUIREMENTS[module] for module in modules if module in _PIP_REQUIREMENTS]
    if wanted:
        import slicer.packaging

        try:
            slicer.packaging.pip_ensure(
                wanted, skip_packages=list(_KEPT_PACKAGES), prompt_install=False, requester="HTSegmentation"
            )
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            raise _failed(error) from error
    _requireThere(modules)


def installFromFolder(folder: str | Path, modules: Sequence[str]) -> None:
    """Installs missing modules from wheel files, after one question and without any network; for the main thread.

    Every wheel of the folder whose package is not installed yet is taken, without looking for dependencies elsewhere.

    Args:
        folder: Holds the wheels, as ``pip download`` fetched them on another computer with the same system and Python.
        modules: Of :func:`missingModules`.

    Raises:
        HTSegError: The user said no, wheels are missing, or one does not fit this Python; one sentence.
    """
    wheels = newWheels(folder)
    found = {_distribution(path) for path in wheels}
    lacking = [module for module in modules if module not in found]
    if not wheels or "torch" in lacking:
        text = _(
            "{folder} holds no wheel of {packages}; fetch them with pip download on a computer with the same system and "
            "Python, and choose that folder"
        )
        raise HTSegError(text.format(folder=folder, packages=titlesOf(lacking)))
    question = _("{count} packages will be installed from {folder} into Slicer's Python. Go on?")
    _ask(question.format(count=len(wheels), folder=folder))
    import slicer.packaging

    try:
        slicer.packaging.pip_install(
            ["--no-index", "--find-links", str(folder), "--no-deps", *map(str, wheels)], requester="HTSegmentation"
        )
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        raise _failed(error) from error
    _requireThere([module for module in modules if module not in lacking])


def newWheels(folder: str | Path) -> list[Path]:
    """The wheels of a folder whose packages are not installed, by name; those that come with Slicer are never among them."""
    kept = {name.lower() for name in _KEPT_PACKAGES if name != "torch"}
    wheels = sorted(Path(folder).glob("*.whl"))
    return [path for path in wheels if _distribution(path) not in kept and version_of(_distribution(path)) is None]


def _distribution(wheel: Path) -> str:
    """The package of a wheel: the file's name up to the first hyphen, as the format has it."""
    return wheel.name.partition("-")[0].lower()


def _installTorch() -> None:
    try:
        from PyTorchUtils import PyTorchUtilsLogic
    except ImportError as error:
        text = _(
            "PyTorch comes through Slicer's extension PyTorch; install that with the Extensions Manager (View menu), start "
            "Slicer again and press Install once more"
        )
        raise HTSegError(text) from error
    try:
        torch = PyTorchUtilsLogic().installTorch(askConfirmation=False, torchVersionRequirement=_TORCH_RANGE)
    except Exception as error:  # the extension lets pip's and light-the-torch's own errors through
        raise _failed(error) from error
    if torch is None:
        raise HTSegError(_("PyTorch was not installed; the log (View menu, Error Log) says why"))


def _ask(question: str) -> None:
    if not slicer.util.confirmOkCancelDisplay(question, _("Install packages for networks")):
        raise HTSegError(_("nothing was installed, since you did not agree"))


def _requireThere(modules: Sequence[str]) -> None:
    importlib.invalidate_caches()
    lacking = [module for module in modules if not is_there(module)]
    if lacking:
        text = _("{packages} could not be installed; the log (View menu, Error Log) says why")
        raise HTSegError(text.format(packages=titlesOf(lacking)))


def _failed(error: Exception) -> HTSegError:
    logging.error("HTSegmentation: packages could not be installed", exc_info=error)
    text = _("the installation failed; check the internet connection and the space on the disk, and see the log (Error Log)")
    return HTSegError(text)
