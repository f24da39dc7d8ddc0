"""How a `Penchant` is fitted: tables to encoded rows, training, calibration, known points."""

import hashlib
import json
from collections.abc import Callable, Iterator
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
from penchant.errors import ConfigError, DataError, Problem
from penchant.estimator.fitted import Fitted, Known, SideName
from penchant.estimator.held_out import calibration_of, held_out_of, with_given
from penchant.estimator.motion import check_segments, constants_of
from penchant.estimator.moving import fingerprint
from penchant.estimator.reading import fit_readings
from penchant.estimator.warming import (
    anchored,
    check_same_networks,
    check_schema,
    drift_since,
    remembered,
    with_known,
)
from penchant.losses import Loss, combine
from penchant.model import DualAutoencoder
from penchant.nets import KINDS, EncoderOptions, take, vectorise
from penchant.tables import EncodedTables, Field, Tables, TablesEncoder, Vocabulary
from penchant.training import (
    Anchored,
    Batch,
    Batches,
    Job,
    TrainingOptions,
    WarmStart,
    make_negatives,
    objective,
    train,
)

__all__ = ["fit_penchant"]

_ROWS_AT_ONCE = 65_536
"""Portrait vectors held at a time where all of a side are gone through."""
_Pairs = tuple[Tensor, Tensor]
"""Rows of users and of items."""


class _Options(Protocol):
    """What fitting asks of the estimator."""

    loss: Loss
    encoder: EncoderOptions
    warm: WarmStart
    segments: str | None
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
    start: Fitted | None = None,
) -> Fitted:
    """Fit on ``tables``, stop and calibrate on ``valid``; see `Penchant.fit`.

    ``given``: rows that are known but not learned from, as the fold-in of users who are only validated on. They join
    the users' histories and are left out of their rankings. ``start``: what the fit goes on from.

    Raises:
        DataError: labels from which nothing can be learned, or by which nothing can be judged; a row that is both given
            and held out.
        ConfigError: an option outside its range; a checkpoint of another configuration; what does not fit ``start``.
    """
    loss, training, device = options.loss, options.training_options, options.torch_device
    _check(options, tables, valid, given)
    tables, valid, encoder = _encoder(tables, valid, start)
    data = encoder.encode(tables)
    earlier = _earlier(start, data)
    told = encoder if given is None else with_given(encoder, tables, given)
    with (
        _threads(training.threads),
        _reproducible(device),
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        model, batches = _prepared(options, encoder, data, start, earlier)
        held_out = None
        if valid is not None:
            known = [tables, *([] if given is None else [given]), *([] if start is None else [remembered(start)])]
            held_out = held_out_of(told, valid, loss=loss, known=known, rng=options.rng, device=device)
        job = Job(
            module=model,
            batches=batches.epoch,
            steps=batches.steps,
            objective=_objective(model, loss, None if start is None else anchored(start, options.warm, device)),
            validate=None if held_out is None else lambda: held_out.figure(model),
            options=training,
            rng=options.rng,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
            fingerprint=_fingerprint(options, data, start) if checkpoint else "",
        )
        history = train(job)
        calibration, likes = calibration_of(model, held_out, tables, encoder, loss=loss, rng=options.rng)
    model.space = model.space.resolve_cap(calibration.threshold, loss.margin)
    fitted = Fitted(
        schema=tables.schema, encoder=_of_known(encoder, tables, given), model=model, calibration=calibration, known={},
        seen=_seen(data, tables, given, start), population=_population(model, batches, earlier), history=history,
        device=device, readings={}, likes=likes,
    )  # fmt: skip
    _read_off(fitted, tables, valid, options, start)
    return fitted


def _encoder(tables: Tables, valid: Tables | None, start: Fitted | None) -> tuple[Tables, Tables | None, TablesEncoder]:
    """What is fitted to the tables, or extended by them; going on from an earlier fit, also the tables with all that
    was known."""
    if start is None:
        return tables, valid, TablesEncoder.fit(tables)
    check_schema(tables.schema, start.schema)
    tables = with_known(start.known["user"].frame, start.known["item"].frame, replace(tables, schema=start.schema))
    if valid is not None:
        check_schema(valid.schema, start.schema)
        valid = with_known(tables.users, tables.items, replace(valid, schema=start.schema))
    return tables, valid, start.encoder.extended(tables)


def _objective(model: DualAutoencoder, loss: Loss, known: Anchored | None) -> Callable[[Batch], dict[str, Tensor]]:
    """The loss of a batch; going on from an earlier fit, with what draws known rows to their old points."""

    def terms(batch: Batch) -> dict[str, Tensor]:
        found = combine(objective(model, batch, loss), loss, model.latent.annealed(batch.epoch))
        if known is None:
            return found
        pull = known.pull(model)
        return {**found, "anchor": pull, "total": found["total"] + known.options.anchor * pull}

    return terms


def _earlier(start: Fitted | None, data: EncodedTables) -> _Pairs | None:
    """Likes of the earlier fits that are not in the rows themselves: rows of users and of items."""
    if start is None:
        return None
    now = pl.DataFrame({"user": data.user, "item": data.item})
    likes = start.seen.filter("liked").select(pl.col("user", "item").cast(pl.Int64))
    likes = likes.join(now, on=["user", "item"], how="anti", maintain_order="left")
    return torch.tensor(likes["user"].to_numpy()), torch.tensor(likes["item"].to_numpy())


def _read_off(fitted: Fitted, tables: Tables, valid: Tables | None, options: _Options, start: Fitted | None) -> None:
    """What follows from the weights: known points, how portraits are read, how interest moves, how far all went."""
    fitted.known = _known(fitted, tables)
    fitted.readings = fit_readings(fitted, valid, options.rng)
    if start is not None:
        fitted.dynamics, fitted.segments = start.dynamics, start.segments
        fitted.drift = drift_since(start, fitted.model, fitted.calibration.threshold, options.rng)
        wandered = 0.0 if fitted.drift is None else fitted.drift.variance
        lineage = (*start.ancestors, (fingerprint(start, start.dynamics), 0.0))
        fitted.ancestors = tuple((name, variance + wandered) for name, variance in lineage)
    if valid is not None:
        found = constants_of(fitted, valid, options.segments)
        if found is not None:
            fitted.dynamics, fitted.segments = found


def _known(fitted: Fitted, tables: Tables) -> dict[SideName, Known]:
    sides: tuple[tuple[SideName, pl.DataFrame, str | None], ...] = (
        ("user", tables.users, tables.schema.user_id),
        ("item", tables.items, tables.schema.item_id),
    )
    return {side: fitted.place(side, frame, key or "") for side, frame, key in sides}


def _prepared(
    options: _Options, encoder: TablesEncoder, data: EncodedTables, start: Fitted | None, earlier: _Pairs | None
) -> tuple[DualAutoencoder, Batches]:
    """The networks before the first step, and what they are trained on."""
    loss, device = options.loss, options.torch_device
    torch.manual_seed(torch_generator(options.rng, "weights").initial_seed())
    model = options.build_module(encoder).to(device)
    if start is not None:
        check_same_networks(model, start.model)
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
        likes=earlier,
    )
    catalogue = batches.items if encoder.histories else None
    model.prepare(*_training_rows(batches), catalogue)
    if start is not None:
        model.take_over(start.model, catalogue)
    return model, batches


