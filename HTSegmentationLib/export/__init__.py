"""Masks, tables and pictures in the formats that other programs read."""

from HTSegmentationLib.export.image_files import require_image_path, write_image
from HTSegmentationLib.export.mask_files import require_mask_path, write_mask
from HTSegmentationLib.export.preview import require_preview_path, write_preview

__all__ = [
    "require_image_path",
    "require_mask_path",
    "require_preview_path",
    "write_image",
    "write_mask",
    "write_preview",
]
