"""Networks run in a process of their own: their memory, their crashes and their packages never touch Slicer's window."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HTSegmentationModule.translation import tr as _

if TYPE_CHECKING:
    from HTSegmentationLib.methods import Method
    from HTSegmentationLib.segmenter import Segmenter


class NetworkWorker:
    """Slicer's own Python beside Slicer, started with the first network and kept until it is closed, its model loaded.

    Example:
        >>> worker = NetworkWorker()                                          # doctest: +SKIP
        >>> worker.segmenter(method("blast-ct"), "cpu").run(scan).volume_ml() # doctest: +SKIP
    """

    def __init__(self) -> None:
        self._client: Any = None

    def segmenter(self, method: Method, device: str) -> Segmenter:
        """The method as a segmenter whose work the worker does; nothing is started yet.

        Args:
            method: A network of the library's registry.
            device: Where it runs: auto, cpu, cuda, cuda:N or mps.

        Raises:
            UsageError: Slicer's Python is not where it should be.
        """
        from HTSegmentationLib.inference.worker.client import WorkerClient
        from HTSegmentationLib.inference.worker.remote_segmenter import RemoteSegmenter

        if self._client is None:
            self._client = WorkerClient(pythonProgram())
        return RemoteSegmenter(
            self._client,
            method.name,
            title=method.title,
            labels=method.labels,
            model=None if method.model is None else method.model.folder,
            device=device,
        )

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._client is not None and self._client.running

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the worker's packages; empty before it was started."""
        return {} if self._client is None else dict(self._client.versions)

    @property
    def stderr(self) -> str:
        """What the worker wrote last for programmers; it may name files."""
        return "" if self._client is None else self._client.stderr

    def close(self) -> None:
        """Ends the process; the next network starts a new one."""
        if self._client is not None:
            self._client.close()


def pythonProgram() -> str:
    """The Python that has Slicer's packages: ``sys.executable`` is Slicer itself, which would open another window.

    Raises:
        UsageError: It is not there.
    """
    from HTSegmentationLib.errors import UsageError

    found = shutil.which("PythonSlicer")
    if found is None and Path(sys.executable).name.lower().startswith("python"):
        found = sys.executable
    if found is None:
        raise UsageError(_("Slicer's own Python (PythonSlicer) was not found; install Slicer again"))
    return found
