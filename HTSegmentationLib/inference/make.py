"""The segmenter that goes with an installed model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from HTSegmentationLib.errors import InputError

if TYPE_CHECKING:
    from HTSegmentationLib.inference.models.folder import Model
    from HTSegmentationLib.segmenter import Segmenter


def make_segmenter(
    model: Model,
    *,
    device: str = "auto",
    batch_size: int | None = None,
    mirroring: bool | None = None,
    half: bool | None = None,
) -> Segmenter:
    """Makes the segmenter of a model by its kind.

    Nothing is loaded yet: a damaged weights file or a missing device shows at the first scan.

    Args:
        model: What :func:`HTSegmentationLib.inference.models.folder.read_model` gave.
        device: Where it runs, see :func:`HTSegmentationLib.inference.device.choose_device`.
        batch_size: Windows that run at once; None chooses from the free memory. nnU-Net models choose themselves.
        mirroring: Whether mirrored windows are averaged in; None does as the model says.
        half: Whether to compute in half precision; None does on CUDA cards alone. nnU-Net models choose themselves.

    Raises:
        InputError: The model is of a kind that this version cannot run.

    Example:
        >>> segmenter = make_segmenter(read_model(Path("models/se-unet")), device="cpu")   # doctest: +SKIP
        >>> segmenter.run(read_ct("head.nii.gz")).volume_ml()                              # doctest: +SKIP
    """
    kind = model.description.kind
    if kind in ("network", "monai-bundle"):
        from HTSegmentationLib.inference.network_segmenter import NetworkSegmenter

        return NetworkSegmenter(model, device=device, batch_size=batch_size, mirroring=mirroring, half=half)
    if kind == "nnunet":
        from HTSegmentationLib.inference.nnunet.segmenter import NnUNetSegmenter

        return NnUNetSegmenter(model, device=device, mirroring=mirroring)
    raise InputError(
        model.folder, f"its kind is {kind!r}", "update HTSegmentation, which knows network, monai-bundle, nnunet"
    )
