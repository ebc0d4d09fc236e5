"""Makes the plain Python library importable, wherever the module was started from."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

LIBRARY = "HTSegmentationLib"
"""Name of the library's package."""


def addLibraryToPath() -> None:
    """Lets Python find the library; nothing of it is imported.

    An installed extension and a build tree have it beside this package, a source checkout one folder higher. A library
    that Python finds already is left as it is.
    """
    if importlib.util.find_spec(LIBRARY) is not None:
        return
    package = Path(__file__).resolve().parent
    for folder in (package.parent, package.parent.parent):
        if (folder / LIBRARY / "__init__.py").is_file():
            sys.path.append(str(folder))
            importlib.invalidate_caches()
            return


def libraryProblem() -> str:
    """What keeps the library from being used, in one sentence; empty if nothing does.

    Example:
        >>> libraryProblem()
        ''
    """
    addLibraryToPath()
    try:
        import SimpleITK  # noqa: F401
        from scipy import ndimage  # noqa: F401

        import HTSegmentationLib  # noqa: F401
    except ImportError as error:
        return f"{error.name} is missing, so that nothing can be segmented; install the extension HTSegmentation again"
    return ""
