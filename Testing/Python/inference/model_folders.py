"""Tiny model folders that the tests write: a real network with seeded weights, and a description that is in order."""

import copy
import hashlib
import json
import os

ARCHITECTURE = {"name": "se-unet", "arguments": {"input_channels": 1, "classes": 2, "levels": 2, "filters": 2}}

DESCRIPTION = {
    "format": 1,
    "kind": "network",
    "name": "tiny",
    "title": "Tiny SE U-Net",
    "version": "1.0",
    "architecture": ARCHITECTURE,
    "labels": [{"value": 1, "name": "Hemorrhage", "code": "50960005", "meaning": "Hemorrhage", "color": [188, 65, 28]}],
    "input": {
        "channels": ["ct"],
        "orientation": "LPS",
        "spacing_mm": [None, None, None],
        "size": None,
        "window_hu": [0, 100],
        "normalization": {"kind": "scale", "low": 0, "high": 1},
        "brain_only": True,
        "outside_value": 0,
    },
    "inference": {
        "patch": [16, 16, 8],
        "overlap": 0.5,
        "blending": "gaussian",
        "mirroring": False,
        "activation": "softmax",
        "probability_threshold": None,
        "needs_roi": False,
    },
    "weights": [{"file": "weights.safetensors", "sha256": "0" * 64}],
    "training": {"data": "none"},
    "metrics": {},
    "licence": "Apache-2.0",
    "citation": "",
    "intended_use": "Tests.",
    "warning": "It never saw a patient.",
}


def described(**changes):
    """The description with other values for some keys; ``a__b`` stands for the key b within a, None takes a key away."""
    values = copy.deepcopy(DESCRIPTION)
    for path, value in changes.items():
        *parents, key = path.split("__")
        place = values
        for parent in parents:
            place = place[int(parent) if parent.isdecimal() else parent]
        if value is ...:
            del place[key]
        else:
            place[int(key) if key.isdecimal() else key] = value
    return values


def tensors(seed=0):
    """Seeded tensors of the tiny network."""
    import torch

    from HTSegmentationLib.networks.registry import build_network

    torch.manual_seed(seed)
    return build_network(ARCHITECTURE["name"], ARCHITECTURE["arguments"]).state_dict()


def write_model(folder, weights=None, **changes):
    """A model folder with the tiny network; its SHA-256 is right unless ``changes`` name another."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors() if weights is None else weights, folder / "weights.safetensors")
    digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    values = described(**({"weights__0__sha256": digest} | changes))
    (folder / "model.json").write_text(json.dumps(values))
    return folder


class Malicious:
    """What unpickles to a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)
