"""Fetches a model from an address that the user gave together with its SHA-256."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.inference.models.weights import require_sha256
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.version import __version__

_LARGEST_BYTES = 20 * 2**30
"""An ensemble of five large nnU-Net models has 2 GB."""

_CHUNK_BYTES = 1 << 20
"""How much is fetched at once."""

_TIMEOUT_S = 60
"""A server that says nothing for so long is not there."""

OpenAddress = Callable[[urllib.request.Request], AbstractContextManager[Any]]
"""Opens a request and gives a response."""


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but never to an address that anybody on the way could change."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:  # noqa: PLR0917
        if not newurl.lower().startswith("https://"):
            raise urllib.error.URLError("it leads to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request) -> Any:
    return urllib.request.build_opener(_OnlyHttps).open(request, timeout=_TIMEOUT_S)


def download(
    address: str,
    target: Path,
    sha256: str | None,
    *,
    open_address: OpenAddress = _open,
    progress: Progress = silent,
) -> None:
    """Fetches a file and checks it before anybody opens it.

    Args:
        address: An ``https://`` address.
        target: Where it is written.
        sha256: What its SHA-256 must be.
        open_address: How addresses are opened.
        progress: Told of the bytes.

    Raises:
        UsageError: The address is not https, or ``sha256`` is not given.
        InputError: The server does not give it, it is too large, not whole, or another file.
    """
    if not address.lower().startswith("https://"):
        raise UsageError(f"{address}: models are fetched by https only; download it yourself or give an https address")
    if sha256 is None or not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise UsageError("a model from the network needs --sha256 with 64 hexadecimal digits, from a page that you trust")
    request = urllib.request.Request(address, headers={"User-Agent": f"htseg/{__version__}"})  # noqa: S310  (https only)
    try:
        with open_address(request) as response:
            said = response.headers.get("Content-Length")
            size = int(said) if said and said.isdecimal() else None
            if size is not None and size > _LARGEST_BYTES:
                raise InputError(address, f"it has {size / 2**30:.0f} GB", "download it yourself if you want that")
            _receive(address, response, target, size, progress)
    except urllib.error.HTTPError as error:
        raise InputError(address, f"the server says {error.code} {error.reason}", "check the address") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            address, f"it cannot be fetched ({reason})", "check address and network, or fetch it yourself"
        ) from error
    require_sha256_of(address, target, sha256)


def require_sha256_of(address: str, target: Path, sha256: str) -> None:
    """Checks a fetched file, and names its address in the message."""
    try:
        require_sha256(target, sha256)
    except InputError as error:
        raise InputError(address, error.problem, "it is not the file that was meant; do not use it") from error


def _receive(address: str, response: Any, target: Path, size: int | None, progress: Progress) -> None:
    received = 0
    with target.open("wb") as file:
        while chunk := response.read(_CHUNK_BYTES):
            received += len(chunk)
            if received > _LARGEST_BYTES:
                raise InputError(address, "it has no end", "check the address")
            file.write(chunk)
            progress("downloading", received / size if size else 0.0)
    if size is not None and received != size:
        raise InputError(address, f"only {received} of {size} bytes came", "try again")
