"""One step of training, and the validation."""

import pytest

from HTSegmentationLib.networks.registry import build_network

from ..needs import deep_learning
from .tiny_plan import MadeUp, cross_entropy

torch = deep_learning()

from HTSegmentationLib.training.step import NotANumberError, Stepper  # noqa: E402
from HTSegmentationLib.training.supervised import supervised  # noqa: E402
from HTSegmentationLib.training.validation import validate  # noqa: E402

CPU = torch.device("cpu")


def network(name="se-unet", **arguments):
    torch.manual_seed(1)
    return build_network(name, {"levels": 2, "filters": 4} | arguments)


def stepper(trained, loss=cross_entropy, **how):
    return Stepper(trained, loss, torch.optim.SGD(trained.parameters(), 0.1), CPU, **how)


@pytest.mark.parametrize("half", [False, True])
def test_steps_bring_the_loss_down_in_single_and_in_mixed_precision(half):
    step, batch = stepper(network(dropout=0.0), half=half), next(MadeUp().epoch(0))
    losses = [step(*batch) for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]


def test_gradients_that_are_no_numbers_change_nothing():
    trained = network()
    before = {name: value.clone() for name, value in trained.state_dict().items()}

    def steep(logits, target):
        # Finite itself, with a slope that is not.
        return cross_entropy(logits, target) + (logits.sum() * 0).sqrt()

    with pytest.raises(NotANumberError, match="norm of its gradients nan"):
        stepper(trained, steep)(*next(MadeUp().epoch(0)))
    assert all(torch.equal(before[name], value) for name, value in trained.state_dict().items())


def test_all_processes_hear_of_a_broken_number_of_one():
    asked = []

    def agreed(bad):
        asked.append(bad)
        return True

    with pytest.raises(NotANumberError):
        stepper(network(), agreed=agreed)(*next(MadeUp().epoch(0)))
    assert asked == [False]


def test_the_dice_of_validation_is_that_of_all_patches_together():
    class Known(torch.nn.Module):
        def forward(self, x):
            return torch.cat([torch.zeros_like(x), x], dim=1)

    def batch(found, target):
        x = torch.full((1, 1, 1, 1, 4), -9.0)
        x[..., found] = 9.0
        y = torch.zeros((1, 1, 1, 1, 4), dtype=torch.int64)
        y[..., target] = 1
        return x, y

    known = Known()
    known.register_parameter("w", torch.nn.Parameter(torch.zeros(1)))
    batches = [batch([0, 1], [1, 2]), batch([], []), batch([3], [3])]
    found = validate(known, batches, stepper(known))
    # 2 voxels in both, 3 found and 3 in the references.
    assert found.dice == pytest.approx(2 * 2 / (3 + 3))
    assert validate(known, [batch([], [])], stepper(known)).dice == 1.0
    with pytest.raises(ValueError, match="no patch"):
        validate(known, [], stepper(known))


def test_deep_supervision_gives_several_depths_in_training_and_one_answer_after_it():
    torch.manual_seed(1)
    deep = build_network("cascaded-unet", {"filters": 2, "most_filters": 8, "supervised_levels": 3})
    x = torch.zeros(2, 1, 4, 64, 64)
    wrapped = supervised(deep, deep=True)
    assert [tuple(part.shape[2:]) for part in wrapped.train()(x)] == [(4, 64, 64), (4, 32, 32), (4, 16, 16)]
    assert wrapped.eval()(x).shape == (2, 2, 4, 64, 64)
    assert supervised(deep, deep=False).train()(x).shape == (2, 2, 4, 64, 64)
    assert torch.is_tensor(supervised(network("cnn-ds"), deep=True).train()(torch.zeros(1, 1, 8, 8, 8)))
