"""A network is a method of a batch like any other."""

import json

from HTSegmentationLib.cli import main

from ..inference.model_folders import tensors, write_model
from ..needs import deep_learning
from .small_cohort import read_rows, write_cohort

deep_learning()


def test_a_network_does_a_cohort_without_rois_and_goes_on_only_with_the_same_weights(tmp_path, capsys):
    model = write_model(tmp_path / "tiny", tensors(seed=1))
    words = ["batch", str(write_cohort(tmp_path / "cohort", 2)), "--output", str(tmp_path / "out")]
    words += ["--method", str(model), "--device", "cpu"]
    assert main(words) == 0, capsys.readouterr().err
    assert [row["status"] for row in read_rows(tmp_path / "out" / "results.csv")] == ["done", "done"]
    settings = json.loads((tmp_path / "out" / "batch.json").read_text(encoding="utf-8"))
    assert (settings["method"], settings["parameters"]["model"]) == ("tiny", "tiny")
    assert len(settings["parameters"]["model weights"][0]) == 64
    assert main(words) == 0
    write_model(tmp_path / "tiny", tensors(seed=2))
    assert main(words) == 2
    assert "model weights was" in capsys.readouterr().err
