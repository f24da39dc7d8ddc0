"""The case ``certificates`` of ``portraits.py``: is what is proved true, how tight is it, and how fast.

* A decoder of 100 features, trained to smooth functions of the space's points: ranges that are proved, beside those
  that are found, at the radius where the found shares are .25 wide; millions of points and the search's inside.
* A model of MovieLens-100K trained with the width term: "would this user like that film whatever its year is, whatever
  its genres are?" The weight of the term is the largest of `ZETAS` that costs no more than `_COST` of validation AUC.
"""

import time
from typing import Any

import numpy as np
import torch
from _portrait_models import case_of, trained
from torch import Tensor

from penchant import Penchant, Space
from penchant._spec import Bag, Features
from penchant.nets import DecoderOptions, MLPDecoder, as_tensors, take
from penchant.portraits.bounds import OneOf, SetOf, certified_range, certify, found_range
from penchant.portraits.freedoms import free_region
from penchant.spaces import Ball, UniformSpace

__all__ = ["FEATURES", "ZETAS", "decisions", "decoder_proofs", "trained_decoder"]

FEATURES = 100
"""Outputs of the decoder."""
ZETAS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Weights of the width term that are tried."""
WIDTH = 0.25
"""Mean width of the found shares at the radius in question."""
_COST = 0.001
"""Validation AUC that the width term may cost: what is promised of test rows is .003, and .002 on validation rows cost
.006 there."""
_CASE = "ml-100k warm"
_STEPS = 1500
_AT_ONCE = 100_000


def trained_decoder(seed: int, space: UniformSpace, steps: int = _STEPS) -> MLPDecoder:
    """The product's own decoder, fitted to 100 smooth functions of the points."""
    torch.manual_seed(seed)
    decoder = MLPDecoder(space.dim, FEATURES, DecoderOptions())
    forms = torch.randn(2, space.dim, FEATURES) * torch.tensor([3.0, 1.0])[:, None, None]
    optimiser = torch.optim.Adam(decoder.parameters(), 2e-3)
    for _ in range(steps):
        z = _points(space, 256)
        told = torch.sigmoid((z @ forms[0] / space.dim**0.5).tanh() * 3 + z @ forms[1] / space.dim**0.5)
        loss = (decoder(z) - told).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return decoder.eval()


def decoder_proofs(seed: int, *, points: int, users: int = 1000, steps: int = _STEPS) -> dict[str, float]:
    """Tightness, speed, and points that leave what is proved.

    Arguments:
        points: sampled, in all; users: balls bounded in one batch; steps: of the decoder's training.
    """
    space = Space(dim=Penchant().space.dim, norm=Penchant().space.norm)
    decoder = trained_decoder(seed, space, steps)
    torch.manual_seed(seed + 1)
    centres = _points(space, users)
    few = centres[: min(users, 100)]
    radius = _radius(decoder, space, few[:30])
    proved, found = certified_range(decoder, space, few, radius), found_range(decoder, space, few, radius)
    outside = int((found.low < proved.low).sum() + (found.high > proved.high).sum())
    outside += _outside(decoder, space, few, radius, proved.low, proved.high, points)
    alone = []
    for centre in few:
        began = time.perf_counter()
        certified_range(decoder, space, centre[None], radius)
        alone.append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    certified_range(decoder, space, centres, radius)
    return {
        "radius": radius,
        "found width": float(found.shares().width.mean()),
        "ratio": float(proved.shares().width.sum() / found.shares().width.sum()),
        "ratio of logits": float(proved.width.sum() / found.width.sum()),
        "violations": float(outside),
        "points": float(points),
        "ms one user": float(np.median(alone)),
        "users_per_s": users / (time.perf_counter() - began),
    }


def _points(space: UniformSpace, n: int) -> Tensor:
    """Points as encoders give them: bounded sums."""
    return space.bound(torch.randn(n, space.dim))


def _radius(decoder: MLPDecoder, space: UniformSpace, centres: Tensor) -> float:
    """Where the found shares are `WIDTH` wide, by halving."""
    low, high = 1e-3, space.diameter
    for _ in range(10):
        middle = (low * high) ** 0.5
        wide = float(found_range(decoder, space, centres, middle).shares().width.mean())
        low, high = (middle, high) if wide < WIDTH else (low, middle)
    return (low * high) ** 0.5


