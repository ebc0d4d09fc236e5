"""nnU-Net's own predictor, quiet, and with a way to see how far it is and to stop it."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.inference.nnunet.trained import TrainedModel
from HTSegmentationLib.inference.nnunet.trainers import find_trainer
from HTSegmentationLib.progress import Progress, silent

if TYPE_CHECKING:
    from HTSegmentationLib.inference.device import Device


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """nnU-Net prints what it does; stdout belongs to results."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def make_predictor(trained: TrainedModel, device: Device, *, mirroring: bool) -> Any:
    """nnU-Net's predictor with a trained model in it, with the settings of ``nnUNetv2_predict``.

    Args:
        trained: The model.
        device: Where it runs.
        mirroring: Whether mirrored tiles are averaged in, along the axes that the trainer allows.

    Returns:
        An ``nnUNetPredictor`` with the attribute ``progress``, which is told of each tile; what it raises ends the
        prediction and leaves the predictor usable.

    Raises:
        InputError: The trainer is unknown.
        RuntimeError: The weights do not belong to the network.
    """
    from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    with quiet():
        plans = PlansManager(trained.plans)
        configuration = plans.get_configuration(trained.configuration)
        network = find_trainer(trained.trainer, trained.folder).build_network_architecture(
            plans,
            configuration,
            determine_num_input_channels(plans, configuration, trained.dataset),
            plans.get_label_manager(trained.dataset).num_segmentation_heads,
            enable_deep_supervision=False,
        )
        for weights in trained.weights:
            network.load_state_dict(weights)
        predictor = _predictor_class()(
            tile_step_size=0.5,
            use_gaussian=True,
            use_mirroring=mirroring,
            perform_everything_on_device=device.is_cuda,
            device=device.torch_device,
            allow_tqdm=False,
        )
        predictor.manual_initialization(
            network, plans, configuration, list(trained.weights), trained.dataset, trained.trainer, trained.mirroring_axes
        )
    return predictor


@functools.cache
def _predictor_class() -> type:
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    class StoppablePredictor(nnUNetPredictor):
        """Tells the progress of each tile, and ends at a tile's border when the progress raises."""

        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.progress: Progress = silent
            self._fault: BaseException | None = None
            self.tiles = 0
            self._done = self._passes = 0

        def predict_logits_from_preprocessed_data(self, data: torch.Tensor) -> torch.Tensor:
            threads = torch.get_num_threads()
            self._done = self._passes = 0
            try:
                return super().predict_logits_from_preprocessed_data(data)
            finally:
                # nnU-Net sets it back only when all went well.
                torch.set_num_threads(threads)

        def _internal_predict_sliding_window_return_logits(self, data: Any, slicers: Any, do_on_device: bool = True) -> Any:
            self._fault = None
            self._done = self._passes * len(slicers)
            self.tiles = len(slicers)
            logits = super()._internal_predict_sliding_window_return_logits(data, _UntilFault(self, slicers), do_on_device)
            fault, self._fault = self._fault, None
            if fault is not None:
                raise fault
            self._passes += 1
            return logits

        def _internal_maybe_mirror_and_predict(self, x: torch.Tensor) -> torch.Tensor:
            if self._fault is None:
                try:
                    self.progress("network", self._done / (self.tiles * len(self.list_of_parameters)))
                    self._done += 1
                    return super()._internal_maybe_mirror_and_predict(x)
                except Exception as error:
                    # Raised from here, the thread that fetches tiles would wait for ever and keep the scan in memory.
                    self._fault = error
            return x.new_zeros((1, self.label_manager.num_segmentation_heads, *x.shape[2:]))

    class _UntilFault:
        """The tiles to predict; there are no more once the prediction failed or was stopped."""

        def __init__(self, predictor: StoppablePredictor, slicers: Any) -> None:
            self._predictor, self._slicers = predictor, slicers

        def __len__(self) -> int:
            return len(self._slicers)

        def __iter__(self) -> Iterator[Any]:
            for slicer in self._slicers:
                if self._predictor._fault is not None:
                    return
                yield slicer

    return StoppablePredictor
