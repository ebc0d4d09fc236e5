"""The global threshold, the baseline of the adaptive-threshold paper, as a segmenter."""

from __future__ import annotations

from HTSegmentationLib.threshold.details import FixedThresholdDetails
from HTSegmentationLib.threshold.parameters import GlobalParameters
from HTSegmentationLib.threshold.region import Region
from HTSegmentationLib.threshold.threshold_segmenter import ThresholdSegmenter


class GlobalThreshold(ThresholdSegmenter):
    """One fixed window, 50 to 80 HU, after the same filters as the adaptive method.

    Args:
        parameters: The paper's values, unless given.

    Source: the adaptive-threshold paper, Table 3.
    """

    name = "global"
    title = "Global threshold"
    parameters: GlobalParameters

    def __init__(self, parameters: GlobalParameters | None = None) -> None:
        super().__init__(parameters or GlobalParameters())

    def choose(self, region: Region) -> FixedThresholdDetails:  # noqa: ARG002  (the window is the same everywhere)
        """The window of the parameters, whatever the region holds."""
        return FixedThresholdDetails((self.parameters.lower_hu, self.parameters.upper_hu))
