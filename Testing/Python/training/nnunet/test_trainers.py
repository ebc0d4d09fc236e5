"""The trainers that nnU-Net finds in our folder, and their losses."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from HTSegmentationLib import cli
from HTSegmentationLib.inference.models.folder import verify_model
from HTSegmentationLib.inference.models.install import install
from HTSegmentationLib.inference.nnunet.segmenter import NnUNetSegmenter
from HTSegmentationLib.inference.nnunet.trainers import OWN_LOSSES, find_trainer
from HTSegmentationLib.training.nnunet.trainer_folder import TRAINERS, shell_line, trainer_folder

from ... import needs
from ...phantom import as_scan, head_array
from . import tiny_model

torch = needs.deep_learning()
needs.package("nnunetv2", "no trainer of nnU-Net was tested")


FILE = trainer_folder() / "htseg_trainers.py"
LOSSES = [name for name in TRAINERS if name != "nnUNetTrainerDiceCE"]


@pytest.fixture(autouse=True)
def environment_as_it_was(monkeypatch):
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results", "nnUNet_extTrainer"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("nnUNet_compile", "f")


@pytest.fixture(scope="module")
def module():
    """The file as nnU-Net imports it: by its own name, out of the folder."""
    from nnunetv2.utilities.find_class_by_name import recursive_find_python_class

    found = recursive_find_python_class(str(trainer_folder()), "nnUNetTrainerFocal", None)
    yield sys.modules[found.__module__]
    sys.modules.pop(found.__module__)


@pytest.fixture
def trainer_of(module, tmp_path):
    return lambda name, description=None: tiny_model.make_trainer(getattr(module, name), tmp_path, description)


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def samples(seed=0, shape=(2, 4, 3, 5, 6)):
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, shape)
    target = random.integers(0, shape[1], (shape[0], 1, *shape[2:]))
    return logits, target


def own_class(logits, target):
    """Probability of each voxel's own class, (batch, ...)."""
    return np.take_along_axis(softmax(logits), target, axis=1)[:, 0]


def focal(logits, target):
    p = own_class(logits, target)
    return np.mean(-0.5 * (1 - p) ** 2 * np.log(p))


def overlap_sums(logits, target, counted, batch):
    """TP, FP, FN of each class but the background; of the whole batch, or (batch, classes)."""
    p = softmax(logits)
    truth = np.stack([target[:, 0] == label for label in range(logits.shape[1])], 1)
    axes = (0, 2, 3, 4) if batch else (2, 3, 4)
    parts = (p * truth, p * ~truth, (1 - p) * truth)
    return [(part * counted).sum(axes)[..., 1:] for part in parts]


def tversky(logits, target, power=1.0, counted=True, batch=False):
    tp, fp, fn = overlap_sums(logits, target, counted, batch)
    return (1 - np.mean((tp + 1e-5) / (tp + 0.3 * fp + 0.7 * fn + 1e-5))) ** power


def dice_topk(logits, target):
    tp, fp, fn = overlap_sums(logits, target, True, False)
    losses = np.sort(-np.log(own_class(logits, target)).ravel())
    return losses[-int(losses.size * 0.1) :].mean() - np.mean((2 * tp + 1e-5) / (2 * tp + fp + fn + 1e-5))


BY_HAND = {
    "nnUNetTrainerFocal": focal,
    "nnUNetTrainerTversky": tversky,
    "nnUNetTrainerFocalTversky": lambda logits, target: tversky(logits, target, 0.75),
    "nnUNetTrainerDiceTopK": dice_topk,
}


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_is_its_formula_and_has_a_finite_gradient(trainer_of, name):
    logits, target = samples()
    loss = trainer_of(name)._build_loss().loss
    given = torch.from_numpy(logits).float().requires_grad_()
    value = loss(given, torch.from_numpy(target).short())
    value.backward()
    assert value.item() == pytest.approx(BY_HAND[name](logits, target), rel=1e-5)
    assert torch.isfinite(given.grad).all()
    assert given.grad.abs().max() > 0


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_certain_and_right_or_wrong_has_a_finite_gradient_too(trainer_of, name):
    _, target = samples()
    target[0] = 0
    right = 200.0 * np.stack([target[:, 0] == label for label in range(4)], 1)
    for logits in (right, -right, np.zeros_like(right)):
        given = torch.from_numpy(logits).float().requires_grad_()
        loss = trainer_of(name)._build_loss().loss(given, torch.from_numpy(target).short())
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(given.grad).all()


