"""``python -m HTSegmentationLib`` is ``htseg``."""

import sys

from HTSegmentationLib.cli import main

sys.exit(main())
