"""HTSegmentation: hemorrhagic transformation on non-contrast head CT, segmented and measured."""

from HTSegmentationLib.version import __version__

__all__ = ["__version__"]
