"""What parent and worker say to each other: one JSON object a line, requests on stdin, events on stdout.

The parent sends ``{"id": 1, "command": "segment", "method": ..., "model": ..., "ct": ..., "output": ..., ...}`` (see
:class:`Request`) or ``{"command": "shutdown"}``. The worker answers

- ``{"event": "ready", "protocol": 1, "versions": {...}}`` once, when it can take requests;
- ``{"id": 1, "event": "progress", "stage": "network", "fraction": 0.4}`` any number of times;
- ``{"id": 1, "event": "result", "record": {...}}`` or ``{"id": 1, "event": "error", "code", "message", "advice"}`` once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.errors import UsageError

PROTOCOL = 1
"""Raised when a message changes its meaning."""

PRIVATE_FOLDER = "HTSEG_WORKER_FOLDER"
"""The environment variable by which a parent names the folder of its temporary files, scans among them; should it go away
without a word, the worker removes it."""

_OPTIONS = {"device": "auto", "parameters": None}
"""What may stand under ``options``, and what holds when it does not."""


@dataclass(frozen=True)
class Request:
    """One scan to segment; all files by absolute paths.

    Args:
        method: The method's name.
        ct: The scan: DICOM folder or file, NIfTI, NRRD or MetaImage.
        output: Where the mask is written; its ending decides the format.
        model: The model's folder; None for methods without one, or to find an installed one by ``method``.
        roi: The region of interest: markups or a mask image; None for the whole scan.
        brain: Mask of the inside of the skull on the scan's grid, from a preparation that was done already; with it ``ct``
            is a file in HU that was read and put on a regular grid before, and is taken as it is.
        tissue: The tissue mask that goes with ``brain``.
        probability: Where the first label's probability is written, if the method has one; None to leave it out.
        device: Where a network runs.
        parameters: Parameter file of a threshold method.
    """

    method: str
    ct: str
    output: str
    model: str | None = None
    roi: str | None = None
    brain: str | None = None
    tissue: str | None = None
    probability: str | None = None
    device: str = "auto"
    parameters: str | None = None

    def as_message(self, number: int) -> dict[str, Any]:
        """The request as the message with this number."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _OPTIONS}
        options = {name: getattr(self, name) for name in _OPTIONS}
        return {"id": number, "command": "segment", **values, "options": options}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Request:
        """The request that a message holds.

        Raises:
            UsageError: A key is missing, unknown, or holds something else than text.

        Example:
            >>> Request.from_message({"method": "adaptive", "ct": "/a.nii.gz", "output": "/b.nii.gz"}).device
            'auto'
        """
        options = message.get("options") or {}
        if not isinstance(options, Mapping):
            raise UsageError('options must be an object, as {"device": "cpu"}')
        _require_known(options, _OPTIONS, "options.")
        own = {name: value for name, value in message.items() if name not in ("id", "command", "options")}
        _require_known(own, set(cls.__dataclass_fields__) - set(_OPTIONS), "")
        for name in ("method", "ct", "output"):
            if not own.get(name):
                raise UsageError(f"the request has no {name!r}")
        values = {**own, **_OPTIONS, **options}
        for name, value in values.items():
            if not (isinstance(value, str) or value is None):
                raise UsageError(f"{name!r} of the request must be text, not {value!r}")
        if (values.get("brain") is None) != (values.get("tissue") is None):
            raise UsageError("brain and tissue masks go together: give both or none")
        return cls(**values | {"device": values["device"] or "auto"})


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as one line.

    Raises:
        ValueError: It holds NaN or infinity, which JSON has no word for.
        TypeError: It holds anything else than plain values and NumPy's.
    """
    return json.dumps(message, ensure_ascii=True, allow_nan=False, default=_plain).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The message of a line.

    Raises:
        UsageError: It is no JSON, or no object.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError("a line is no JSON; send one object a line, see htseg worker --help") from error
    if not isinstance(message, dict):
        raise UsageError("a line holds no JSON object; send one object a line, see htseg worker --help")
    return message


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")


def _require_known(values: Mapping[str, Any], known: Any, prefix: str) -> None:
    for name in values:
        if name not in known:
            raise UsageError(f"the request has no key {prefix}{name}; known are {', '.join(sorted(known))}")