def test_tversky_and_focal_are_those_of_monai(module):
    from monai.losses import FocalLoss, TverskyLoss

    logits, target = (torch.from_numpy(values).float() for values in samples(3))
    for batch in (False, True):
        ours = module.TverskyLoss(batch=batch, gather=False)(logits, target)
        theirs = TverskyLoss(False, to_onehot_y=True, softmax=True, alpha=0.3, beta=0.7, batch=batch)(logits, target)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    theirs = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=2.0)(logits, target)
    # MONAI takes the mean over the classes as well, of which one counts in each voxel; alpha is one half.
    assert module.FocalLoss()(logits, target).item() == pytest.approx(theirs.item() * 4 / 2, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_voxels_to_be_ignored_change_nothing_and_all_of_them_give_a_loss(trainer_of, name):
    description = tiny_model.dataset({**tiny_model.LABELS, "ignore": 4})
    loss = trainer_of(name, description)._build_loss().loss
    logits, target = samples(shape=(2, 4, 4, 10, 10))
    counted = np.random.default_rng(1).random(target.shape) < 0.8
    masked = torch.from_numpy(np.where(counted, target, 4)).short()
    values = [loss(torch.from_numpy(np.where(counted, logits, other)), masked).item() for other in (0.0, 5.0)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    if "Tversky" in name:
        power = 0.75 if "Focal" in name else 1.0
        assert values[0] == pytest.approx(tversky(logits, target, power, counted), rel=1e-5)
    nothing = torch.from_numpy(logits).requires_grad_()
    loss(nothing, torch.full_like(masked, 4)).backward()
    assert torch.isfinite(nothing.grad).all()


@pytest.mark.parametrize("name", TRAINERS)
def test_depths_are_weighed_as_nnunet_does(trainer_of, name, tmp_path):
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    usual = tiny_model.make_trainer(nnUNetTrainer, tmp_path)._build_loss()
    trainer = trainer_of(name)
    assert trainer._build_loss().weight_factors == usual.weight_factors
    trainer.enable_deep_supervision = False
    alone = trainer._build_loss()
    logits, target = samples()
    assert torch.isfinite(alone(torch.from_numpy(logits), torch.from_numpy(target)))


@pytest.mark.parametrize("name", LOSSES)
def test_regions_that_lie_in_each_other_are_refused(trainer_of, name):
    description = tiny_model.dataset({"background": 0, "all": [1, 2], "ICH": [1]}, regions_class_order=[2, 1])
    with pytest.raises(ValueError, match=r"dataset\.json has regions; take nnUNetTrainerDiceCE"):
        trainer_of(name, description)._build_loss()


def test_each_trains_as_long_as_published_or_as_long_as_its_name_says(module, trainer_of):
    assert trainer_of("nnUNetTrainerFocal").num_epochs == 1800
    brief = trainer_of("nnUNetTrainerFocalTversky_12epochs")
    assert brief.num_epochs == 12
    assert Path(brief.output_folder).parent.name == "nnUNetTrainerFocalTversky_12epochs__nnUNetPlans__3d_fullres"
    for name in ("nnUNetTrainerFocal_0epochs", "nnUNetTrainerOther_5epochs", "nnUNetTrainer_5epochs_"):
        assert not hasattr(module, name)


def test_nnunets_own_search_finds_each_in_the_folder(monkeypatch):
    from nnunetv2.utilities.find_class_by_name import recursive_find_python_class

    for name in (*TRAINERS, "nnUNetTrainerFocal_5epochs"):
        found = recursive_find_python_class(
            str(trainer_folder()), name, None, base_folder=str(trainer_folder()), cleanup_imports_from_base_folder=True
        )
        assert found.__name__ == name


def test_the_file_needs_nothing_of_this_library():
    names = [
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    assert {name.split(".")[0] for name in names} == {"__future__", "abc", "re", "typing", "torch", "nnunetv2", "monai"}


def test_inference_knows_every_trainer_by_name_and_that_none_changes_the_network(module, tmp_path):
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    assert [f"nnUNetTrainer{loss}" for loss in OWN_LOSSES] == list(TRAINERS)
    for name in (*TRAINERS, "nnUNetTrainerTversky_100epochs"):
        assert getattr(module, name).build_network_architecture is nnUNetTrainer.build_network_architecture
        assert find_trainer(name, tmp_path) is nnUNetTrainer


def test_a_program_in_a_models_folder_is_never_run_and_a_trainer_of_the_users_own_goes_before_ours(tmp_path, monkeypatch):
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    folder, own = tmp_path / "model", tmp_path / "own"
    for place, line in ((folder, "raise SystemExit"), (own, "class nnUNetTrainerFocal: pass")):
        place.mkdir()
        (place / "a_trainer.py").write_text(f"{line}\nclass nnUNetTrainerTversky: pass\n")
    assert find_trainer("nnUNetTrainerTversky", folder) is nnUNetTrainer
    monkeypatch.setenv("nnUNet_extTrainer", str(own))
    assert find_trainer("nnUNetTrainerFocal", folder).__module__ == "a_trainer"


def test_a_model_is_trained_installed_and_run_without_naming_the_folder(module, trainer_of, tmp_path, monkeypatch):
    trainer = tiny_model.initialised(trainer_of("nnUNetTrainerFocal_1epochs"))
    before = [tensor.clone() for tensor in trainer.network.state_dict().values()]
    losses = [float(trainer.train_step(tiny_model.batch(trainer))["loss"]) for _ in range(8)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert any(not torch.equal(a, b) for a, b in zip(before, trainer.network.state_dict().values(), strict=True))
    folder = Path(trainer.output_folder)
    trainer.save_checkpoint(str(folder / "checkpoint_final.pth"))
    (folder.parent / "plans.json").write_text(json.dumps(tiny_model.plans()))
    (folder.parent / "dataset.json").write_text(json.dumps(tiny_model.dataset()))
    monkeypatch.setenv("HTSEG_MODELS", str(tmp_path / "store"))
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.delenv(name)
    entry = install(folder.parent)
    assert entry.model.description.nnunet.trainer == "nnUNetTrainerFocal_1epochs"
    assert verify_model(entry.model) == ()
    result = NnUNetSegmenter(entry.model, device="cpu", mirroring=False).run(as_scan(head_array()[0]))
    assert result.details.trainer == "nnUNetTrainerFocal_1epochs"
    assert [label.name for label in result.labels][:2] == ["Intraparenchymal hemorrhage", "Intraventricular hemorrhage"]


def shared_loss(kind, rank, meeting):
    """The loss and the gradient of one half of a batch of four, beside those of the whole batch on one card."""
    logits, target = (torch.from_numpy(values) for values in samples(shape=(4, 3, 2, 4, 4)))
    part = slice(2 * rank, 2 * rank + 2)
    own, whole = logits[part].clone().requires_grad_(), logits.clone().requires_grad_()
    expected = kind(batch=True, gather=False)(whole, target)
    expected.backward()
    torch.distributed.init_process_group("gloo", init_method=Path(meeting).as_uri(), rank=rank, world_size=2)
    try:
        found = kind(batch=True, gather=True)(own, target[part])
        found.backward()
    finally:
        torch.distributed.destroy_process_group()
    return found.item(), expected.item(), own.grad, whole.grad[part]


SECOND_CARD = f"""
import sys
sys.path[:0] = [{str(trainer_folder())!r}, {str(Path(__file__).parents[4])!r}]
from htseg_trainers import TverskyLoss
from Testing.Python.training.nnunet.test_trainers import shared_loss
shared_loss(TverskyLoss, 1, sys.argv[1])
"""


def test_two_cards_have_the_loss_of_their_common_batch(module, tmp_path):
    meeting = tmp_path / "meeting"
    other = subprocess.Popen([sys.executable, "-c", SECOND_CARD, str(meeting)], stderr=subprocess.PIPE, text=True)
    try:
        found, expected, gradient, of_whole = shared_loss(module.TverskyLoss, 0, meeting)
    finally:
        _, error = other.communicate(timeout=120)
    assert other.returncode == 0, error
    assert found == pytest.approx(expected, rel=1e-6)
    # The cards' gradients are averaged, so that each has twice its share.
    assert torch.allclose(gradient, 2 * of_whole, atol=1e-7)


def test_the_command_names_folder_and_line(capsys, monkeypatch, tmp_path):
    assert cli.main(["nnunet", "trainers"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in TRAINERS)
    assert str(trainer_folder()) in said
    monkeypatch.setenv("nnUNet_extTrainer", os.pathsep.join(["it's mine", str(trainer_folder())]))
    assert cli.main(["nnunet", "trainers", "--line"]) == 0
    line = capsys.readouterr().out.strip()
    if os.name != "nt":
        shell = subprocess.run(
            ["sh", "-c", f'{line}; printf %s "$nnUNet_extTrainer"'], capture_output=True, text=True, check=True
        )
        assert shell.stdout == f"{trainer_folder()}:it's mine"
    assert shell_line(windows=True) == f"$env:nnUNet_extTrainer = '{trainer_folder()}{os.pathsep}it''s mine'"
