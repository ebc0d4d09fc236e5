"""What the library advises to users of its command line, said for users of the panel."""

from __future__ import annotations

import re

_ADVICE = (
    (r"install the packages anew: pip install --force-reinstall '\S+'", "install the packages anew in Slicer's Python"),
    (r"pip install --force-reinstall \S+", "install it anew in Slicer's Python"),
    (r"pip install '(torch\S+)'", r"install \1 through Slicer's extension PyTorch"),
    (r"pip install htsegmentation with that Python", "install the extension HTSegmentation again"),
    (r"pip install 'htsegmentation\[\w+\]'", "press Install under Networks on this computer"),
    (r"--device auto or cpu", "the device Automatic or Processor (cpu)"),
    (r"take a smaller batch, ", ""),
    (r"--device cpu", "the device Processor (cpu)"),
    (r"see htseg check", "see Copy report under Networks on this computer"),
    (r"the output of htseg check", "what Copy report gives"),
    (r"run htseg models verify, and install it again", "install the model again"),
    (r"verify the model \(htseg models verify\) or install it again", "install the model again"),
    (r"check the model by htseg models verify", "install the model again"),
    (r"htseg models remove \S+, then install it again", "install the model again"),
    (r"htseg models install adds a model", "Install model, under Networks on this computer, adds one"),
    (r"HTSEG_MODELS", "the environment variable HTSEG_MODELS"),
    (r"use htseg models import-blast-ct", "import it with htseg models import-blast-ct on the command line"),
)
"""What the library advises to its command line, and what that is in Slicer."""


def inSlicersWords(text: str) -> str:
    """The library's advice with the panel's buttons in place of commands.

    Example:
        >>> inSlicersWords("the graphics card failed; try --device cpu")
        'the graphics card failed; try the device Processor (cpu)'
    """
    for command, words in _ADVICE:
        text = re.sub(command, words, text)
    return text
