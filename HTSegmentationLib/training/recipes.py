"""The published way to train each architecture; what a paper leaves open is decided here and named in the table.

:func:`published_table` of :mod:`HTSegmentationLib.training.recipe_table` sets the papers' values beside these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.cascade_description import CascadeDescription
from HTSegmentationLib.inference.models.fields import listed
from HTSegmentationLib.inference.models.inference_description import InferenceDescription
from HTSegmentationLib.inference.models.input_description import InputDescription, Normalization
from HTSegmentationLib.training.augmentation import Augmentation
from HTSegmentationLib.training.sampling import SAMPLINGS, Sampling
from HTSegmentationLib.training.settings import TrainingSettings

_SCALED = Normalization("scale", 0.0, 1.0)
"""The window's ends become 0 and 1."""

_OWN_SPACING = (None, None, None)
"""The scan's own voxels."""

_BRAIN_HU = (0.0, 100.0)
"""From water to beyond the densest blood; the window of the CNN with deep supervision, taken where a paper names none."""

_XU_HU = (-5.0, 85.0)
"""Level 40, width 90 (Xu et al., section 3)."""

_XU_SPACINGS_MM = {"full": (0.488, 0.488, 5.0), "low": (0.518, 0.518, 5.0)}
"""3D-Fullres and 3D-Lowres (Xu et al., section 5.1), (x, y, z)."""

CASCADE_VARIANTS = ("cascade", *_XU_SPACINGS_MM, "2d")
"""What :func:`cascade_variant` knows."""

_HEAD_SIZE = (128, 128, 64)
"""A whole head, (x, y, z) (Arab et al., "Image preprocessing")."""


def published_settings(architecture: str) -> TrainingSettings:
    """The published recipe of an architecture.

    Args:
        architecture: One of ``TRAINABLE``.

    Raises:
        ParameterError: There is no recipe for it.

    Example:
        >>> published_settings("se-unet").optimiser
        'adadelta'
    """
    if architecture not in _RECIPES:
        text = f"there is no recipe for {architecture!r}; there are {listed(TRAINABLE)}"
        if architecture == "deepmedic":
            text += ". BLAST-CT's own weights come with htseg models import-blast-ct"
        raise ParameterError(text)
    return _RECIPES[architecture]()


def cascade_variant(variant: str) -> TrainingSettings:
    """The four settings of Xu et al.'s ablation (section 5.1, Table 1).

    Args:
        variant: ``"cascade"``, or a single stage: ``"full"`` (3D-Fullres), ``"low"`` (3D-Lowres), ``"2d"`` (2D-Model).

    Raises:
        ParameterError: There is no such variant.

    Example:
        >>> cascade_variant("2d").patch
        (512, 512, 1)
    """
    if variant == "cascade":
        return _cascaded_unet(stage="cascade")
    if variant in _XU_SPACINGS_MM:
        return _cascaded_unet(spacing=_XU_SPACINGS_MM[variant])
    if variant == "2d":
        return _cascaded_unet(patch=(512, 512, 1), arguments={"dimensions": 2})
    raise ParameterError(f"the cascaded U-Net has no variant {variant!r}; it has {listed(CASCADE_VARIANTS)}")


def _se_unet() -> TrainingSettings:
    """Abramova et al. 2021, final configuration (section 3.6)."""
    return TrainingSettings(
        architecture="se-unet",
        input=InputDescription(
            ("ct", "symmetric"), "LPS", _OWN_SPACING, None, _BRAIN_HU, _SCALED, brain_only=True, outside_value=0.0
        ),
        inference=InferenceDescription(patch=(32, 32, 16), overlap=0.55, blending="uniform"),
        patch=(32, 32, 16),
        patches_per_case=3000,
        sampling=SAMPLINGS["hyperintense"],
        loss="dice-ce",
        optimiser="adadelta",
        learning_rate=1.0,
        batch_size=32,
        epochs=100,
        patience=15,
    )


