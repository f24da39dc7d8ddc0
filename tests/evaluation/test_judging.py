"""All figures at once are those of the functions that make them, and by user they average to the whole."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from penchant import Field, Schema, Tables, simulate
from penchant.baselines import EASE, Popular
from penchant.errors import ConfigError, DataError
from penchant.evaluation import (
    BEYOND,
    FIGURES,
    PREDICTIONS,
    RANKING,
    ColdItems,
    Question,
    RandomRows,
    StrongGeneralisation,
    coverage,
    evaluate_binary,
    evaluate_ranking,
    gini,
    is_judged,
    judge,
    novelty,
    recommended_lists,
)

TABLES = simulate(n_users=50, n_items=30, n_interactions=900, missing=0.1, rng=4).tables


@pytest.fixture(scope="module")
def task():
    return RandomRows(valid=0.0, test=0.25).task(TABLES, rng=4)


@pytest.fixture(scope="module")
def model(task):
    return EASE(penalty=50.0).fit(task.train)


@pytest.fixture(scope="module")
def found(model, task):
    return judge(model, Question.of(task), k=[5, 10], figures=FIGURES)


def test_predictions_and_rankings_are_those_of_their_functions(model, task, found):
    rows = task.test.interactions
    label, users = rows["label"].to_numpy(), rows["user_id"].to_numpy()
    binary = evaluate_binary(label, model.predict_proba(task.test)["probability"].to_numpy(), users)
    assert {name: found.figures[name] for name in PREDICTIONS} == pytest.approx(binary)
    lists = recommended_lists(model, task.test, n=10)
    ranking = evaluate_ranking(lists, k=[5, 10])
    assert {name: found.figures[name] for name in ranking} == pytest.approx(ranking)
    assert found.figures["coverage@5"] == coverage(lists.ranked, 30, 5)
    assert found.figures["gini@10"] == pytest.approx(gini(lists.ranked, 30, 10))
    likes = task.train.interactions.filter(pl.col("label") == 1)["item_id"].to_list()
    counts = np.array([likes.count(item) for item in TABLES.item_ids])
    assert found.figures["novelty@10"] == pytest.approx(novelty(lists.ranked, counts, 10).mean())


def test_list_auc_asks_for_the_place_of_every_item(model, task, found):
    wins = []
    likes = task.test.interactions.filter(pl.col("label") == 1)
    for (user,), rows in likes.group_by("user_id"):
        ranked = model.recommend([user], n=30)["item_id"].to_list()
        liked = [item in set(rows["item_id"]) for item in ranked]
        pairs = [i < j for i, a in enumerate(liked) for j, b in enumerate(liked) if a and not b]
        wins.append(np.mean(pairs))
    assert found.figures["list_auc"] == pytest.approx(np.mean(wins))


def test_intra_list_distance_is_gowers_over_the_items_features():
    """Numbers scaled to [0, 1]; what is missing in one of the two counts for nothing."""
    fields = tuple(Field(name=name, side="item", kind="numeric") for name in ("x", "y"))
    schema = Schema(fields=fields, user_id="user_id", item_id="item_id")
    items = pl.DataFrame({"item_id": [0, 1, 2], "x": [0.0, 10.0, 5.0], "y": [1.0, 1.0, None]})
    pairs = pl.DataFrame({"user_id": ["u", "v"], "item_id": [0, 1], "label": [1, 1]})
    tables = Tables(schema, pl.DataFrame({"user_id": ["u", "v"]}), items, pairs)
    model = Popular().fit(tables.with_interactions(pairs.clear().vstack(pairs.head(1))))
    figure = "intra_list_distance"
    found = judge(model, Question(test=tables.with_interactions(pairs[1:])), k=3, figures=[figure]).figures
    assert found[f"{figure}@3"] == pytest.approx(np.mean([(1 + 0) / 2, 0.5, 0.5]))
    bare = dataclasses.replace(tables, schema=Schema(fields=(), user_id="user_id", item_id="item_id"))
    with pytest.raises(ConfigError, match="needs items with features"):
        judge(model, Question(test=bare), k=3, figures=[figure])


def test_by_user_they_average_to_the_whole(task, found):
    means = dict(found.users.group_by("figure").agg(pl.col("value").mean()).iter_rows())
    expected = {"user_auc", "list_auc", *(f"{n}@{k}" for n in (*RANKING, *BEYOND[2:]) for k in (5, 10))}
    assert set(means) == expected
    assert means == pytest.approx({name: found.figures[name] for name in means})
    likers = task.test.interactions.filter(pl.col("label") == 1)["user_id"].n_unique()
    assert (found.users.filter(pl.col("figure") == "ndcg@5")["user"].n_unique(), found.users["user"].dtype) == (
        likers,
        TABLES.user_ids.dtype,
    )


def test_only_what_is_asked_for(model, task):
    question = Question.of(task)
    assert set(judge(model, question, k=3, figures=["auc"]).figures) == {"auc"}
    assert set(judge(model, question, k=[3, 3], figures=["ndcg"]).figures) == {"ndcg@3"}
    sampled = judge(model, Question.of(task, negatives=3), k=3, figures=["ndcg", "coverage"]).figures
    assert set(sampled) == {"ndcg@3 of 3 sampled", "coverage@3 of 3 sampled"}


def test_users_asked_by_their_past_are_not_predicted():
    task = StrongGeneralisation().task(TABLES)
    found = judge(EASE().fit(task.train), Question.of(task), k=5, figures=["auc", "recall"])
    assert set(found.figures) == {"recall@5"}


def test_where_nothing_is_liked_or_all_is(model, task):
    rows = task.test.interactions
    liked, not_liked = (task.test.with_interactions(rows.filter(pl.col("label") == y)) for y in (1, 0))
    none = judge(model, Question(test=not_liked), k=5, figures=["auc", "recall", "gini"])
    assert (none.figures, none.users.height) == ({}, 0)
    assert set(judge(model, Question(test=liked), k=5, figures=["auc", "recall"]).figures) == {"recall@5"}


def test_new_items_are_judged_among_themselves():
    task = ColdItems(test=0.4).task(TABLES)
    found = judge(Popular().fit(task.train), Question.of(task), k=[3, 12], figures=["recall", "coverage"]).figures
    assert found["coverage@12"] == 1.0
    assert found["recall@12"] == 1.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"figures": ["recal"]}, "figure 'recal' is not known: one of auc"),
        ({"k": []}, "whole number >= 1"),
        ({"k": [5, 0]}, "whole number >= 1"),
    ],
)
def test_wrong_questions_are_refused(model, task, words, told):
    with pytest.raises(ConfigError, match=told):
        judge(model, Question.of(task), **{"k": 5, "figures": ["recall"], **words})


def test_figures_that_ask_for_what_is_not_there(model, task):
    with pytest.raises(ConfigError, match="novelty needs to know what was trained on"):
        judge(model, Question(test=task.test), k=5, figures=["novelty"])
    cold = ColdItems(test=0.4).task(TABLES)
    with pytest.raises(ConfigError, match="none of the items that compete was liked"):
        judge(Popular().fit(cold.train), Question.of(cold), k=5, figures=["novelty"])
    with pytest.raises(DataError, match="no row to evaluate"):
        judge(model, Question(test=task.test.with_interactions(task.test.interactions.clear())), k=5, figures=["auc"])


def test_of_what_is_shown_nothing_is_better():
    assert not any(is_judged(f"{name}@5") for name in BEYOND)
    assert all(map(is_judged, ("auc", "logloss", "ndcg@10", "recall@5 of 10 sampled")))
