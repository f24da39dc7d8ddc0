"""How a `Penchant` is fitted: tables to encoded rows, training, calibration, known points."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from penchant._config import plain
from penchant._progress import Progress
from penchant._random import torch_generator
from penchant._spec import Features
from penchant.calibration import Calibration, calibrate
from penchant.errors import DataError, Problem
from penchant.estimator.fitted import Fitted, SideName
from penchant.estimator.reading import fit_readings
from penchant.evaluation import auc
from penchant.losses import Loss, combine
from penchant.model import DualAutoencoder
from penchant.nets import take, vectorise
from penchant.tables import EncodedTables, Tables, TablesEncoder
from penchant.training import Batches, Job, TrainingOptions, objective, pair_distances, train

__all__ = ["fit_penchant"]

_ROWS_AT_ONCE = 65_536
"""Portrait vectors held at a time where all of a side are gone through."""


class _Options(Protocol):
    """What fitting asks of the estimator."""

    loss: Loss
    rng: int

    @property
    def training_options(self) -> TrainingOptions: ...
    @property
    def torch_device(self) -> torch.device: ...
    def build_module(self, encoder: TablesEncoder) -> DualAutoencoder: ...
    def get_params(self, deep: bool = True) -> dict[str, object]: ...


def fit_penchant(
    options: _Options, tables: Tables, valid: Tables | None, checkpoint: Path | None, progress: Progress
) -> Fitted:
    """Fit on ``tables``, stop and calibrate on ``valid``; see `Penchant.fit`."""
    _check_labels(tables, "training")
    if valid is not None:
        _check_labels(valid, "validation")
    training, device = options.training_options, options.torch_device
    encoder = TablesEncoder.fit(tables)
    data = encoder.encode(tables)
    with (
        _threads(training.threads),
        _reproducible(device),
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        torch.manual_seed(torch_generator(options.rng, "weights").initial_seed())
        model = options.build_module(encoder).to(device)
        layouts = (encoder.user.layout, encoder.item.layout)
        batches = Batches(data, layouts=layouts, batch_size=training.batch_size, rng=options.rng, device=device)
        model.prepare(*_training_rows(batches), batches.items if encoder.histories else None)
        held_out = None
        if valid is not None:
            held_out = Batches(encoder.encode(valid), batch_size=training.batch_size, rng=options.rng, device=device)
        job = Job(
            module=model,
            batches=batches.epoch,
            steps=batches.steps,
            objective=lambda batch: combine(objective(model, batch, options.loss), options.loss),
            validate=None if held_out is None else lambda: _auc(model, held_out),
            options=training,
            rng=options.rng,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
            fingerprint=_fingerprint(options, data) if checkpoint else "",
        )
        history = train(job)
        distance = None if held_out is None else pair_distances(model, held_out).double().cpu().numpy()
        calibration = _calibration(model, held_out, distance)
    model.space = model.space.resolve_cap(calibration.threshold, options.loss.margin)
    fitted = Fitted(
        schema=tables.schema, encoder=encoder, model=model, calibration=calibration, known={}, seen=_seen(data),
        population=_population(model, batches), history=history, device=device,
        readings={}, likes=_likes(held_out, distance),
    )  # fmt: skip
    sides: tuple[tuple[SideName, pl.DataFrame, str | None], ...] = (
        ("user", tables.users, tables.schema.user_id),
        ("item", tables.items, tables.schema.item_id),
    )
    fitted.known = {side: fitted.place(side, frame, key or "") for side, frame, key in sides}
    fitted.readings = fit_readings(fitted, valid, options.rng)
    return fitted


def _check_labels(tables: Tables, which: str) -> None:
    column = tables.schema.label
    found = tables.interactions[column].unique().to_list() if len(tables) else []
    if len(found) < 2:
        said = f"the {which} rows hold " + (f"one label only ({found[0]})" if found else "no rows")
        fix = "Give rows that were liked (1) and rows that were not (0)"
        raise DataError([Problem("interactions", f"{said}: liked and disliked ones are needed", column, fix=fix)])


def _training_rows(batches: Batches) -> tuple[Features, Features, Features | None]:
    """The features of users and items that occur in the pairs, and every situation."""
    users, items = torch.unique(batches.user), torch.unique(batches.item)
    return take(batches.users, users), take(batches.items, items), batches.context


def _auc(model: DualAutoencoder, batches: Batches) -> float:
    distance = pair_distances(model, batches).double().cpu().numpy()
    return auc(batches.liked.double().cpu().numpy(), -distance)


def _likes(held_out: Batches | None, distance: Float[np.ndarray, " n"] | None) -> dict[str, np.ndarray]:
    """Distances of the held-out likes, and a number for each one's user."""
    if held_out is None or distance is None:
        return {"distance": np.zeros(0), "user": np.zeros(0, np.int64)}
    liked = held_out.liked.cpu().numpy() > 0.5
    return {"distance": distance[liked], "user": held_out.user.cpu().numpy()[liked]}