def _cascaded_unet(
    *,
    stage: str = "single",
    spacing: tuple[float, ...] = _XU_SPACINGS_MM["full"],
    patch: tuple[int, int, int] = (320, 320, 16),
    arguments: Mapping[str, int] | None = None,
) -> TrainingSettings:
    """Xu et al. 2023, section 4.3."""
    cascade = CascadeDescription(stage2=1) if stage == "cascade" else None
    return TrainingSettings(
        architecture="cascaded-unet",
        arguments=dict(arguments or {}),
        input=InputDescription(("ct",), "LPS", spacing, None, _XU_HU, Normalization("z-score", over="image")),
        inference=InferenceDescription(patch=patch, overlap=0.5, blending="uniform", cascade=cascade),
        patch=patch,
        patches_per_case=2 if patch[2] > 1 else 28,
        sampling=Sampling(lesion_share=0.0, within="anywhere", fresh=True),
        augmentation=Augmentation(flip=0.5, rotation=1.0, rotation_deg=30.0, noise=0.5, smoothing=0.5, contrast=0.5),
        loss="dice-ce",
        deep_supervision=True,
        optimiser="adamw",
        learning_rate=1e-2,
        schedule="cosine-restarts",
        batch_size=2 if patch[2] > 1 else 12,
        epochs=150,
        folds=0,
        stage=stage,
    )


def _cnn_ds() -> TrainingSettings:
    """Arab et al. 2020, "Neural network training"."""
    return TrainingSettings(
        architecture="cnn-ds",
        input=InputDescription(("ct",), "LPS", _OWN_SPACING, _HEAD_SIZE, _BRAIN_HU, Normalization("none")),
        inference=InferenceDescription(probability_threshold=0.5),
        loss="dice",
        loss_parameters={"include_background": True},
        deep_supervision=True,
        sampling=Sampling(lesion_share=0.0, within="anywhere"),
        optimiser="adam",
        learning_rate=1e-4,
        schedule="plateau",
        batch_size=1,
        epochs=500,
        patience=50,
        validation_share=0.11,
        folds=0,
    )


def _patch_unet() -> TrainingSettings:
    """The patch-wise U-Net that Arab et al. compare with, trained as their own network but on patches."""
    return TrainingSettings(
        architecture="patch-unet",
        arguments={"skip_connections": False},
        input=InputDescription(("ct",), "LPS", _OWN_SPACING, None, _BRAIN_HU, _SCALED, brain_only=True),
        inference=InferenceDescription(patch=(64, 64, 16)),
        patch=(64, 64, 16),
        patches_per_case=32,
        sampling=Sampling(fresh=True),
        augmentation=Augmentation(flip=0.5, rotation=0.5),
        loss="dice",
        loss_parameters={"include_background": True},
        optimiser="adam",
        learning_rate=1e-4,
        schedule="plateau",
        batch_size=8,
        epochs=500,
        patience=50,
        folds=0,
    )


def _slice_unet() -> TrainingSettings:
    """The slice-based U-Net that Arab et al. compare with ("Comparison with other methods")."""
    return TrainingSettings(
        architecture="slice-unet",
        input=InputDescription(("ct",), "LPS", _OWN_SPACING, None, (30.0, 130.0), Normalization("z-score", over="image")),
        inference=InferenceDescription(patch=(512, 512, 1), overlap=0.5),
        patch=(512, 512, 1),
        patches_per_case=30,
        sampling=Sampling(lesion_share=0.5, within="anywhere", fresh=True),
        loss="dice",
        optimiser="adam",
        learning_rate=1e-4,
        schedule="plateau",
        batch_size=4,
        epochs=100,
        patience=15,
        folds=0,
    )


def _monai(architecture: str, patch: tuple[int, int, int]) -> TrainingSettings:
    """BasicUNet and DeepLabv3+, which the nnU-Net comparison trained with MONAI's defaults (paper C)."""
    return TrainingSettings(
        architecture=architecture,
        input=InputDescription(("ct",), "LPS", _OWN_SPACING, None, _BRAIN_HU, _SCALED),
        inference=InferenceDescription(patch=patch, overlap=0.5),
        patch=patch,
        patches_per_case=4,
        sampling=Sampling(within="anywhere", fresh=True),
        augmentation=Augmentation(flip=0.5),
        loss="dice-ce",
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=4,
        epochs=1800,
        folds=0,
    )


_RECIPES: Mapping[str, Callable[[], TrainingSettings]] = {
    "se-unet": _se_unet,
    "cascaded-unet": lambda: cascade_variant("cascade"),
    "cnn-ds": _cnn_ds,
    "basic-unet": lambda: _monai("basic-unet", (160, 160, 16)),
    "deeplab": lambda: _monai("deeplab", (192, 192, 16)),
    "patch-unet": _patch_unet,
    "slice-unet": _slice_unet,
}

TRAINABLE = tuple(_RECIPES)
"""The architectures that have a recipe; DeepMedic's is BLAST-CT's own, which no paper here describes."""
