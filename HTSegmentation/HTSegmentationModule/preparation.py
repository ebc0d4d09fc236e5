"""Prepares the CT once, in the background, with a progress bar and a way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from HTSegmentationModule.translation import tr as _


class Preparation:
    """Sees to it that a CT is prepared, and calls back when it is.

    Args:
        logic: The module's logic.
        work: Runs what takes long.
        onFailed: Called with the error when the CT cannot be prepared.
        onCancelled: Called when the user stopped it.
    """

    def __init__(
        self, logic: Any, work: Any, onFailed: Callable[[Exception], None], onCancelled: Callable[[], None]
    ) -> None:
        self._logic, self._onFailed, self._onCancelled = logic, onFailed, onCancelled
        self._work = work
        self._key: tuple | None = None
        self._refused: tuple | None = None
        self._refusal: Exception | None = None
        self._then: list[Callable[[], None]] = []

    @property
    def running(self) -> bool:
        """Whether a CT is being prepared."""
        return self._key is not None

    def ensure(self, parameterNode: Any, then: Callable[[], None], asked: bool = False) -> None:
        """Calls ``then`` as soon as the parameter node's CT is prepared, which may be at once.

        Args:
            parameterNode: Names the CT.
            then: Called in the main thread; not called if the preparation fails or is stopped.
            asked: Whether the user asked for it. Otherwise a CT that failed or was stopped is not tried again; that it was
                is told again.
        """
        volumeNode, assumeHU = parameterNode.inputVolume, parameterNode.assumeHU
        key = self._keyOf(parameterNode)
        if self._logic.isPrepared(volumeNode, assumeHU):
            if self._key != key:
                self.stop()
            then()
            return
        if self._key == key:
            if then not in self._then:
                self._then.append(then)
            return
        self.stop()
        if key == self._refused and not asked:
            self._tellRefusal()
            return
        try:
            scan = self._logic.scanFromVolume(volumeNode, assumeHU)
        except Exception as error:  # the panel says it, whatever it is
            self._refuse(key, error)
            return
        self._key, self._then, self._refused = key, [then], None
        self._work.start(
            _("Preparing the CT"),
            lambda progress: self._logic.prepareScan(scan, progress),
            lambda prepared: self._onDone(volumeNode, prepared),
            lambda error: self._refuse(key, error),
            lambda: self._refuse(key, None),
        )

    def retry(self) -> None:
        """Lets a CT that failed or was stopped be tried again."""
        self._refused = None

    def stop(self) -> None:
        """Gives up silently."""
        if self._key is not None:
            self._key, self._then = None, []
            self._work.stop()

    def _keyOf(self, parameterNode: Any) -> tuple:
        from HTSegmentationModule.scan_cache import volumeKey

        return parameterNode.inputVolume.GetID(), volumeKey(parameterNode.inputVolume), parameterNode.assumeHU

    def _onDone(self, volumeNode: Any, prepared: Any) -> None:
        then, self._key, self._then = self._then, None, []
        try:
            self._logic.storePrepared(volumeNode, prepared)
        except Exception as error:  # the CT was changed or removed meanwhile
            self._onFailed(error)
            return
        for call in then:
            call()

    def _refuse(self, key: tuple, error: Exception | None) -> None:
        self._key, self._then = None, []
        self._refused, self._refusal = key, error
        self._tellRefusal()

    def _tellRefusal(self) -> None:
        if self._refusal is None:
            self._onCancelled()
        else:
            self._onFailed(self._refusal)
