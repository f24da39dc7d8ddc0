"""The training loop: it knows of batches, losses and weights, and of nothing it trains."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from penchant._progress import Progress
from penchant._random import torch_generator
from penchant.errors import ConfigError, PenchantError
from penchant.training.averaging import Average
from penchant.training.checkpoint import load_checkpoint, save_checkpoint
from penchant.training.options import TrainingOptions
from penchant.training.stopping import Stopping

__all__ = ["Job", "train"]


@dataclass(kw_only=True)
class Job:
    """One training: what is trained, on what, by which figure it is judged."""

    module: nn.Module
    """What learns; ends up holding the best epoch's weights."""
    batches: Callable[[int], Any]
    """Epoch number to an iterable of batches."""
    steps: int
    """Batches an epoch, for the progress and the schedule."""
    objective: Callable[[Any], dict[str, Tensor]]
    """A batch to the named terms of its loss, ``"total"`` among them."""
    validate: Callable[[], float] | None
    """A figure of which more is better, of the module as it stands; None: every epoch is better than the last."""
    options: TrainingOptions
    """How long and how fast."""
    rng: int
    """Seed of the randomness inside the module (dropout)."""
    device: torch.device
    """Where the module is."""
    progress: Progress
    """Told of every step."""
    checkpoint: Path | None = None
    """Folder to go on from, and to leave a checkpoint in after each epoch."""
    fingerprint: str = ""
    """Names the configuration and data: a checkpoint of another one is refused."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One row an epoch: mean terms of the loss, the learning rate, the validation figure."""


def train(job: Job) -> list[dict[str, float]]:
    """Train ``job.module`` in place; returns the history. Interrupted and resumed gives the same bits.

    Raises:
        PenchantError: the loss is no finite number any more.
        ConfigError: the checkpoint belongs to another configuration or other data.
    """
    options = job.options
    optimiser = torch.optim.AdamW(
        [p for p in job.module.parameters() if p.requires_grad],
        lr=options.learning_rate,
        weight_decay=options.weight_decay,
        fused=True,
    )
    average, stopping = Average(job.module, options.average), Stopping(options.patience)
    state = _State(job, optimiser, average, stopping)
    first = state.resume()
    job.progress.start(options.epochs * job.steps, "training")
    job.progress.step(first * job.steps)
    devices = [job.device] if job.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        for epoch in range(first, options.epochs):
            if stopping.best_epoch >= 0 and stopping.over(epoch - 1):
                break
            torch.manual_seed(torch_generator(job.rng, "epoch", str(epoch)).initial_seed())
            row = {"epoch": float(epoch), **_one_epoch(job, optimiser, average, epoch)}
            with average.applied():
                job.module.eval()
                row["valid"] = job.validate() if job.validate else float(epoch)
                if stopping.better(row["valid"], epoch):
                    state.keep()
            if job.validate:
                job.progress.step(0, loss=row["total"], valid=row["valid"])
            else:
                del row["valid"]
            job.history.append(row)
            state.save(epoch)
    state.restore_best()
    job.progress.finish()
    return job.history


def _one_epoch(job: Job, optimiser: torch.optim.Optimizer, average: Average, epoch: int) -> dict[str, float]:
    job.module.train()
    sums: dict[str, Tensor] = {}
    for step, batch in enumerate(job.batches(epoch), start=epoch * job.steps):
        for group in optimiser.param_groups:
            group["lr"] = _learning_rate(job.options, step / (job.options.epochs * job.steps))
        terms = job.objective(batch)
        optimiser.zero_grad(set_to_none=True)
        terms["total"].backward()
        optimiser.step()
        average.update()
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + value.detach()
        job.progress.step(1)
    means = {name: float(value) / job.steps for name, value in sums.items()}
    if not math.isfinite(means["total"]):
        raise PenchantError(f"training diverged in epoch {epoch + 1}: lower learning_rate, or check the weights column")
    return means


def _learning_rate(options: TrainingOptions, done: float) -> float:
    if options.schedule == "constant":
        return options.learning_rate
    return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


class _State:
    """What a checkpoint holds: weights, their average, the best epoch's, the optimiser's moments, the history."""

    def __init__(self, job: Job, optimiser: torch.optim.Optimizer, average: Average, stopping: Stopping) -> None:
        self.job, self.optimiser, self.average, self.stopping = job, optimiser, average, stopping
        self.best: dict[str, Tensor] = {}

    def keep(self) -> None:
        """Remember the module as it stands as the best."""
        self.best = {name: tensor.detach().clone() for name, tensor in self.job.module.state_dict().items()}

    def restore_best(self) -> None:
        """Put the best epoch's weights into the module."""
        self.job.module.load_state_dict(self.best)
        self.job.module.eval()

    def save(self, epoch: int) -> None:
        """Leave a checkpoint after ``epoch``, where one is wanted."""
        if self.job.checkpoint is None:
            return
        tensors = {f"live/{n}": t for n, t in self.job.module.state_dict().items()}
        tensors |= {f"best/{n}": t for n, t in self.best.items()}
        if self.average.decay:
            tensors |= {f"mean/{i}": t for i, t in enumerate(self.average.mean)}
        for i, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam/{i}/{name}": torch.as_tensor(t) for name, t in moments.items()}
        facts = {
            "epoch": epoch,
            "fingerprint": self.job.fingerprint,
            "history": self.job.history,
            "best": self.stopping.best,
            "best_epoch": self.stopping.best_epoch,
            "steps": self.average.steps,
        }
        save_checkpoint(self.job.checkpoint, tensors, facts)

    def resume(self) -> int:
        """Take up the checkpoint, if there is one; the epoch to go on with."""
        found = None if self.job.checkpoint is None else load_checkpoint(self.job.checkpoint, self.job.device)
        if found is None:
            return 0
        tensors, facts = found
        if facts["fingerprint"] != self.job.fingerprint:
            raise ConfigError(
                f"the checkpoint in {self.job.checkpoint} belongs to another configuration or other data: "
                "give another folder, or delete it to start anew"
            )
        self.job.module.load_state_dict(_part(tensors, "live/"))
        self.best = _part(tensors, "best/")
        for i, mean in _part(tensors, "mean/").items():
            self.average.mean[int(i)].copy_(mean)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "adam/").items():
            i, moment = name.split("/")
            moments.setdefault(int(i), {})[moment] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": moments})
        self.job.history[:] = facts["history"]
        self.stopping.best, self.stopping.best_epoch = facts["best"], facts["best_epoch"]
        self.average.steps = facts["steps"]
        return int(facts["epoch"]) + 1


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
