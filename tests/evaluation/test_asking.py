"""Rankings that are asked for in blocks against loops over users and items, by a model whose every score is known."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from penchant import Field, simulate
from penchant.baselines import EASE, Popular
from penchant.errors import ConfigError
from penchant.estimator import Penchant
from penchant.evaluation import ColdItems, Question, RandomRows, StrongGeneralisation, asking, why_not
from penchant.recommender import Recommender

TABLES = simulate(n_users=40, n_items=25, n_interactions=700, rng=6).tables
ITEMS = TABLES.item_ids.to_list()


class Scores(Recommender):
    """Every score drawn once; of rows of features, by what is liked in them."""

    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = True
    personal: ClassVar[bool] = True
    folds_in: ClassVar[bool] = True

    def fit(self, train, valid=None):
        self.seen = set(train.interactions.select("user_id", "item_id").iter_rows())
        self.asked = []
        return self

    def predict_proba(self, tables):
        raise NotImplementedError

    def of(self, who):
        """Scores of all items for a user's id, or for a row."""
        seed = int(who[1:]) if isinstance(who, str) else 1000 + sum(int(item[1:]) for item in who["liked"])
        return dict(zip(ITEMS, np.random.default_rng(seed).random(len(ITEMS)), strict=True))

    def recommend(self, users, *, n=10, exclude_seen=True, candidates=None):
        self.asked.append((list(users), n, candidates))
        rows = []
        for number, who in enumerate(users):
            score = self.of(who)
            kept = [i for i in candidates or ITEMS if not (isinstance(who, str) and (who, i) in self.seen)]
            best = sorted(kept, key=lambda item: -score[item])[:n]
            key = who if isinstance(who, str) else number
            rows += [(key, rank, item, score[item]) for rank, item in enumerate(best, 1)]
        name = "user_id" if users and isinstance(users[0], str) else "row"
        return pl.DataFrame(rows, schema=[name, "rank", "item_id", "score"], orient="row")


def ranked(lists):
    """Lists as items by user."""
    found = {}
    for one in lists:
        for user, places in zip(one.users, one.ranked, strict=True):
            found[user] = [one.catalogue[int(place)] for place in places if place >= 0]
    return found


def oracle(model, task, n, candidates=None):
    """What each user with test likes should be shown, by a loop."""
    test = task.test.interactions.filter(pl.col("label") == 1)
    known = set(task.known().iter_rows())
    wanted = {}
    for user in test["user_id"].unique():
        who = user
        if task.given is not None:
            own = task.given.interactions.filter(pl.col("user_id") == user)
            who = {"liked": own.filter(pl.col("label") == 1)["item_id"].to_list()}
        score = model.of(who)
        left = [i for i in candidates or ITEMS if (user, i) not in known | model.seen]
        wanted[user] = sorted(left, key=lambda item: -score[item])[:n]
    return wanted


@pytest.mark.parametrize("rows", [1, 60, 2_000_000])
@pytest.mark.parametrize("protocol", [RandomRows(test=0.3), StrongGeneralisation(), ColdItems(test=0.4)], ids=str)
def test_blocks_of_any_size_give_what_a_loop_gives(monkeypatch, protocol, rows):
    monkeypatch.setattr(asking, "_ROWS", rows)
    task = protocol.task(TABLES, rng=1)
    model = Scores().fit(task.train)
    chosen = None if task.candidates() is None else task.candidates().to_list()
    found = ranked(asking.ask(model, Question.of(task), 6))
    assert found == oracle(model, task, 6, chosen)
    assert all(len(users) * n <= max(rows, n) for users, n, _ in model.asked), "bounded"


def test_more_ranks_than_items_end_early():
    task = RandomRows(test=0.3).task(TABLES)
    model = Scores().fit(task.train)
    (lists,) = asking.ask(model, Question.of(task), 100)
    assert lists.ranked.shape[1] == 100
    assert ranked([lists]) == oracle(model, task, 100)


def test_users_are_asked_by_their_past_and_their_features():
    task = StrongGeneralisation().task(TABLES, rng=1)
    model = Scores().fit(task.train)
    list(asking.ask(model, Question.of(task), 3))
    ((rows, *_),) = model.asked
    names = {field.name for field in TABLES.schema.side("user")} - {"user_id"}
    assert all(set(row) == names | {"liked", "disliked"} for row in rows)
    given = task.given_of(task.test).interactions
    for label, sign in ((1, "liked"), (0, "disliked")):
        told = sorted(item for row in rows for item in row[sign])
        assert told == sorted(given.filter(pl.col("label") == label)["item_id"])


def test_models_that_serve_no_features_are_given_none_and_those_alike_for_all_are_asked_by_id():
    task = StrongGeneralisation().task(TABLES, rng=1)

    class Past(Scores):
        serves_new_users = False

    class Alike(Scores):
        personal = False

    for kind, wanted in ((Past, {"liked", "disliked"}), (Alike, None)):
        model = kind().fit(task.train)
        list(asking.ask(model, Question.of(task), 3))
        assert all(isinstance(one, str) if wanted is None else set(one) == wanted for one in model.asked[0][0])


def test_a_schema_with_a_history_is_told_the_past_by_its_name():
    past = Field(name="past", side="user", kind="history")
    schema = replace(TABLES.schema, fields=(past, *TABLES.schema.fields))
    task = StrongGeneralisation().task(replace(TABLES, schema=schema), rng=1)

    class Following(Scores):
        schema_ = schema

        def of(self, who):
            return super().of(who if isinstance(who, str) else who["past"])

    model = Following().fit(task.train)
    assert ranked(asking.ask(model, Question.of(task), 4)) == oracle(Scores.fit(Scores(), task.train), task, 4)
    assert set(model.asked[0][0][0]["past"]) == {"liked", "disliked"}


def test_who_cannot_fold_in_says_so():
    given = StrongGeneralisation().task(TABLES).given

    class Deaf(Scores):
        folds_in = False

    assert why_not(Scores(), given) is why_not(EASE(), given) is why_not(Popular(), given) is None
    assert why_not(Deaf(), None) is None
    assert "training rows only" in why_not(Deaf(), given)
    assert "kind 'history'" in why_not(Penchant(), given)
    task = StrongGeneralisation().task(TABLES)
    with pytest.raises(ConfigError, match="Deaf knows users by their training rows only"):
        next(asking.ask(Deaf().fit(task.train), Question.of(task), 3))


def test_sampled_items_are_the_same_for_every_model_and_the_likes_are_among_them():
    task = RandomRows(test=0.3).task(TABLES)
    question = Question.of(task, negatives=4, rng=5)

    class Other(Scores):
        def of(self, who):
            return {item: 1 - score for item, score in super().of(who).items()}

    one, other = (ranked(asking.ask(kind().fit(task.train), question, 25)) for kind in (Scores, Other))
    full = oracle(Scores().fit(task.train), task, 25)
    likes = task.test.interactions.filter(pl.col("label") == 1)
    drawn = set()
    for user, items in one.items():
        own = set(likes.filter(pl.col("user_id") == user)["item_id"])
        assert own <= set(items) <= set(full[user])
        assert len(items) == len(own) + min(4, len(full[user]) - len(own))
        assert items == [item for item in full[user] if item in items], "in the order of the full ranking"
        assert set(items) == set(other[user])
        drawn |= set(items) - own
    assert len(drawn) > 15, "not the same few for everybody"
    again = ranked(asking.ask(Scores().fit(task.train), replace(question, rng=6), 25))
    assert again != one
    with pytest.raises(ConfigError, match="negatives = 0"):
        Question.of(task, negatives=0)
