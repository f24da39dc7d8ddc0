"""Free text: likes that depend on the words are found, and every answer reads them back."""

import io
import json

import numpy as np
import polars as pl
import pytest
import torch
from rich.console import Console

from penchant import Penchant, Schema, split_random
from penchant.errors import DataError
from penchant.tables import Field, Tables

WORDS = (
    ("boss", "raid", "guide", "loot", "dungeon", "quest", "armor", "sword", "副本攻略"),
    ("oven", "bread", "flour", "butter", "yeast", "cake", "sugar", "dough", "家常做法"),
)
BIOS = ("I play games", "I bake cakes")
FILL = ("the", "of", "and", "with", "for", "about")
N_USERS, N_ITEMS, N_PAIRS = 40, 60, 1500


def texts(topics: np.ndarray, rng: np.random.Generator) -> list[str]:
    return [" ".join(rng.permutation([*rng.choice(WORDS[t], 4, replace=False), *rng.choice(FILL, 4)])) for t in topics]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Who plays likes one set of words, who bakes the other; one in ten likes is the other way."""
    rng = np.random.default_rng(0)
    topic, taste = rng.integers(2, size=N_ITEMS), rng.integers(2, size=N_USERS)
    items = pl.DataFrame({"item_id": range(N_ITEMS), "text": texts(topic, rng)})
    bios = [f"{BIOS[t]} {rng.choice(['daily', 'often', 'at night'])}" for t in taste]
    users = pl.DataFrame({"user_id": range(N_USERS), "bio": bios})
    user, item = rng.integers(N_USERS, size=N_PAIRS), rng.integers(N_ITEMS, size=N_PAIRS)
    liked = rng.random(N_PAIRS) < np.where(taste[user] == topic[item], 0.9, 0.1)
    pairs = pl.DataFrame({"user_id": user, "item_id": item, "label": liked.astype(np.int64)})
    fields = (Field(name="bio", side="user", kind="text"), Field(name="text", side="item", kind="text", size=8))
    schema = Schema(fields=fields, user_id="user_id", item_id="item_id")
    pairs = pairs.unique(["user_id", "item_id"], maintain_order=True)
    return Tables.read(schema, users=users, items=items, interactions=pairs)


@pytest.fixture(scope="module")
def parts(tables):
    return split_random(tables, rng=0)


@pytest.fixture(scope="module")
def model(parts) -> Penchant:
    return Penchant(epochs=6, batch_size=64, rng=0).fit(parts[0], parts[1])


def shown(answer) -> str:
    console = Console(width=160, file=io.StringIO())
    console.print(answer)
    return console.file.getvalue()  # type: ignore[attr-defined]


PLAYER = {"bio": "I play games"}


def probabilities(model: Penchant, items: list[dict]) -> np.ndarray:
    """P(liked) of items that are in no table."""
    user, item = (torch.as_tensor(model.encode(side, who)) for side, who in (("user", PLAYER), ("item", items)))
    return model.calibration_.probability(model.space_.base_distance(user, item).double().numpy())


def test_likes_that_depend_on_the_words_are_found(model, parts) -> None:
    assert model.score(parts[2]) > 0.8
    game, bread, chinese = probabilities(
        model,
        [{"text": "a guide: loot and armor in the dungeon"}, {"text": "bread with butter"}, {"text": "新的副本，攻略"}],
    )
    assert game > 0.5 > bread
    assert chinese > bread


def test_a_portrait_says_the_terms_in_every_form(model) -> None:
    portrait = model.portrait(PLAYER, details=True)
    told = portrait.terms
    assert set(told["feature"]) == {"text"}
    assert told["term"][0] in WORDS[0] + ("副本", "本攻", "攻略")
    assert (told["difference"] > 0).all()
    assert (told["lift"] > 1).all()
    line = f"text: {told['term'][0]} ({told['lift'][0]:.1f}×)"
    assert line in shown(portrait)
    assert line in portrait.to_html()
    assert json.loads(json.dumps(portrait.to_dict()))["terms"] == told.to_dicts()
    assert portrait.typical["text"]
    made = portrait.details.invented
    assert len(made)
    assert all(" · " in text for text in made["text"])
    assert set(model.audience({"text": "oven and flour"}).terms["feature"]) == {"bio"}
    assert model.portraits([PLAYER]).width == 1 + 8


def test_what_if_another_text(model) -> None:
    baker = "I bake cakes and have a lot to say of it, " * 5
    found = model.what_if(PLAYER, {"bio": baker})
    assert found.moved > 0.05
    assert len(found.title) < 200, "a long text is named by its beginning"
    assert {*found.after.terms["term"]} & {*WORDS[1]}
    assert found.changes["bio"] == ("I play games", baker)


def test_explain_certify_ranges(model) -> None:
    found = model.explain(PLAYER, {"text": "flour and butter for the bread"})
    (effect,) = found.effects.iter_rows(named=True)
    assert effect["effect"] > 0
    assert "butter" in effect["value"]
    assert found.counterfactual is None, "texts never change"
    verdict = model.certify(PLAYER)
    assert verdict.free == {"text": "anything known"}
    assert verdict.lower <= verdict.nearest.distance <= verdict.farthest.distance <= verdict.upper
    assert any("every mixture of terms counts" in note for note in verdict.notes)
    ranges = model.ranges(PLAYER, distance=0.1)
    assert (ranges["low"] <= ranges["decoded"]).all()
    assert (ranges["decoded"] <= ranges["high"]).all()


def test_empty_missing_and_unknown_texts_are_served(model) -> None:
    rows = [{"text": ""}, {"text": None}, {"text": "zyx wvu"}, {}]
    empty, missing, unknown, absent = probabilities(model, rows)
    assert missing == unknown == absent != empty
    with pytest.raises(DataError, match="text expected, got Int64 such as 3"):
        model.portrait({"bio": 3})


def test_a_model_read_back_answers_bit_by_bit_alike(model, parts, tmp_path) -> None:
    model.save(tmp_path / "m.penchant")
    again = Penchant.load(tmp_path / "m.penchant")
    assert again.predict(parts[2]).equals(model.predict(parts[2]))
    new = [{"text": "loot of the raid"}]
    assert again.encode("item", new).tobytes() == model.encode("item", new).tobytes()
