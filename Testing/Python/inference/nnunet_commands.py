"""Runs nnU-Net's own console commands one after another in one process, which imports torch once.

``python nnunet_commands.py '[["nnUNetv2_train", "501", ...], ...]'``; a command ``["set", NAME, VALUE]`` sets an environment
variable, and ``["shrink", PLANS]`` makes the network of a plans file small enough for a test.
"""

import json
import os
import sys
import types
from importlib.metadata import entry_points
from pathlib import Path

PATCH = [12, 48, 48]
"""Slices, rows, columns of a tile."""

SPACING = [5.0, 2.9, 2.8]
"""In mm, z y x; another than the scans', so that scans and results are resampled."""


def shrink(plans):
    content = json.loads(Path(plans).read_text())
    configuration = content["configurations"]["3d_fullres"]
    configuration.update(patch_size=PATCH, spacing=SPACING)
    configuration["architecture"]["arch_kwargs"].update(
        n_stages=3,
        features_per_stage=[4, 8, 8],
        kernel_sizes=[[1, 3, 3], [3, 3, 3], [3, 3, 3]],
        strides=[[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        n_conv_per_stage=[1, 1, 1],
        n_conv_per_stage_decoder=[1, 1],
    )
    Path(plans).write_text(json.dumps(content))


def main(commands):
    try:
        import torchvision  # noqa: F401
    except Exception:
        # nnU-Net imports all of its trainers to find one; these need a torchvision that fits the installed torch.
        name = "nnunetv2.training.nnUNetTrainer.primus.primus_trainers"
        sys.modules[name] = types.ModuleType(name)
    for words in commands:
        if words[0] == "set":
            os.environ[words[1]] = words[2]
        elif words[0] == "shrink":
            shrink(words[1])
        else:
            sys.argv = words
            entry_points(group="console_scripts")[words[0]].load()()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
