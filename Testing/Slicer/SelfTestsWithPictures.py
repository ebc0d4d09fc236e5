"""The module's self-tests in a running Slicer with its window, and a picture of the window after each.

    Slicer --testing --no-splash --additional-module-paths HTSegmentation --python-script SelfTestsWithPictures.py FOLDER

Slicer ends with status 0 if all tests passed, else with 1. A picture is named after its test.
"""

import importlib
import sys
import time
import unittest
from pathlib import Path

import slicer

_MODULE = "HTSegmentation"
_SETTLE_S = 0.3
"""Views are drawn when Slicer finds the time; this is enough of it."""
_NAP_S = 0.02
"""Between two looks at what is to be drawn."""


def _pictured(tests: type[unittest.TestCase], folder: Path) -> type[unittest.TestCase]:
    """The same tests, each with a picture taken before it tidies up."""

    class Pictured(tests):
        def tearDown(self) -> None:
            _picture(folder / f"{self._testMethodName}.png")
            super().tearDown()

    return Pictured


def _picture(path: Path) -> None:
    end = time.monotonic() + _SETTLE_S
    while time.monotonic() < end:
        slicer.app.processEvents()
        time.sleep(_NAP_S)
    window = slicer.util.mainWindow()
    if window is not None and not window.grab().save(str(path)):
        sys.stderr.write(f"SelfTestsWithPictures: {path} could not be written\n")


def _run(folder: Path) -> None:
    """Runs all tests.

    Raises:
        RuntimeError: A test failed, or there was none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slicer.util.selectModule(_MODULE)
    _picture(folder / "empty.png")
    tests = getattr(importlib.import_module(_MODULE), f"{_MODULE}Test")
    suite = unittest.TestLoader().loadTestsFromTestCase(_pictured(tests, folder))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    if not result.wasSuccessful() or result.testsRun == 0:
        failed = len(result.failures) + len(result.errors)
        raise RuntimeError(f"{failed} of {result.testsRun} self-tests failed")


if __name__ == "__main__":
    _run(Path(sys.argv[-1] if len(sys.argv) > 1 else "pictures").resolve())