def _calibration(
    model: DualAutoencoder, held_out: Batches | None, distance: Float[np.ndarray, " n"] | None
) -> Calibration:
    start = Calibration(threshold=float(model.threshold.detach()), slope=float(model.scale.detach()))
    if held_out is None or distance is None:
        return start
    weight = None if held_out.weight is None else held_out.weight.double().cpu().numpy()
    return calibrate(
        distance, held_out.liked.double().cpu().numpy(), weight, start=start, diameter=model.space.diameter
    )


def _seen(data: EncodedTables) -> pl.DataFrame:
    pairs = pl.DataFrame({"user": data.user, "item": data.item, "liked": data.label > 0.5})
    return pairs.unique(["user", "item"], keep="last", maintain_order=True).sort("user", "item")


def _population(model: DualAutoencoder, batches: Batches) -> dict[SideName, np.ndarray]:
    """Mean portrait vector of each side over the liked pairs, weighted; missing values left out."""
    weight = batches.liked.double() if batches.weight is None else (batches.liked * batches.weight).double()
    sides: tuple[tuple[SideName, Features, Tensor], ...] = (
        ("user", batches.users, batches.user),
        ("item", batches.items, batches.item),
    )
    found: dict[SideName, np.ndarray] = {}
    for side, features, rows in sides:
        layout = model.layout(side)
        each = torch.bincount(rows, weights=weight, minlength=len(features))
        total, known = (torch.zeros(layout.width, dtype=torch.float64, device=rows.device) for _ in range(2))
        for part in torch.arange(len(features), device=rows.device).split(_ROWS_AT_ONCE):
            vector = vectorise(take(features, part), layout).double()
            total += each[part] @ vector.nan_to_num(0.0)
            known += each[part] @ (~vector.isnan()).double()
        found[side] = (total / known.clamp(min=1e-12)).float().cpu().numpy()
    return found


def _fingerprint(options: _Options, data: EncodedTables) -> str:
    """A hash of the configuration (the device aside) and of all that is trained on."""
    config = plain(options.get_params(deep=False))
    digest = hashlib.sha256(json.dumps({k: config[k] for k in sorted(config) if k != "device"}).encode())
    arrays = [data.user, data.item, data.label, data.weight]
    for features in (data.users, data.items, data.context):
        if features is not None:
            bags = (part for bag in features.bags for part in (bag.values, bag.offsets))
            arrays += [features.dense, features.codes, *bags, *(features.history or ())]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """So many CPU threads inside; 0: as many as there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _reproducible(device: torch.device) -> Iterator[None]:
    """On the CPU every operation is made deterministic while inside; on a GPU nothing is promised."""
    switches: Any = torch.utils.deterministic
    before, filled = torch.are_deterministic_algorithms_enabled(), switches.fill_uninitialized_memory
    torch.use_deterministic_algorithms(device.type == "cpu" or before)
    # filling memory that is about to be written was a tenth of a step; nothing here reads what it has not written
    switches.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        switches.fill_uninitialized_memory = filled
