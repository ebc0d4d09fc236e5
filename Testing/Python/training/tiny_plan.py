"""The training of a network of a few hundred weights on patches made up on the spot."""

from dataclasses import replace

import numpy as np

from HTSegmentationLib.networks.registry import build_network
from HTSegmentationLib.training.fold_plan import FoldPlan
from HTSegmentationLib.training.optimisers import Schedule, make_optimiser
from HTSegmentationLib.training.recipes import published_settings


class MadeUp:
    """Bright blobs in noise; the same epoch always has the same ones."""

    def __init__(self, steps=3, size=2, seed=0, spoilt=None):
        self.steps, self.size, self.seed, self.spoilt = steps, size, seed, spoilt
        self.asked = []

    def epoch(self, number, first_step=0):
        import torch

        for step in range(first_step, self.steps):
            self.asked.append((number, step))
            random = np.random.default_rng((self.seed, number, step))
            target = np.zeros((self.size, 1, 4, 8, 8), np.int64)
            for one in target:
                y, x = random.integers(1, 5, 2)
                one[0, 1:3, y : y + 3, x : x + 3] = 1
            values = target + random.normal(0, 0.3, target.shape)
            if self.spoilt == (number, step):
                values[0] = np.nan
            yield torch.from_numpy(values.astype(np.float32)), torch.from_numpy(target)


def cross_entropy(logits, target):
    import torch

    return torch.nn.functional.cross_entropy(logits, target[:, 0])


def settings(**changes):
    arguments = {"levels": 2, "filters": 4}
    base = replace(published_settings("se-unet"), arguments=arguments, optimiser="adam", learning_rate=0.01, epochs=4)
    return replace(base.with_symmetric(False), **changes)


def tiny_plan(folder, training=None, validation=None, *, of=None, **changes):
    """A plan of four epochs of three steps."""
    import torch

    chosen = of or settings()
    torch.manual_seed(3)
    folder.mkdir(parents=True, exist_ok=True)
    network = build_network("se-unet", {"input_channels": 1, "classes": 2, "levels": 2, "filters": 4})
    optimiser = make_optimiser(chosen, network.parameters())
    values = {
        "folder": folder,
        "network": network,
        "loss": cross_entropy,
        "optimiser": optimiser,
        "schedule": Schedule(chosen, optimiser),
        "training": training or MadeUp(),
        "validation": validation or MadeUp(steps=1, seed=9),
        "epochs": chosen.epochs,
        "patience": None,
        "criterion": "loss",
        "deep_supervision": False,
        "seed": (5,),
    }
    return FoldPlan(**(values | changes))
