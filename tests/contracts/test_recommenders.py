"""Every recommender keeps the laws of `penchant.testing.check_recommender`."""

import polars as pl
import pytest

from penchant.baselines import KINDS, LogisticRegression, Popular
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


@pytest.mark.parametrize("name", KINDS)
def test_laws(name):
    check_recommender(KINDS[name])


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
