"""The check of this computer in words, for the panel and for a report that can be shown to anybody."""

from __future__ import annotations

import html
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationModule.advice import inSlicersWords

_SHOWN = ("torch", "card", "card-0", "driver", "safetensors", "monai", "nnunetv2")
"""What the panel shows even when it is in order."""

_MOST_LINES = 30
"""Lines of the worker's last words that go into a report."""


def findingsText(record: Mapping[str, Any]) -> str:
    """What matters of a check, as rich text: PyTorch and cards, and all that is wrong.

    Args:
        record: What ``htseg check --json`` says.
    """
    lines = []
    for finding in record.get("findings", ()):
        # Damaged models are told in the list of models.
        wrong = finding["level"] == "problem" and not finding["name"].startswith("model-")
        if finding["name"] in _SHOWN or wrong:
            fix = f" ({inSlicersWords(finding['fix'])})" if wrong and finding["fix"] else ""
            line = html.escape(f"{finding['title']}: {finding['text']}{fix}")
            lines.append(f"<b>{line}</b>" if wrong else line)
    return "<br>".join(lines)


def reportText(record: Mapping[str, Any] | None, slicerVersion: str, versions: Mapping[str, str], stderr: str) -> str:
    """All that somebody who helps needs to know: plain text without patient data or the user's name.

    Args:
        record: What ``htseg check --json`` says; None if that failed.
        slicerVersion: Slicer's version.
        versions: Versions of the worker's packages; empty if it never ran.
        stderr: What the worker wrote last.
    """
    version = (record or {}).get("version", "?")
    lines = [f"HTSegmentation {version}, 3D Slicer {slicerVersion}, {platform.platform()}", ""]
    lines += [f"{f['level']:<8} {f['title']}: {f['text']}" for f in (record or {}).get("findings", ())]
    if versions:
        lines += ["", "Worker: " + ", ".join(f"{name} {number}" for name, number in versions.items())]
    if stderr.strip():
        lines += ["", "Last words of the worker:", *stderr.strip().splitlines()[-_MOST_LINES:]]
    # The home folder's name is the user's; scans reach the worker under names of their own.
    return "\n".join(lines).replace(str(Path.home()), "~") + "\n"
