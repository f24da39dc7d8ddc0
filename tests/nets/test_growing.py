"""A network over a grown layout says of all that was known what it said before, to rounding."""

from dataclasses import replace

import polars as pl
import pytest
import torch

from penchant import DecoderOptions, EncoderOptions, Field, Schema, Space, Tables
from penchant._spec import UNSEEN
from penchant.model import DualAutoencoder
from penchant.nets import KINDS, as_tensors
from penchant.tables import TablesEncoder

FIELDS = (
    Field(name="u", side="user", kind="id"),
    Field(name="job", side="user", kind="category"),
    Field(name="age", side="user", kind="numeric"),
    Field(name="past", side="user", kind="history"),
    Field(name="i", side="item", kind="id"),
    Field(name="genres", side="item", kind="tags"),
    Field(name="lang", side="item", kind="category"),
    Field(name="look", side="item", kind="vector"),
    Field(name="paid", side="item", kind="binary"),
    Field(name="place", side="context", kind="category"),
)
SCHEMA = Schema(fields=FIELDS, user_id="u", item_id="i", label="y", time="t")
USERS = pl.DataFrame({"u": [*"abcd"], "job": ["cook", "smith", None, "cook"], "age": [20, 40, None, 31]})
ITEMS = pl.DataFrame(
    {"i": [*"vwxyz"], "genres": [["a"], ["a", "b"], [], None, ["b"]], "lang": ["zh", "en", None, "en", "zh"],
     "look": [[0.0, 1.0], [2.0, 0.5], None, [1.0, 1.0], [0.3, 0.2]], "paid": [True, False, None, True, True]}
)  # fmt: skip
PAIRS = pl.DataFrame(
    {"u": [*"aaabbccd"], "i": [*"vwxyzvzw"], "y": [1, 0, 1, 1, 0, 1, 1, 0], "t": [1, 2, 3, 1, 9, 4, 6, 2],
     "place": ["home", "bus", None, "bus", "home", "home", "bus", "home"]}
)  # fmt: skip
MORE_USERS = pl.DataFrame({"u": [*"ef"], "job": ["baker", "cook"], "age": [90, 7]})
MORE_ITEMS = pl.DataFrame(
    {"i": [*"pq"], "genres": [["c", "a"], ["d"]], "lang": ["fr", "zh"], "look": [[9.0, 9.0], [0.0, 0.0]],
     "paid": [False, None]}
)  # fmt: skip
MORE_PAIRS = pl.DataFrame(
    {"u": [*"eeffa"], "i": [*"pqvpq"], "y": [1, 0, 1, 1, 0], "t": [10, 11, 12, 13, 14], "place": [*["train"] * 4, None]}
)
EARLY = Tables(SCHEMA, USERS, ITEMS, PAIRS)
LATE = Tables(SCHEMA, pl.concat([USERS, MORE_USERS]), pl.concat([ITEMS, MORE_ITEMS]), MORE_PAIRS)


def built(encoder: TablesEncoder, options: EncoderOptions, items: EncoderOptions, rng: int) -> DualAutoencoder:
    torch.manual_seed(rng)
    return DualAutoencoder(
        user=encoder.user.layout, item=encoder.item.layout, context=encoder.context.layout,
        n_items=None if encoder.histories is None else len(encoder.histories.items), space=Space(dim=3),
        encoder=options, item_encoder=items, decoder=DecoderOptions(hidden=(4,)),
    )  # fmt: skip


def prepared(model: DualAutoencoder, encoder: TablesEncoder, tables: Tables) -> DualAutoencoder:
    data = encoder.encode(tables)
    users, items, context = (as_tensors(part) for part in (data.users, data.items, data.context))
    model.prepare(users, items, context, items if encoder.histories else None)
    return model.eval()


def learned(model: DualAutoencoder) -> DualAutoencoder:
    """As if trained: every weight somewhere else."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model


OPTIONS = {
    **{kind: EncoderOptions(kind=kind, hidden=(5,), embedding_dim=3, bins=4, history_dim=4) for kind in KINDS},
    "no bag": EncoderOptions(kind="gru", hidden=(), embedding_dim=3, bins=0, history_dim=4, history_bag=False),
    "vector": EncoderOptions(inputs="vector", hidden=(5,)),
    "vector, narrow": EncoderOptions(inputs="vector", hidden=(), wide=False),
    "narrow": EncoderOptions(hidden=(5,), embedding_dim=3, wide=False),
    "crosses": EncoderOptions(
        kind="wide_deep", hidden=(5,), embedding_dim=3, crosses=(("job", "age"),), cross_buckets=50
    ),
}


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_nobody_who_was_known_is_moved(name, history):
    options = OPTIONS[name]
    of_items = replace(options, kind="mlp", crosses=())
    fields = FIELDS if history else tuple(field for field in FIELDS if field.kind != "history")
    early, late = (replace(part, schema=replace(SCHEMA, fields=fields)) for part in (EARLY, LATE))
    before = TablesEncoder.fit(early)
    after = before.extended(late)
    old = learned(prepared(built(before, options, of_items, 0), before, early))
    new = prepared(built(after, options, of_items, 1), after, late)
    data = before.encode(early)
    items = as_tensors(after.encode(late).items)
    new.take_over(old, items if history else None)
    users, context = as_tensors(data.users), as_tensors(data.context)
    pairs = torch.as_tensor(data.user)
    for model_side in (
        lambda m: m.encode_users(users, context, pairs),
        lambda m: m.encode_users(users),
        lambda m: m.encode_items(as_tensors(data.items)),
    ):
        torch.testing.assert_close(model_side(new), model_side(old), atol=1e-5, rtol=0)
    points = torch.rand(6, 3) * 2 - 1
    for side, layout, was in (("user", after.user.layout, before.user.layout),
                              ("item", after.item.layout, before.item.layout)):  # fmt: skip
        places = {block.name: place for block, place in layout.places()}
        new_words, old_words = new.decode(side, points), old.decode(side, points)
        assert new_words.shape[1] > old_words.shape[1]
        for block, place in was.places():
            start = places[block.name].start
            torch.testing.assert_close(
                new_words[:, start : start + block.width], old_words[:, place], atol=1e-5, rtol=0
            )
    torch.testing.assert_close(new.threshold, old.threshold)


def test_what_is_new_begins_in_the_place_of_the_unseen():
    fields = tuple(field for field in FIELDS if field.kind != "history")
    early, late = (replace(part, schema=replace(SCHEMA, fields=fields)) for part in (EARLY, LATE))
    before = TablesEncoder.fit(early)
    after = before.extended(late)
    options = OPTIONS["mlp"]
    old = learned(prepared(built(before, options, options, 0), before, early))
    new = prepared(built(after, options, options, 1), after, late)
    new.take_over(old)
    stranger = before.user.encode(late.users)
    assert stranger.codes[4].tolist() == [UNSEEN, UNSEEN]
    both = new.encode_users(as_tensors(after.user.encode(late.users))), old.encode_users(as_tensors(stranger))
    torch.testing.assert_close(*both, atol=1e-5, rtol=0)
