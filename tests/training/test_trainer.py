import math

import pytest
import torch
from torch import nn

from penchant._progress import SilentProgress
from penchant.errors import ConfigError, PenchantError
from penchant.training import Job, TrainingOptions, train


class Toy(nn.Module):
    """y = w·x + b with dropout, to be fitted to y = 3x − 1."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(1, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        return self.line(self.dropout(x))


def job(toy: Toy, **changes) -> Job:
    x = torch.linspace(-1, 1, 64)[:, None]

    def batches(epoch):
        return x[torch.randperm(64, generator=torch.Generator().manual_seed(epoch))].split(16)

    def objective(batch):
        return {"total": (toy(batch) - (3 * batch - 1)).square().mean()}

    def validate():
        with torch.no_grad():
            return -float((toy(x) - (3 * x - 1)).square().mean())

    settings = {
        "module": toy, "batches": batches, "steps": 4, "objective": objective, "validate": validate,
        "options": TrainingOptions(epochs=12, learning_rate=0.1, patience=50), "rng": 3,
        "device": torch.device("cpu"), "progress": SilentProgress(),
    }  # fmt: skip
    return Job(**{**settings, **changes})


def toy() -> Toy:
    torch.manual_seed(0)
    return Toy()


def bits(module: nn.Module) -> list[float]:
    return [p.item() for p in module.parameters()]


def test_it_learns_and_keeps_the_best_epoch():
    one = toy()
    history = train(job(one))
    assert history[-1]["total"] < history[0]["total"] / 5
    best = max(row["valid"] for row in history)
    assert job(one).validate() == pytest.approx(best)


def test_the_same_seed_gives_the_same_bits_and_leaves_torch_alone():
    one, other = toy(), toy()
    before = torch.get_rng_state()
    assert train(job(one)) == train(job(other))
    assert bits(one) == bits(other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("stop_after", range(1, 12))
def test_interrupted_after_any_epoch_and_resumed_is_bit_equal(tmp_path, stop_after):
    whole, broken, resumed = toy(), toy(), toy()
    history = train(job(whole))

    def interrupted(epoch):
        if epoch == stop_after:
            raise KeyboardInterrupt
        return job(broken).batches(epoch)

    with pytest.raises(KeyboardInterrupt):
        train(job(broken, batches=interrupted, checkpoint=tmp_path / "c"))
    assert train(job(resumed, checkpoint=tmp_path / "c")) == history
    assert bits(resumed) == bits(whole)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_resuming_what_is_finished_changes_nothing(tmp_path, average):
    options = TrainingOptions(epochs=3, learning_rate=0.1, average=average)
    one, other = toy(), toy()
    history = train(job(one, options=options, checkpoint=tmp_path))
    assert train(job(other, options=options, checkpoint=tmp_path)) == history
    assert bits(one) == bits(other)


def test_patience_ends_it_early_and_without_validation_all_epochs_run():
    figures = iter([1.0, 3.0, 2.0, 2.0, 2.0, 9.0])
    history = train(job(toy(), validate=lambda: next(figures), options=TrainingOptions(epochs=6, patience=3)))
    assert [row["valid"] for row in history] == [1.0, 3.0, 2.0, 2.0, 2.0]
    blind = train(job(toy(), validate=None, options=TrainingOptions(epochs=6, patience=1)))
    assert len(blind) == 6
    assert "valid" not in blind[0]


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    train(job(toy(), checkpoint=tmp_path, fingerprint="a"))
    with pytest.raises(ConfigError, match="another configuration"):
        train(job(toy(), checkpoint=tmp_path, fingerprint="b"))


def test_a_loss_that_is_no_number_is_said():
    one = toy()
    with pytest.raises(PenchantError, match="diverged in epoch 1"):
        train(job(one, objective=lambda batch: {"total": one(batch).mean() * math.nan}))


def test_the_cosine_schedule_falls_to_a_hundredth():
    from penchant.training.trainer import _learning_rate

    options = TrainingOptions(learning_rate=1.0, schedule="cosine")
    assert [round(_learning_rate(options, x), 4) for x in (0, 0.5, 1)] == [1.0, 0.505, 0.01]
    assert _learning_rate(TrainingOptions(learning_rate=1.0), 0.7) == 1.0
