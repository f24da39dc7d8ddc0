"""Whole `Penchant`s of every encoder, latent, metric and neck: saved and loaded, read, and proved or refused by name.

On a pairwise covering array of the parts (`parts.covering`: all pairs of parts are in some row); the marker ``slow``
goes over the rest of the product.
"""

from dataclasses import replace

import polars as pl
import pytest
import torch
from parts import ALLOWED, ENCODERS, SPACES, covering, loss_of, unchecked  # noqa: F401

from penchant import Field, Penchant, simulate
from penchant.errors import ConfigError, SpaceError
from penchant.nets import DecoderOptions, Latent, is_plain
from penchant.spaces import GaussianSpace
from penchant.tables import Tables

pytestmark = [
    pytest.mark.usefixtures("unchecked"),
    pytest.mark.filterwarnings("ignore:loss.neck = 'literal':UserWarning"),  # said again as it is loaded
]
COVERING = covering(ALLOWED)
NO_BALL = {
    "gaussian fisher_rao": "the means of a ball under 'fisher_rao' are no ball",
    "gaussian hellinger": "the means of a ball under 'hellinger' are no ball",
    "gaussian kl": "ranges: a metric is needed",
}
"""Spaces of whose balls nothing is proved, and what is said; of all others something is."""
CROSSES = {"mlp": {}, "wide_deep": {"crosses": (("role", "member"), ("lang", "video"))}}
RADIUS = 0.2


@pytest.fixture(scope="module")
def tables() -> Tables:
    made = simulate(n_users=12, n_items=9, n_interactions=80, rng=1).tables
    fields = (Field(name="past", side="user", kind="history"), *made.schema.fields)
    return replace(made, schema=replace(made.schema, fields=fields))


def fitted(parts, tables: Tables) -> Penchant:
    encoder = ENCODERS[parts.encoder]
    return Penchant(
        space=SPACES[parts.space], latent=Latent(kind=parts.latent), loss=loss_of(parts.neck), threshold=0.3,
        encoder=replace(encoder, **CROSSES.get(encoder.kind, {})), decoder=DecoderOptions(hidden=(8,)),
        epochs=1, batch_size=40, learning_rate=0.01, device="cpu",
    ).fit(tables)  # fmt: skip


def check(parts, tables: Tables, folder) -> None:
    model = fitted(parts, tables)
    user, item = tables.user_ids[0], tables.item_ids[0]
    model.save(folder / "model")
    again = Penchant.load(folder / "model", device="cpu")
    assert again.get_params() == model.get_params()
    probability = model.predict_proba(tables)["probability"]
    assert probability.is_between(0, 1).all()
    assert again.predict_proba(tables)["probability"].equals(probability)
    for who in (user, {"past": [item]}):
        assert again.recommend(who, n=3).equals(model.recommend(who, n=3))
    check_read(parts, again, user)
    check_ranges(parts, again, user)
    check_decisions(again, user, item)


def check_read(parts, model: Penchant, user) -> None:
    """A point is read as shares of every field; a portrait in full needs a metric."""
    shares = model.portraits([user]).drop("user_id").row(0)
    assert len(shares) == model.module_.item_layout.width
    assert all(0 <= share <= 1 for share in shares)
    if SPACES[parts.space].is_metric:
        assert model.portrait(user, examples=1).to_dict()
        return
    with pytest.raises(SpaceError, match="portrait: a metric is needed"):
        model.portrait(user)


def check_ranges(parts, model: Penchant, user) -> None:
    """Whatever lies in a ball decodes to inside its proved ranges."""
    if parts.space in NO_BALL:
        with pytest.raises(SpaceError, match=NO_BALL[parts.space]):
            model.ranges(user, distance=RADIUS)
        return
    proved = model.ranges(user, distance=RADIUS)
    space, module, generator = model.space_, model.module_, torch.Generator().manual_seed(0)
    centre = torch.from_numpy(model.encode("user", user))
    steps = torch.randn(400, space.dim, generator=generator)
    steps *= RADIUS * torch.rand(400, 1, generator=generator) / space.base_distance(centre, centre + steps)[:, None]
    drawn = torch.cat([centre, (centre + steps).clamp(space.low, space.high)])
    drawn = drawn[space.base_distance(centre, drawn) <= RADIUS]
    assert len(drawn) > 100
    decoded = module.decode("item", drawn).detach().double().numpy()
    assert (decoded >= proved["low"].to_numpy() - 1e-9).all()
    assert (decoded <= proved["high"].to_numpy() + 1e-9).all()
    assert proved["high"].max() <= 1
    assert proved["low"].min() >= 0


def check_decisions(model: Penchant, user, item) -> None:
    """Items of which a field is free lie within the proved distances, and are of the proved decision."""
    space, net = model.space_, model.module_.item_encoder
    if isinstance(space, GaussianSpace) or not is_plain(net):
        kind = type(space if isinstance(space, GaussianSpace) else net).__name__
        with pytest.raises(ConfigError, match=f"certify: nothing can be proved of {kind}"):
            model.certify(user, item=item, free=["lang"])
        return
    verdict = model.certify(user, item=item, free=["lang"])
    row = model.items_.filter(pl.col("item_id") == item).row(0, named=True)
    rows = [row | {"lang": lang} for lang in model.items_["lang"].drop_nulls().unique()]
    points = (torch.from_numpy(model.encode(side, who)) for side, who in (("user", user), ("item", rows)))
    distance = space.base_distance(*points).double().numpy()
    assert (verdict.lower <= distance + 1e-9).all()
    assert (distance <= verdict.upper + 1e-9).all()
    liked = distance <= model.threshold_
    assert verdict.decision == ("open" if len(set(liked)) > 1 else "liked" if liked[0] else "not liked")


@pytest.mark.parametrize("parts", COVERING, ids=", ".join)
def test_laws(parts, tables, tmp_path):
    check(parts, tables, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("parts", [parts for parts in ALLOWED if parts not in COVERING], ids=", ".join)
def test_laws_of_the_others(parts, tables, tmp_path):
    check(parts, tables, tmp_path)
