"""Segments one case or a table of cases in 3D Slicer without a window.

One case, with the arguments of ``htseg segment``:

    Slicer --no-main-window --python-script HTSegmentationBatch.py -- head.nrrd --roi R.mrk.json --output bleed.seg.nrrd

Many, from a table with the columns case_id, image, roi and, if wanted, reference:

    Slicer --no-main-window --python-script HTSegmentationBatch.py -- --cases cases.csv --output-dir results --scene

``--help`` after the ``--`` lists all arguments. The exit status is 0 when all cases went well, 1 when one failed, 2 for
wrong usage. The script lies in a folder of its own, since Slicer takes every Python file beside a module for a module.
"""

import sys
from pathlib import Path


def _status() -> int:
    """Runs the batch; whatever happens, there is an exit status, or Slicer would wait for ever."""
    module = str(Path(__file__).resolve().parent.parent)
    if module not in sys.path:
        sys.path.insert(0, module)
    try:
        from HTSegmentationModule.library_path import libraryProblem

        problem = libraryProblem()
        if not problem:
            from HTSegmentationModule.batch.main import main

            return main(sys.argv[1:])
    except ImportError as error:
        problem = f"{error}; install the extension HTSegmentation again"
    sys.stderr.write(f"HTSegmentationBatch: {problem}\n")
    return 1


if __name__ == "__main__":
    import slicer

    slicer.util.exit(_status())
