"""Where models are kept; known where not even NumPy can be imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path

STORE_VARIABLE = "HTSEG_MODELS"
"""The environment variable that names another folder for models."""


def bundled_folder() -> Path:
    """The folder of the models that come with this package; nothing is ever written there."""
    return Path(__file__).resolve().parents[2] / "demonstration"


def models_folder() -> Path:
    """The folder of the models: ``HTSEG_MODELS``, else the usual place for data of this user; it need not be there."""
    named = os.environ.get(STORE_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "HTSegmentation" / "models"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "HTSegmentation" / "models"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return (data if data.is_absolute() else home / ".local" / "share") / "htsegmentation" / "models"
