from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from penchant import simulate, split_random
from penchant._progress import SilentProgress
from penchant.baselines import EASE, MF, ItemKNN, Popular
from penchant.errors import ConfigError, DataError
from penchant.evaluation import (
    ColdItems,
    RandomRows,
    StrongGeneralisation,
    auc,
    compare,
    evaluate_protocol,
    evaluate_recommender,
    fit_on,
    recommended_lists,
)


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


TABLES = simulate(n_users=50, n_items=30, n_interactions=900, rng=4).tables


def test_a_protocol_of_one_fold_is_the_split_by_hand(parts):
    """`parts` are what random gives with this seed; validation rows are no answers and are left out of the rankings."""
    report = evaluate_protocol({"popular": Popular()}, TABLES, RandomRows(valid=0.0, test=0.2), k=5, rng=4)
    train, test = split_random(TABLES, (0.8, 0.2), rng=4)
    by_hand = evaluate_recommender(Popular().fit(train), test, k=5)
    assert dict(report.values.select("figure", "value").iter_rows()) == pytest.approx(by_hand)
    with_valid = evaluate_protocol({"popular": Popular()}, TABLES, "random", k=5, rng=4)
    auc_ = with_valid.values.filter(pl.col("figure") == "auc")["value"][0]
    assert auc_ == pytest.approx(evaluate_recommender(Popular().fit(*parts[:2]), parts[2], k=5)["auc"])


def test_every_model_on_every_fold():
    models = {"popular": Popular(), "knn": ItemKNN(neighbours=20)}
    report = evaluate_protocol(models, TABLES, StrongGeneralisation(folds=3), k=[5, 10], figures=["ndcg"], rng=1)
    assert report.models == ["popular", "knn"]
    assert report.values.height == 2 * 3 * 2
    assert report.folds == (0, 1, 2)
    assert report.users.select("fold", "user").unique().height == report.users["user"].n_unique(), "tested once"
    again = evaluate_protocol(models, TABLES, StrongGeneralisation(folds=3), k=[5, 10], figures=["ndcg"], rng=1)
    assert report.values.equals(again.values)
    some = evaluate_protocol(
        models, TABLES, StrongGeneralisation(folds=3), k=[5, 10], figures=["ndcg"], folds=[2], rng=1
    )
    assert some.values.equals(report.values.filter(pl.col("fold") == 2))
    assert models["knn"]._fitted is None, "models are not changed"


def test_who_cannot_is_left_out_with_the_reason():
    class Deaf(Popular):
        personal = True
        folds_in = False

    class Failing(EASE):
        def recommend(self, users, **options):
            raise DataError([])

    models = {"deaf": Deaf(), "failing": Failing(), "popular": Popular()}
    report = evaluate_protocol(models, TABLES, StrongGeneralisation(folds=3), figures=["recall"])
    assert report.models == ["popular"]
    assert "a past cannot be folded in" in report.skipped["deaf"]
    assert report.skipped["failing"].startswith("fold 0: ")
    with pytest.raises(ConfigError, match="deaf: Deaf knows users by their training rows only"):
        evaluate_protocol({"deaf": Deaf()}, TABLES, StrongGeneralisation(folds=3))


def test_sampled_rankings_are_named_so():
    report = evaluate_protocol({"popular": Popular()}, TABLES, "random", k=5, figures=["ndcg"], negatives=7)
    assert report.table().columns == ["model", "ndcg@5 of 7 sampled", "seconds"]


def test_progress_is_told_of_every_fit():
    class Counting:
        told: ClassVar[list] = []

        def start(self, total, title):
            self.told.append((total, title))

        def step(self, n=1, **figures):
            self.told.append(n)

        def finish(self):
            self.told.append("over")

    models = {"popular": Popular(), "knn": ItemKNN()}
    evaluate_protocol(models, TABLES, ColdItems(folds=2), figures=["auc"], progress=Counting())
    assert Counting.told == [(4, "cold_items"), 1, 1, 1, 1, "over"]


def test_a_fold_has_a_seed_and_a_copy_of_its_own():
    model = MF(dim=4, epochs=1, rng=5)
    task = RandomRows(folds=3).task(TABLES, 2)
    fitted = fit_on(model, task)
    assert (fitted.rng, model.rng, model._fitted) == (7, 5, None)


def test_what_is_given_of_validation_users_is_told_to_models_that_take_it():
    told = {}

    class Taking(Popular):
        def fit(self, train, valid=None, *, given=None, progress=None):
            told.update(given=given, progress=progress)
            return super().fit(train, valid)

    task = StrongGeneralisation().task(TABLES)
    bar = SilentProgress()
    fit_on(Taking(), task, progress=bar)
    assert told["progress"] is bar
    assert set(told["given"].interactions["user_id"]) == set(task.valid.interactions["user_id"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"models": {}}, "at least one"),
        ({"figures": ["recal"]}, "'recal' is not known"),
        ({"protocol": "odd"}, "one of random"),
        ({"folds": []}, "folds are empty"),
        ({"folds": [1]}, "random has 1"),
        ({"k": 0}, ">= 1"),
        ({"negatives": 0}, "negatives = 0"),
    ],
)
def test_wrong_questions_are_refused(words, told):
    options = {"models": {"popular": Popular()}, "tables": TABLES, "protocol": "random", **words}
    with pytest.raises(ConfigError, match=told):
        evaluate_protocol(**options)
