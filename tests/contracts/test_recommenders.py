"""Every recommender keeps the laws of `penchant.testing.check_recommender`."""

from functools import partial

import polars as pl
import pytest

from penchant.baselines import CML, KINDS, LogisticRegression, MultVAE, Popular, TransCF
from penchant.errors import ConfigError
from penchant.estimator import Penchant
from penchant.nets import DecoderOptions, EncoderOptions
from penchant.spaces import Space
from penchant.testing.recommenders import check_recommender, checkerboard


def small() -> Penchant:
    """Small, and trained long enough to solve the checkerboard."""
    encoder = EncoderOptions(hidden=(32,), embedding_dim=8, dropout=0.0, unseen=0.02)
    return Penchant(
        space=Space(dim=8),
        encoder=encoder,
        decoder=DecoderOptions(hidden=(16,)),
        epochs=15,
        batch_size=32,
        learning_rate=1e-2,
    )


SMALL = {
    "cml": partial(CML, dim=4, margin=2.0, batch_size=32),
    "transcf": partial(TransCF, dim=8, batch_size=64),
    "mult-vae": partial(MultVAE, dim=32, hidden=(64,), batch_size=25),
}
"""Baselines that learn in steps, with enough of these for the checkerboard's 112 likes."""


@pytest.mark.parametrize("name", KINDS)
def test_laws(name):
    check_recommender(SMALL.get(name, KINDS[name]))


@pytest.mark.parametrize("name", KINDS)
def test_those_who_fold_in_serve_who_was_never_there_and_the_others_say_so(name):
    """The checkerboard without its last two users: their likes of the training rows are folded in."""
    train, withheld = checkerboard()
    new = ["u14", "u15"]
    known = train.with_interactions(train.interactions.filter(~pl.col("user").is_in(new)))
    model = KINDS[name]().fit(known)
    likes = train.interactions.filter(pl.col("label") == 1)
    pasts = [{"liked": likes.filter(pl.col("user") == user)["item"].to_list()} for user in new]
    if not (model.folds_in or model.serves_new_users):
        with pytest.raises(ConfigError, match="likes only"):
            model.recommend(pasts)
        return
    found = model.recommend(pasts, n=16)
    assert found.columns[:3] == ["row", "rank", "item"]
    for row, past in enumerate(pasts):
        rest = found.filter(pl.col("row") == row)["item"]
        assert set(rest) == set(range(16)) - set(past["liked"])
    if model.folds_in:
        liked = withheld.interactions.filter(pl.col("label") == 1, pl.col("user").is_in(new))
        first = found.filter(pl.col("rank") == 1)["item"]
        assert first.to_list() == [liked.filter(pl.col("user") == user)["item"].item() for user in new]


@pytest.mark.filterwarnings("ignore:the threshold .* is not below half:UserWarning")  # tiny, and overfitted
@pytest.mark.filterwarnings("ignore:Initializing zero-element:UserWarning")  # the checkerboard has ids only
def test_penchant_keeps_the_laws():
    check_recommender(small)


def test_the_checkerboard_withholds_one_like_and_one_dislike_of_each_user():
    train, withheld = checkerboard(6)
    assert len(train) + len(withheld) == 36
    for _, rows in withheld.interactions.group_by("user"):
        assert sorted(rows["label"]) == [0, 1]


class Peeking(Popular):
    def predict_proba(self, tables):
        return super().predict_proba(tables).with_columns(probability=tables.interactions["label"].cast(pl.Float64))


class Repeating(Popular):
    def recommend(self, users, *, n=10, exclude_seen=True, candidates=None):
        return super().recommend(users, n=n, exclude_seen=False, candidates=candidates)


class Boasting(LogisticRegression):
    personal = True


class Changing(Popular):
    def fit(self, train, valid=None):
        self.smoothing += 1
        return super().fit(train, valid)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Peeking, "labels are not looked at"),
        (Repeating, "exclude_seen leaves out training rows"),
        (Boasting, "personal: two users get different rankings"),
        (Changing, "changes no parameter"),
    ],
)
def test_broken_ones_are_caught(broken, law):
    with pytest.raises(AssertionError, match=law):
        check_recommender(broken)
