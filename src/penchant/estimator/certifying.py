"""Decisions that hold whatever the rest is, asked of the fitted model."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from penchant._spec import FIRST, Features
from penchant.errors import ConfigError
from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.portraying import Reach, radius_of
from penchant.estimator.queries import Asked, resolve_one, subject, values_of
from penchant.nets import MLPEncoder, as_arrays, is_plain
from penchant.portraits import Bound, Free, Verdict, free_region, in_words, known_values
from penchant.portraits.bounds import Certificate, Witness, certify, decoded_bounds
from penchant.portraits.intervals import OPEN
from penchant.portraits.verdict import Example
from penchant.spaces import GaussianSpace, UniformSpace
from penchant.tables import SideEncoder
from penchant.tables.kinds import Id

__all__ = ["bound_of", "certify_items", "provable", "proved_ranges", "ranges_of"]

_PIECES = 64
"""Budget of a bound that only helps a search: what it does not settle is tried."""


def certify_items(
    fitted: Fitted,
    user: Any,
    *,
    item: Any,
    fixed: Mapping[str, Any],
    free: Free | None,
    pieces: int,
) -> Verdict:
    """See `Penchant.certify`."""
    encoder = fitted.encoder.item
    names = [field.name for field in encoder.fields]
    ids = {field.name for field in encoder.fields if field.kind == "id"}
    wanted = [name for name in names if name not in fixed and name not in ids] if free is None else free
    both = [name for name in wanted if name in fixed]
    if both:
        raise ConfigError(f"certify: {both[0]!r} is both fixed and free")
    if not list(wanted):
        raise ConfigError("certify: nothing is free; ask predict for a single item")
    like, row = _item(fitted, item)
    row = {**{name: row.get(name) for name in names}, **fixed}
    features = encoder.encode_rows([{name: value for name, value in row.items() if name not in wanted}])
    if not any(row[name] is not None for name in ids):
        features = encoder.without_ids(features)  # one that is new
    known = {name: row[name] for name in names if row[name] is not None and name not in wanted and name not in ids}
    missing = [f.heading for f in encoder.fields if f.name not in {*known, *wanted, *ids}]
    who = resolve_one(fitted, "user", user, "certify: ")
    space, net = provable(fitted)
    found = certify(net, free_region(encoder, features, wanted), space=space, centre=who.points[0],
                    threshold=fitted.calibration.threshold, pieces=pieces)  # fmt: skip
    headings = {field.name: field.heading for field in encoder.fields}
    ranges = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted)
    return Verdict(
        user=subject(fitted, "user", user, who),
        item=like,
        fixed={headings[name]: in_words(value) for name, value in known.items()},
        free={headings[name]: "anything known" if value is None else in_words(value) for name, value in ranges.items()},
        decision=found.decision,
        proved=found.proved,
        threshold=fitted.calibration.threshold,
        lower=max(0.0, found.lower),
        upper=min(space.diameter, found.upper),
        nearest=_example(fitted, found.nearest, list(ranges)),
        farthest=_example(fitted, found.farthest, list(ranges)),
        pieces=found.pieces,
        notes=(*_unseen(encoder, features, fixed), *_notes(found, missing), *_texts(encoder, ranges)),
    )


def proved_ranges(fitted: Fitted, side: SideName, who: Any, reach: Reach, pieces: int) -> pl.DataFrame:
    """See `Penchant.ranges`."""
    fitted.model.space.require_metric("ranges")
    asked = resolve_one(fitted, side, who)
    radius = radius_of(fitted, other_side(side), asked.points[0].cpu().numpy(), reach)
    return ranges_of(fitted, side, asked, [radius.distance], pieces)[0]


def ranges_of(
    fitted: Fitted, side: SideName, asked: Asked, radii: Sequence[float], pieces: int = 1
) -> list[pl.DataFrame]:
    """The ranges of those who were found, proved together, each in a ball of its own radius."""
    of, space = other_side(side), fitted.model.space
    space.require_metric("ranges")
    centres = space.location(asked.points)
    if isinstance(space, GaussianSpace):
        space = space.of_means()  # nothing else is decoded
    decoder = fitted.model.item_decoder if of == "item" else fitted.model.user_decoder
    if not isinstance(space, UniformSpace):
        raise ConfigError(f"ranges: nothing can be proved of {type(space).__name__}; a norm's space is needed")
    radius = torch.tensor(radii, dtype=torch.float64, device=centres.device)
    logits = decoded_bounds(decoder, space, centres, radius, pieces=pieces)
    found, here = logits.shares(), fitted.decode(of, asked.points.cpu().numpy()).astype(np.float64)
    certified = (end.clamp(0, 1).cpu().numpy() for end in (found.certified.low, found.certified.high))
    reached = (end.cpu().numpy() for end in (found.found.low, found.found.high))
    labels = fitted.side_encoder(of).labels()
    names = [pl.Series("feature", [said for said, _ in labels]), pl.Series("value", [said for _, said in labels])]
    return [
        pl.DataFrame(
            [
                *names,
                pl.Series("decoded", decoded),
                pl.Series("low", low),
                pl.Series("high", high),
                pl.Series("found_low", least),
                pl.Series("found_high", most),
                pl.Series("open", high - low > OPEN),
            ]
        )
        for decoded, low, high, least, most in zip(here, *certified, *reached, strict=True)
    ]


def provable(fitted: Fitted) -> tuple[UniformSpace, MLPEncoder]:
    """The space and the item encoder, of kinds that can be bounded.

    Raises: ConfigError: others.
    """
    space, net = fitted.model.space, fitted.model.item_encoder
    if not isinstance(space, UniformSpace) or not is_plain(net):
        kind = type(space if not isinstance(space, UniformSpace) else net).__name__
        raise ConfigError(f"certify: nothing can be proved of {kind}; a norm's space and an MLP encoder are needed")
    return space, net


def bound_of(fitted: Fitted, centre: Float[Tensor, " k"], row: Features) -> Bound | None:
    """Columns to proved bounds of the distance of an item, whatever these are; None where nothing can be proved."""
    try:
        space, net = provable(fitted)
    except ConfigError:
        return None
    encoder, threshold = fitted.encoder.item, fitted.calibration.threshold

    def bound(names: Sequence[str]) -> tuple[float, float]:
        if not known_values(encoder, row, names):
            return -math.inf, math.inf
        region = free_region(encoder, row, names)
        try:
            found = certify(net, region, space=space, centre=centre, threshold=threshold, pieces=_PIECES)
        except ConfigError:  # an activation of which no bounds are known
            return -math.inf, math.inf
        return found.lower, found.upper

    return bound


def _item(fitted: Fitted, item: Any) -> tuple[str, Mapping[str, Any]]:
    """The item that fields come from which are neither fixed nor free, in words and as a row: known, given, or none."""
    if item is None:
        return "", {}
    asked = resolve_one(fitted, "item", item, "certify: ")
    return subject(fitted, "item", item, asked), values_of(fitted, "item", item, asked)


def _example(fitted: Fitted, witness: Witness, free: Sequence[str]) -> Example:
    encoder = fitted.encoder.item
    features = as_arrays(witness.features)
    vector = encoder.portrait(features)
    values = encoder.decode(vector).row(0, named=True) if encoder.layout.width else {}
    words = encoder.words(vector[0])
    for block, code in zip(encoder.layout.of("code"), features.codes[0].tolist(), strict=True):
        kind = next(kind for kind in encoder.kinds if kind.field.name == block.name)
        if isinstance(kind, Id) and code >= FIRST:
            values[block.name] = kind.values.series[code - FIRST]
            words[kind.field.heading] = str(values[block.name])
    headings = {field.name: field.heading for field in encoder.fields}
    probability = fitted.calibration.probability(np.array([witness.distance]))
    return Example(
        words={headings[n]: words[headings[n]] for n in free if headings[n] in words},
        values={n: value for n, value in values.items() if n in free},
        distance=witness.distance,
        probability=float(probability[0]),
    )


def _unseen(encoder: SideEncoder, row: Features, fixed: Mapping[str, Any]) -> tuple[str, ...]:
    strange = [f for f in encoder.fields if fixed.get(f.name) is not None and not known_values(encoder, row, [f.name])]
    return tuple(
        f"No training row has {f.heading} {in_words(fixed[f.name])}: it counts as a new value." for f in strange
    )


def _texts(encoder: SideEncoder, free: Collection[str]) -> Iterator[str]:
    """What a free text stands for."""
    for kind in encoder.kinds:
        if kind.lossy and kind.field.name in free:
            name = kind.field.heading
            yield f"{name}: every mixture of terms counts, also one that no text has; the words are its terms."


def _notes(found: Certificate, missing: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(f"Neither fixed nor free, so taken as missing: {', '.join(missing)}.")
    if found.decision == "open" and not found.proved:
        notes.append("The budget was spent before it was settled: give more pieces, or fix more.")
    return tuple(notes)
