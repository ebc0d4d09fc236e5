"""The way back from the network's output to mask and probability on the scan's voxels."""

from __future__ import annotations

from typing import Any

import numpy as np


def mask_and_probability(
    predictor: Any, logits: Any, properties: dict[str, Any], value: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mask and probability of one label, as ``nnUNetv2_predict`` makes the mask.

    nnU-Net gives either the mask alone, or mask and probabilities in another order of rounding, which can differ in a few
    voxels. So the mask is made by its own function without probabilities, and the label's probability from the logits
    that this function resampled.

    Args:
        predictor: nnU-Net's predictor.
        logits: What it predicted, (heads, z, y, x) on the network's grid.
        properties: What nnU-Net's preprocessing told of the scan.
        value: The label's value in the mask.

    Returns:
        The mask, ``uint8``, and the probability, ``float32``, both (z, y, x) as the reader gave the scan.
    """
    from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape

    keeping = _KeepingLabels(predictor.label_manager)
    mask = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits, predictor.plans_manager, predictor.configuration_manager, keeping, properties
    )
    inside = keeping.probability(value)
    probability = np.zeros(properties["shape_before_cropping"], np.float32)
    probability[tuple(slice(*bounds) for bounds in properties["bbox_used_for_cropping"])] = inside
    return mask, probability.transpose(predictor.plans_manager.transpose_backward)


class _KeepingLabels:
    """nnU-Net's label manager, which keeps the resampled logits when the mask is made from them."""

    def __init__(self, labels: Any) -> None:
        self._labels = labels
        self._logits: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._labels, name)

    def convert_logits_to_segmentation(self, predicted_logits: Any) -> Any:
        self._logits = predicted_logits
        return self._labels.convert_logits_to_segmentation(predicted_logits)

    def probability(self, value: int) -> np.ndarray:
        """The probability of the label with this value, of what was cropped to."""
        head = list(self._labels.regions_class_order).index(value) if self._labels.has_regions else value
        return np.asarray(self._labels.apply_inference_nonlin(self._logits)[head])
