"""How a `Penchant` is fitted: tables to encoded rows, training, calibration, known points."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
import torch
from torch import Tensor

from penchant._config import plain
from penchant._progress import Progress
from penchant._random import torch_generator
from penchant._spec import Features
from penchant.errors import DataError, Problem
from penchant.estimator.fitted import Fitted, Known, SideName
from penchant.estimator.held_out import calibration_of, held_out_of, with_given
from penchant.estimator.moving import dynamics_of
from penchant.estimator.reading import fit_readings
from penchant.losses import Loss, combine
from penchant.model import DualAutoencoder
from penchant.nets import take, vectorise
from penchant.tables import EncodedTables, Tables, TablesEncoder, Vocabulary
from penchant.training import Batches, Job, TrainingOptions, make_negatives, objective, train

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
    options: _Options,
    tables: Tables,
    valid: Tables | None,
    checkpoint: Path | None,
    progress: Progress,
    given: Tables | None = None,
) -> Fitted:
    """Fit on ``tables``, stop and calibrate on ``valid``; see `Penchant.fit`.

    ``given``: rows that are known but not learned from, as the fold-in of users who are only validated on. They join
    the users' histories and are left out of their rankings, in validation and afterwards.

    Raises:
        DataError: labels from which nothing can be learned, or by which nothing can be judged; a row that is both given
            and held out.
        ConfigError: an option outside its range; a checkpoint of another configuration.
    """
    loss, training, device = options.loss, options.training_options, options.torch_device
    _check_labels(tables, "training", loss)
    if valid is not None:
        _check_labels(valid, "validation", loss)
        _check_apart(given, valid)
    encoder = TablesEncoder.fit(tables)
    data = encoder.encode(tables)
    known = [tables] if given is None else [tables, given]
    told = encoder if given is None else with_given(encoder, tables, given)
    with (
        _threads(training.threads),
        _reproducible(device),
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        model, batches = _prepared(options, encoder, data)
        held_out = None
        if valid is not None:
            held_out = held_out_of(told, valid, loss=loss, known=known, rng=options.rng, device=device)
        job = Job(
            module=model,
            batches=batches.epoch,
            steps=batches.steps,
            objective=lambda batch: combine(objective(model, batch, loss), loss, model.latent.annealed(batch.epoch)),
            validate=None if held_out is None else lambda: held_out.figure(model),
            options=training,
            rng=options.rng,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
            fingerprint=_fingerprint(options, data) if checkpoint else "",
        )
        history = train(job)
        calibration, likes = calibration_of(model, held_out, tables, encoder, loss=loss, rng=options.rng)
    model.space = model.space.resolve_cap(calibration.threshold, loss.margin)
    fitted = Fitted(
        schema=tables.schema, encoder=_of_known(encoder, tables, given), model=model, calibration=calibration, known={},
        seen=_seen(data, tables, given), population=_population(model, batches), history=history, device=device,
        readings={}, likes=likes,
    )  # fmt: skip
    _read_off(fitted, tables, valid, options.rng)
    return fitted


def _read_off(fitted: Fitted, tables: Tables, valid: Tables | None, rng: int) -> None:
    """What follows from the weights: known points, how portraits are read, how interest moves."""
    fitted.known = _known(fitted, tables)
    fitted.readings = fit_readings(fitted, valid, rng)
    if valid is not None:
        fitted.dynamics = dynamics_of(fitted, valid)


def _known(fitted: Fitted, tables: Tables) -> dict[SideName, Known]:
    sides: tuple[tuple[SideName, pl.DataFrame, str | None], ...] = (
        ("user", tables.users, tables.schema.user_id),
        ("item", tables.items, tables.schema.item_id),
    )
    return {side: fitted.place(side, frame, key or "") for side, frame, key in sides}


def _prepared(options: _Options, encoder: TablesEncoder, data: EncodedTables) -> tuple[DualAutoencoder, Batches]:
    """The networks before the first step, and what they are trained on."""
    loss, device = options.loss, options.torch_device
    torch.manual_seed(torch_generator(options.rng, "weights").initial_seed())
    model = options.build_module(encoder).to(device)
    if loss.neck in ("softmax", "bpr"):
        model.log_scale.requires_grad_(True)  # they have a scale and no threshold
    batches = Batches(
        data,
        layouts=(encoder.user.layout, encoder.item.layout),
        batch_size=options.training_options.batch_size,
        by_user=options.training_options.batch_by == "user",
        rng=options.rng,
        device=device,
        negatives=make_negatives(loss, data, device),
    )
    model.prepare(*_training_rows(batches), batches.items if encoder.histories else None)
    return model, batches


def _check_labels(tables: Tables, which: str, loss: Loss) -> None:
    """Pointwise necks need both labels, ranking necks likes."""
    column = tables.schema.label
    found = tables.interactions[column].unique().to_list() if len(tables) else []
    if len(found) == 2 or (loss.ranking and 1 in found):
        return
    said = f"the {which} rows hold " + (f"one label only ({found[0]})" if found else "no rows")
    fix, needed = "Give rows that were liked (1) and rows that were not (0)", "liked and disliked ones are needed"
    if loss.ranking:
        fix, needed = "Give rows that were liked (1)", "liked ones are needed"
    elif 1 in found:
        fix += "; where there are likes alone, take a ranking neck: loss.neck = 'softmax', or the preset 'ranking'"
    raise DataError([Problem("interactions", f"{said}: {needed}", column, fix=fix)])


def _check_apart(given: Tables | None, valid: Tables) -> None:
    """What is to be found must not be told."""
    if given is None:
        return
    keys = [valid.schema.user, valid.schema.item]
    rows = valid.interactions.select(keys).with_row_index("row")
    both = rows.join(given.interactions.select(keys), on=keys, how="semi")["row"].sort()
    if len(both):
        message = f"user {valid.interactions[keys[0]][both[0]]!r} and this item are given and held out"
        fix = "Leave what is held out out of what is given"
        raise DataError([Problem("interactions", message, keys[1], tuple(both[:5]), len(both), fix)])


def _of_known(encoder: TablesEncoder, tables: Tables, given: Tables | None) -> TablesEncoder:
    """The encoder with what was given of known users: a model remembers nobody else."""
    return encoder if given is None else with_given(encoder, tables, _of_users(tables, given))


def _of_users(tables: Tables, given: Tables) -> Tables:
    """What is given of the users of ``tables``."""
    there = Vocabulary(tables.user_ids, what="user").find(given.interactions[given.schema.user]) >= 0
    return replace(given, users=tables.users, interactions=given.interactions.filter(pl.Series(there)))


def _training_rows(batches: Batches) -> tuple[Features, Features, Features | None]:
    """The features of users and items that occur in the pairs, and every situation."""
    users, items = torch.unique(batches.user), torch.unique(batches.item)
    return take(batches.users, users), take(batches.items, items), batches.context


def _seen(data: EncodedTables, tables: Tables, given: Tables | None) -> pl.DataFrame:
    pairs = pl.DataFrame({"user": data.user, "item": data.item, "liked": data.label > 0.5})
    if given is not None:
        rows = given.interactions
        user = Vocabulary(tables.user_ids, what="user").find(rows[given.schema.user])
        item = Vocabulary(tables.item_ids, what="item").find(rows[given.schema.item])
        told = pl.DataFrame({"user": user, "item": item, "liked": rows[given.schema.label] == 1})
        pairs = pl.concat([pairs, told.filter((pl.col("user") >= 0) & (pl.col("item") >= 0))])
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
