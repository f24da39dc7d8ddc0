"""Readings are fitted with the model, kept with it, and know who is asked about."""

import numpy as np

from penchant import Penchant
from penchant.estimator.queries import resolve
from penchant.estimator.reading import evidence_of, held_out_likes


def evidence(model, side, who):
    fitted, asked = model._fitted, resolve(model._fitted, side, who)
    width = fitted.model.layout(side).width
    own = np.full((len(asked.rows), width), np.nan)
    return evidence_of(fitted, side, asked.points.cpu().numpy(), own, asked.rows)


def test_what_known_ones_met_is_counted_whatever_the_order(model, parts):
    users = [*parts[0].user_ids[3:0:-1], parts[0].user_ids[3]]
    counts = evidence(model, "user", users).past.counts
    pairs = parts[0].interactions
    for user, (liked, disliked) in zip(users, counts, strict=True):
        own = pairs.filter(pairs["user_id"] == user).unique("item_id", keep="last", maintain_order=True)
        assert (liked, disliked) == (own["label"].sum(), len(own) - own["label"].sum())


def test_those_from_nowhere_have_no_past(model):
    assert evidence(model, "user", {"age": 30}).past.counts.sum() == 0
    assert evidence(model, "item", {"video": True}).past.counts.sum() == 0


def test_held_out_likes_are_those_of_known_pairs(model, parts):
    rows = held_out_likes(model._fitted, parts[1])
    assert len(rows["user"]) == len(rows["item"]) == parts[1].interactions["label"].sum()


def test_readings_are_saved(model, tmp_path, parts):
    model.save(tmp_path / "m")
    again = Penchant.load(tmp_path / "m")
    for side in ("item", "user"):
        about = "user" if side == "item" else "item"
        who = (parts[0].user_ids if about == "user" else parts[0].item_ids)[:5].to_list()
        asked = evidence(model, about, who)
        before, after = model._fitted.readings[side], again._fitted.readings[side]
        np.testing.assert_array_equal(before.shares(asked), after.shares(asked))