@torch.no_grad()
def _outside(
    decoder: MLPDecoder, space: UniformSpace, centres: Tensor, radius: float, low: Tensor, high: Tensor, points: int
) -> int:
    """Of so many sampled points, coordinates outside what is proved; a third of them on the balls' edges."""
    g, outside, each = torch.Generator().manual_seed(7), 0, -(-points // len(centres))
    for centre, below, above in zip(centres, low, high, strict=True):
        for start in range(0, each, _AT_ONCE):
            n = min(_AT_ONCE, each - start)
            z = Ball(space, centre, radius).sample(n, g)
            far = space.base_distance(z[: n // 3], centre)[:, None].clamp(min=1e-9)
            z[: n // 3] = (centre + (z[: n // 3] - centre) * (radius / far) * (1 - 1e-6)).clamp(space.low, space.high)
            logits = decoder.logits(z).double()
            outside += int(((logits < below) | (logits > above)).sum())
    return outside


# ---------------------------------------------------------------------- decisions


def decisions(seed: int, *, quick: bool = False, questions: int = 2000, points: int = 0) -> dict[str, float]:
    """Questions of one free field each, put to models with the width term of every weight.

    Arguments:
        points: items of the regions in question that are encoded and held against what is proved, in all.
    """
    case = case_of(_CASE, seed, quick)
    models = {zeta: trained(_CASE, seed, quick, zeta=zeta) for zeta in (ZETAS[:2] if quick else ZETAS)}
    valid = {zeta: model.score(case.valid) for zeta, model in models.items()}
    chosen = max(zeta for zeta in models if valid[zeta] >= max(valid.values()) - _COST)
    found = {"zeta": chosen, "auc": models[chosen].score(case.test)}
    found |= _decided(models[chosen], seed, questions, points)
    for zeta, model in models.items():
        found |= {f"auc at {zeta:g}": model.score(case.test)}
        found |= {f"decided at {zeta:g}": _decided(model, seed, questions, 0)["decided"]}
    return found


def _decided(model: Penchant, seed: int, questions: int, points: int) -> dict[str, float]:
    g, more = np.random.default_rng([seed, 3]), np.random.default_rng([seed, 5])
    fitted, encoder = model._fitted, model._fitted.encoder.item
    names = [field.name for field in encoder.fields if field.kind != "id"]
    known = {side: fitted.known[side] for side in ("user", "item")}
    verdicts, times, outside = [], [], 0
    each = 0 if not points else -(-points // questions)
    for _ in range(questions):
        user, item = (int(g.integers(len(known[side].frame))) for side in ("user", "item"))
        row = encoder.encode(known["item"].frame[[item]])
        region = free_region(encoder, row, [names[int(g.integers(len(names)))]])
        centre = known["user"].points[user]
        began = time.perf_counter()
        verdict = certify(fitted.model.item_encoder, region, space=model.space_, centre=centre,
                          threshold=model.threshold_)  # fmt: skip
        times.append(1000 * (time.perf_counter() - began))
        verdicts.append(verdict)
        if each:
            outside += _beyond(model, centre, region, verdict, each, more)
    decided = [v.decision != "open" for v in verdicts]
    settled = [v.proved for v in verdicts]
    figures = {
        "decided": float(np.mean(decided)),
        "proved to depend": float(np.mean([s and not d for s, d in zip(settled, decided, strict=True)])),
        "not settled": float(1 - np.mean(settled)),
        "ms a question": float(np.median(times)),
    }
    return figures | ({"items": float(each * questions), "violations of items": float(outside)} if each else {})


@torch.no_grad()
def _beyond(model: Penchant, centre: Tensor, region: Any, verdict: Any, n: int, g: np.random.Generator) -> int:
    """Of random items of the region, those whose distance is outside of what is proved."""
    encoder, layout = model.module_.item_encoder, model._fitted.encoder.item.layout
    rows = _items(region, layout, n, g)
    distance = model.space_.base_distance(model.space_.bound(encoder(rows)), centre).double()
    return int(((distance < verdict.lower) | (distance > verdict.upper)).sum())


def _items(region: Any, layout: Any, n: int, g: np.random.Generator) -> Any:
    """n random items of a region with one free field."""
    (name, freedom), row = next(iter(region.free.items())), as_tensors(region.row)
    many = take(row, torch.zeros(n, dtype=torch.int64))
    block = next(b for b in layout.blocks if b.name == name)
    if isinstance(freedom, OneOf):
        values = torch.as_tensor(g.choice(np.array(freedom.values), n))
        if block.form == "code":
            codes = many.codes.clone()
            codes[:, layout.of("code").index(block)] = values.long()
            return Features(many.dense, codes, many.bags, None)
        return Features(_dense(many.dense, layout, block, values[:, None]), many.codes, many.bags, None)
    if isinstance(freedom, SetOf):
        has = g.random((n, len(freedom.codes))) < g.random((n, 1)) / 2
        sizes = has.sum(1)
        values = np.array(freedom.codes)[np.nonzero(has)[1]]
        bag = Bag(torch.as_tensor(values), torch.as_tensor(np.concatenate([[0], np.cumsum(sizes)])))
        place = layout.of("bag").index(block)
        return Features(many.dense, many.codes, tuple(bag if j == place else b for j, b in enumerate(many.bags)), None)
    values = torch.as_tensor(g.uniform(freedom.low, freedom.high, (n, block.size)), dtype=torch.float32)
    return Features(_dense(many.dense, layout, block, values), many.codes, many.bags, None)


def _dense(dense: Tensor, layout: Any, block: Any, values: Tensor) -> Tensor:
    start = 0
    for one in layout.of("dense"):
        if one == block:
            break
        start += one.size
    changed = dense.clone()
    changed[:, start : start + block.size] = values.float()
    return changed
