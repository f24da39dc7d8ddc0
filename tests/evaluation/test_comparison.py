import numpy as np
import polars as pl
import pytest

from penchant import simulate, split_random
from penchant.baselines import ItemKNN, Popular
from penchant.errors import ConfigError, DataError
from penchant.evaluation import auc, compare, evaluate_recommender, recommended_lists


@pytest.fixture(scope="module")
def parts():
    return split_random(simulate(n_users=50, n_items=30, n_interactions=900, rng=4).tables, rng=4)


@pytest.fixture(scope="module")
def models(parts):
    return {"popular": Popular().fit(*parts[:2]), "knn": ItemKNN().fit(*parts[:2])}


def test_a_row_a_model_with_the_figures_of_both_tasks(parts, models):
    table = compare(models, parts[2], k=[5, 10])
    assert table["model"].to_list() == ["popular", "knn"]
    assert {"auc", "user_auc", "logloss", "calibration_error", "recall@5", "ndcg@10", "coverage@5"} <= set(
        table.columns
    )
    label = parts[2].interactions["label"].to_numpy()
    for name, model in models.items():
        want = auc(label, model.predict_proba(parts[2])["probability"].to_numpy())
        assert table.filter(pl.col("model") == name)["auc"][0] == pytest.approx(want)
    assert (table["hit@10"] >= table["hit@5"]).all()


def test_rankings_are_full_and_over_users_with_likes(parts, models):
    """Against a loop over users: the share of a user's held-out likes among the first five of all unseen items."""
    train, _, test = parts
    liked = test.interactions.filter(pl.col("label") == 1)
    found = []
    for (user,), rows in liked.group_by(["user_id"], maintain_order=True):
        seen = set(train.interactions.filter(pl.col("user_id") == user)["item_id"])
        ranked = models["popular"].recommend([user], n=30, exclude_seen=False)["item_id"].to_list()
        top = [item for item in ranked if item not in seen][:5]
        found.append(len(set(top) & set(rows["item_id"])) / min(5, rows.height))
    figures = evaluate_recommender(models["popular"], test, k=5, figures=["recall"])
    assert figures["recall@5"] == pytest.approx(np.mean(found))
    lists = recommended_lists(models["popular"], test, n=5)
    assert lists.users.to_list() == liked["user_id"].unique(maintain_order=True).to_list()


def test_what_rows_do_not_tell_is_left_out(parts, models):
    test = parts[2]
    liked = test.with_interactions(test.interactions.filter(pl.col("label") == 1))
    assert "auc" not in evaluate_recommender(models["popular"], liked)
    disliked = test.with_interactions(test.interactions.filter(pl.col("label") == 0))
    assert evaluate_recommender(models["popular"], disliked) == {}
    assert "recall@10" not in evaluate_recommender(models["popular"], test, figures=[])


def test_nothing_to_compare_is_refused(parts, models):
    with pytest.raises(ConfigError, match="at least one"):
        compare({}, parts[2])
    with pytest.raises(DataError, match="no row"):
        compare(models, parts[2].with_interactions(parts[2].interactions.head(0)))
