"""The laws of a whole model: encoder, latent, space and neck together, on a table small enough for a millisecond.

Any encoder goes with any latent, metric and neck, or is refused by a `ConfigError` that names the reason.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from torch import Tensor

from penchant._progress import SilentProgress
from penchant._spec import Block, Features, Layout
from penchant.losses import Loss, combine
from penchant.model import DualAutoencoder
from penchant.tables import EncodedTables
from penchant.testing.nets import random_features, random_history
from penchant.training import Batch, Batches, Job, TrainingOptions, make_negatives, objective, train

__all__ = ["BuildModel", "check_model", "check_resumed", "toy_model"]

BuildModel = Callable[..., DualAutoencoder]
"""(*, user, item, context: Layout, n_items) to a model with random weights: `DualAutoencoder` with its parts bound."""

USER = Layout(
    (
        Block("age", "dense", 1, 1, "square"),
        Block("member", "dense", 1, 1, "binary"),
        Block("job", "code", 5, 3, "categorical"),
        Block("user_id", "code", 10, 0, "none"),
    )
)
ITEM = Layout(
    (
        Block("year", "dense", 1, 1, "square"),
        Block("taste", "dense", 2, 2, "square"),
        Block("language", "code", 5, 3, "categorical"),
        Block("genres", "bag", 6, 4, "binary"),
    )
)
CONTEXT = Layout((Block("hour", "dense", 1, 1, "square"),))
"""Fields of every form; names for crosses."""

_USERS, _ITEMS, _PAIRS = 8, 6, 32
_STEPS = 12
"""Steps within which a loss has to fall; most do in one."""
_STEP = 0.01
"""Their length."""
_HUGE = 30


@cache
def _toy() -> EncodedTables:
    """Random rows of users with histories, items, situations and pairs of both labels."""
    generator = torch.Generator().manual_seed(0)
    users = random_features(USER, _USERS)
    users = Features(users.dense, users.codes, users.bags, random_history(_USERS, _ITEMS))
    pairs = torch.randperm(_USERS * _ITEMS, generator=generator)[:_PAIRS]
    return EncodedTables(
        users=users,
        items=random_features(ITEM, _ITEMS, rng=1),
        context=random_features(CONTEXT, _PAIRS, rng=2),
        user=(pairs // _ITEMS).numpy(),
        item=(pairs % _ITEMS).numpy(),
        label=(torch.arange(_PAIRS) % 2).float().numpy(),
        weight=torch.ones(_PAIRS).numpy(),
    )


@cache
def _toy_batches(loss: Loss) -> Batches:
    """The toy table as batches for a loss."""
    data = _toy()
    negatives = make_negatives(loss, data, "cpu")
    return Batches(data, layouts=(USER, ITEM), batch_size=_PAIRS // 2, rng=0, negatives=negatives)


@cache
def _toy_batch(loss: Loss) -> Batch:
    """All of it as one batch."""
    torch.manual_seed(0)
    return _toy_batches(loss).batch(torch.arange(_PAIRS))


def toy_model(build: BuildModel, rng: int = 0) -> DualAutoencoder:
    """A model for the toy table, prepared and moved off its zeros, which would hide what they read.

    Raises: ConfigError: parts that do not go together.
    """
    torch.manual_seed(rng)
    model, data = _build(build), _toy()
    model.prepare(data.users, data.items, data.context, data.items)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.ndim:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model


def check_model(build: BuildModel, *losses: Loss) -> None:
    """Hold the parts of a model, together, against the laws.

    * points lie in the box, distances in [0, a] and [0, diameter], portrait vectors in [0, 1], also with huge weights;
    * loaded weights give the same bits;
    * with each loss, every parameter that learns gets a gradient, finite and not 0 everywhere;
    * the loss falls within a few small steps along it.

    Arguments:
        build: a model from layouts, ``partial(DualAutoencoder, space=…, encoder=…, decoder=…, latent=…)``.
        losses: necks with their terms, at least one.

    Raises:
        AssertionError: naming the law that is broken.
        ConfigError: parts that do not go together.
    """
    model = toy_model(build)
    for loss in losses:
        try:
            _check_learns(copy.deepcopy(model), loss)
        except AssertionError as error:
            error.add_note(f"with loss.neck = {loss.neck!r}")
            raise
    points = _points(model)
    _check_bounds(model, *points)
    loaded = _build(build)
    loaded.load_state_dict(model.state_dict())
    for mine, theirs in zip(points, _points(loaded), strict=True):
        assert torch.equal(mine, theirs), "loaded weights give the same bits"
    with torch.no_grad():
        for parameter in loaded.parameters():
            parameter.mul_(_HUGE if parameter.ndim else 1)
    _check_bounds(loaded, *_points(loaded))


def _build(build: BuildModel) -> DualAutoencoder:
    return build(user=USER, item=ITEM, context=CONTEXT, n_items=_ITEMS)


@torch.no_grad()
def _points(model: DualAutoencoder) -> tuple[Tensor, Tensor]:
    """Points of the toy users in situations, and of the items."""
    data = _toy()
    rows = torch.arange(_PAIRS) % _USERS
    return model.eval().encode_users(data.users, data.context, rows), model.encode_items(data.items)


@torch.no_grad()
def _check_bounds(model: DualAutoencoder, users: Tensor, items: Tensor) -> None:
    space, diameter = model.space, model.space.diameter
    assert users.shape == (_PAIRS, space.dim), "users become points, one a situation"
    assert items.shape == (_ITEMS, space.dim), "items become points"
    for points in (users, items):
        assert bool(((points >= space.low) & (points <= space.high)).all()), "points lie in the box"
    base = space.base_distance(users[:, None], items)
    _inside(base, diameter, "distances lie between 0 and the diameter")
    cap = min(float(model.threshold) + diameter / 10, diameter)
    _inside(replace(space, cap=cap).capped(base), cap, "capped distances lie between 0 and the cap")
    sides: tuple[tuple[Literal["user", "item"], Layout], ...] = (("user", USER), ("item", ITEM))
    for side, layout in sides:
        decoded = model.decode(side, torch.cat([users, items]))
        assert decoded.shape == (_PAIRS + _ITEMS, layout.width), "points are read as portrait vectors of both sides"
        _inside(decoded, 1.0, "portrait vectors lie in [0, 1]")


def _inside(values: Tensor, high: float, law: str) -> None:
    assert bool(((values >= 0) & (values <= high * (1 + 1e-5))).all()), law


def _loss(model: DualAutoencoder, loss: Loss, batch: Batch) -> Tensor:
    """Of a batch, with the same draws at each call."""
    torch.manual_seed(1)
    return combine(objective(model, batch, loss), loss)["total"]


def _learning(model: DualAutoencoder, loss: Loss) -> DualAutoencoder:
    """The model, whose neck learns what a loss asks for."""
    model.threshold.requires_grad_(loss.neck == "logistic")
    model.log_scale.requires_grad_(loss.neck in ("logistic", "softmax", "bpr"))
    return model


def _check_learns(model: DualAutoencoder, loss: Loss) -> None:
    model, batch = _learning(model, loss), _toy_batch(loss)
    learned = [p for p in model.parameters() if p.requires_grad and p.numel()]
    first = value = _loss(model.train(), loss, batch)
    for step in range(_STEPS):
        slopes = torch.autograd.grad(value, learned, allow_unused=step == 0)
        if not step:
            _check_gradients([name for name, p in model.named_parameters() if p.requires_grad and p.numel()], slopes)
        length = torch.stack([slope.norm() for slope in slopes]).norm()
        with torch.no_grad():
            for parameter, slope in zip(learned, slopes, strict=True):
                parameter.sub_(_STEP / length * slope)
        value = _loss(model, loss, batch)
        if bool(value < first):
            return
    raise AssertionError(f"the loss falls: it was {float(first):.4g} and is {float(value):.4g} after {_STEPS} steps")


def _check_gradients(names: Sequence[str], slopes: Sequence[Tensor | None]) -> None:
    for name, slope in zip(names, slopes, strict=True):
        assert slope is not None, f"{name} gets a gradient"
        assert bool(torch.isfinite(slope).all()), f"the gradient of {name} is finite"
        assert bool((slope != 0).any()), f"the gradient of {name} is not 0 everywhere"


class _StopError(RuntimeError):
    """Training is interrupted."""


def check_resumed(build: BuildModel, loss: Loss) -> None:
    """Training that is interrupted in an epoch and taken up again at its checkpoint gives the same bits.

    Raises:
        AssertionError: it does not.
    """
    whole = _trained(build, loss)
    with TemporaryDirectory() as folder:
        with suppress(_StopError):
            _trained(build, loss, Path(folder), steps=_toy_batches(loss).steps + 1)
        resumed = _trained(build, loss, Path(folder))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), f"interrupted and resumed, {name} has the same bits"


def _trained(
    build: BuildModel, loss: Loss, checkpoint: Path | None = None, steps: int | None = None
) -> DualAutoencoder:
    """The toy model after two epochs, or until it is interrupted after some steps."""
    model, batches = _learning(toy_model(build), loss), _toy_batches(loss)
    done = 0

    def of_batch(batch: Batch) -> dict[str, Tensor]:
        nonlocal done
        done += 1
        if done == steps:
            raise _StopError
        return combine(objective(model, batch, loss), loss, model.latent.annealed(batch.epoch))

    train(
        Job(
            module=model,
            batches=batches.epoch,
            steps=batches.steps,
            objective=of_batch,
            validate=None,
            options=TrainingOptions(epochs=2, batch_size=batches.batch_size, learning_rate=0.01),
            rng=0,
            device=torch.device("cpu"),
            progress=SilentProgress(),
            checkpoint=checkpoint,
        )
    )
    return model
