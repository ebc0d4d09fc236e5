"""Where a bleed may be: hyperdense regions of the brain that its other side does not mirror, as regions of interest."""

from HTSegmentationLib.suggest.automatic import AUTO, AutomaticSegmentation, segment_automatically
from HTSegmentationLib.suggest.candidate import Candidate, Suspicion
from HTSegmentationLib.suggest.markups_file import require_rois_path, write_rois
from HTSegmentationLib.suggest.suggest import LEAST_SCORE, MOST_PROPOSED, Suggestions, suggest_regions

__all__ = [
    "AUTO",
    "LEAST_SCORE",
    "MOST_PROPOSED",
    "AutomaticSegmentation",
    "Candidate",
    "Suggestions",
    "Suspicion",
    "require_rois_path",
    "segment_automatically",
    "suggest_regions",
    "write_rois",
]