def _check(options: _Options, tables: Tables, valid: Tables | None, given: Tables | None) -> None:
    """Before anything is learned."""
    check_segments(options.segments, tables)
    _check_past(options.encoder.kind, tables.schema.history)
    _check_labels(tables, "training", options.loss)
    if valid is not None:
        _check_labels(valid, "validation", options.loss)
        _check_apart(given, valid)


def _check_past(kind: str, past: Field | None) -> None:
    """What read a history in order of time would take pairs older than its ``last`` entries for newer than these."""
    if past is not None and past.last is not None and kind in KINDS and KINDS[kind].causal:
        raise ConfigError(
            f"{past.name}.last = {past.last}: encoder.kind = {kind!r} learns each pair by what came before it, and "
            "needs all of the past for that: leave last out; encoder.history_length says how much of it is read"
        )


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


def _seen(data: EncodedTables, tables: Tables, given: Tables | None, start: Fitted | None) -> pl.DataFrame:
    pairs = [pl.DataFrame({"user": data.user, "item": data.item, "liked": data.label > 0.5})]
    if start is not None:  # the rows of users and items are what they were
        pairs.insert(0, start.seen.cast(dict(pairs[0].schema)))  # type: ignore[arg-type]
    if given is not None:
        rows = given.interactions
        user = Vocabulary(tables.user_ids, what="user").find(rows[given.schema.user])
        item = Vocabulary(tables.item_ids, what="item").find(rows[given.schema.item])
        told = pl.DataFrame({"user": user, "item": item, "liked": rows[given.schema.label] == 1})
        pairs.append(told.filter((pl.col("user") >= 0) & (pl.col("item") >= 0)))
    return pl.concat(pairs).unique(["user", "item"], keep="last", maintain_order=True).sort("user", "item")


def _population(model: DualAutoencoder, batches: Batches, earlier: _Pairs | None) -> dict[SideName, np.ndarray]:
    """Mean portrait vector of each side over the liked pairs, weighted; missing values left out."""
    weight = batches.liked.double() if batches.weight is None else (batches.liked * batches.weight).double()
    user, item = batches.user, batches.item
    if earlier is not None:
        user, item = torch.cat([user, earlier[0].to(user)]), torch.cat([item, earlier[1].to(item)])
        weight = torch.cat([weight, torch.ones_like(earlier[0], dtype=weight.dtype, device=weight.device)])
    sides: tuple[tuple[SideName, Features, Tensor], ...] = (
        ("user", batches.users, user),
        ("item", batches.items, item),
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


def _fingerprint(options: _Options, data: EncodedTables, start: Fitted | None) -> str:
    """A hash of the configuration (the device aside), of all that is trained on, and of what the fit goes on from."""
    config = plain(options.get_params(deep=False))
    digest = hashlib.sha256(json.dumps({k: config[k] for k in sorted(config) if k != "device"}).encode())
    if start is not None:
        digest.update(fingerprint(start, start.dynamics).encode())
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
