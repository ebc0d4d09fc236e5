"""The whole check, in the order in which it is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from HTSegmentationLib.inference.environment.cards import card_findings
from HTSegmentationLib.inference.environment.computer import computer_findings
from HTSegmentationLib.inference.environment.finding import Finding, note, ok, problem
from HTSegmentationLib.inference.environment.packages import core_findings, network_findings
from HTSegmentationLib.inference.models.place import STORE_VARIABLE, models_folder

if TYPE_CHECKING:
    from HTSegmentationLib.inference.models.store import InstalledModel


def check_environment() -> list[Finding]:
    """Looks at this computer: what works, what is missing, and how it is mended.

    Nothing is changed and nothing is fetched; nnU-Net and MONAI, which take seconds to import, are only looked up.

    Example:
        >>> [finding.name for finding in check_environment()][:2]   # doctest: +SKIP
        ['python', 'platform']
    """
    found = [*computer_findings(models_folder()), *core_findings(), *card_findings(), *network_findings()]
    # Models cannot be read where a package is missing that everything needs.
    return found if stops_core(found) else found + _models()


def stops_core(findings: list[Finding]) -> bool:
    """Whether anything is wrong without which nothing works."""
    return any(finding.stops_core for finding in findings)


def _models() -> list[Finding]:
    from HTSegmentationLib.inference.models.store import installed_models

    entries = installed_models()
    return [_store(sum(not entry.bundled for entry in entries)), *map(_model, entries)]


def _store(count: int) -> Finding:
    store = models_folder()
    origin = f"named by {STORE_VARIABLE}" if os.environ.get(STORE_VARIABLE, "").strip() else "the usual place"
    text = f"{store} ({origin})"
    there = next((path for path in (store, *store.parents) if path.exists()), store)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = f"name a folder of yours by {STORE_VARIABLE} if you want to install models"
        return note("models-folder", "Models", f"{text}; it cannot be written to", fix)
    return ok("models-folder", "Models", f"{text}, {count or 'none'} installed")


def _model(entry: InstalledModel) -> Finding:
    name, title = f"model-{entry.name}", f"Model {entry.name}"
    if entry.model is None:
        return problem(name, title, entry.fault, f"htseg models remove {entry.name}, then install it again")
    return ok(name, title, f"{entry.model.description.title}, version {entry.model.description.version}")
