"""Segmenting many cases without a window; started by ``Scripts/HTSegmentationBatch.py``."""
