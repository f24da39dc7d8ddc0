"""`tune`: deterministic, resumable, pruned, never worse on the validation rows than what it started from."""

import sqlite3
import sys
from contextlib import closing
from dataclasses import replace

import polars as pl
import pytest

from penchant import simulate
from penchant._progress import SilentProgress
from penchant.baselines import EASE, ItemKNN, Popular
from penchant.errors import ConfigError, PenchantError
from penchant.estimator import Penchant
from penchant.evaluation import Question, RandomRows, StrongGeneralisation, fit_on, judge
from penchant.nets import DecoderOptions, EncoderOptions
from penchant.spaces import Space
from penchant.tuning import Choices, Range, tune

TABLES = simulate(n_users=40, n_items=25, n_interactions=700, rng=6).tables
PENALTY = {"penalty": Range(low=1.0, high=1e4, log=True)}


class Staged(Popular):
    """Tells a validation figure after each of eight epochs: the less it smooths, the better."""

    def fit(self, train, valid=None, *, progress=None):
        for epoch in range(8):
            progress.step(0, loss=1.0, valid=epoch / 100 - self.smoothing)
        return super().fit(train, valid)


SMOOTHING = {"smoothing": Range(low=1.0, high=100.0)}


def untimed(found) -> pl.DataFrame:
    return found.trials.drop("seconds")


def test_without_optuna_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install penchant\[tune\]"):
        tune(EASE(), TABLES)


optuna = pytest.importorskip("optuna")


@pytest.mark.parametrize("protocol", ["random", StrongGeneralisation(given=0.5), "cold_items"], ids=str)
def test_the_best_of_the_trials_is_what_the_model_gives_on_the_validation_rows(protocol):
    model = EASE(penalty=7.0)
    found = tune(model, TABLES, protocol, n_trials=5, search=PENALTY, rng=2, figure="ndcg@10")
    assert found.trials["penalty"][0] == 7.0, "the first trial is the model as it is"
    assert found.value == found.trials["value"].max()
    assert found.trials["state"].to_list() == ["complete"] * 5
    asked = RandomRows() if protocol == "random" else protocol
    if not isinstance(asked, str):
        task = asked.task(TABLES, rng=2)
        judged = judge(fit_on(found.model, task), Question.of(task.validation()), k=10, figures=["ndcg"])
        assert judged.figures["ndcg@10"] == pytest.approx(found.value)
    assert (model.penalty, found.model._fitted) == (7.0, None)


def test_the_test_rows_are_not_looked_at():
    """With other test rows of the same users the same is found."""
    protocol = RandomRows(test=0.2)
    task = protocol.task(TABLES, rng=1)
    flipped = task.test.interactions.with_columns(label=1 - pl.col("label"))
    rows = TABLES.interactions.join(
        flipped, on=["user_id", "item_id"], how="left", maintain_order="left", suffix="_new"
    )
    other = TABLES.with_interactions(
        rows.with_columns(label=pl.coalesce("label_new", "label")).select(TABLES.interactions.columns)
    )
    one, two = (tune(EASE(), tables, protocol, n_trials=4, rng=1) for tables in (TABLES, other))
    assert untimed(one).equals(untimed(two))


def test_one_seed_gives_one_study_and_another_another():
    one, again, other = (tune(ItemKNN(), TABLES, n_trials=5, rng=rng) for rng in (1, 1, 2))
    assert untimed(one).equals(untimed(again))
    assert not untimed(one)["shrinkage"].equals(untimed(other)["shrinkage"])


def test_a_study_that_was_broken_off_goes_on_to_the_same_trials(tmp_path, monkeypatch):
    options = {"rng": 3, "search": SMOOTHING}
    whole = tune(Staged(), TABLES, n_trials=16, **options)
    assert {"complete", "pruned"} == set(whole.trials["state"])
    options["study"] = tmp_path / "study.db"
    assert tune(Staged(), TABLES, n_trials=3, **options).trials.height == 3

    def interrupted(self, train, valid=None, **told):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Staged, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(Staged(), TABLES, n_trials=16, **options)
    assert untimed(tune(Staged(), TABLES, n_trials=16, **options)).equals(untimed(whole))
    assert tune(Staged(), TABLES, n_trials=2, **options).trials.height == 16, "nothing is left to do"


def test_penchant_is_tuned_by_the_figure_of_each_epoch(tmp_path):
    encoder, decoder = EncoderOptions(hidden=(8,), embedding_dim=4), DecoderOptions(hidden=())
    model = Penchant(space=Space(dim=4), encoder=encoder, decoder=decoder, epochs=2, batch_size=256)
    search = {"learning_rate": Range(low=1e-3, high=1e-1, log=True), "space__dim": Choices((4, 8))}
    file = tmp_path / "study.db"
    found = tune(model, TABLES, n_trials=2, rng=3, search=search, study=file)
    assert found.trials["learning_rate"][0] == model.learning_rate
    assert found.trials["space.dim"].dtype == pl.Int64
    assert (found.model.encoder, found.model.epochs) == (encoder, 2)
    with closing(sqlite3.connect(file)) as database:
        told = database.execute("select count(*) from trial_intermediate_values").fetchone()
    assert told == (4,), "two trials of two epochs"


def test_interrupted_in_the_first_trial_it_begins_again_with_the_model_as_it_is(tmp_path, monkeypatch):
    def interrupted(self, train, valid=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EASE, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(EASE(penalty=7.0), TABLES, n_trials=2, study=tmp_path / "s.db")
    assert tune(EASE(penalty=7.0), TABLES, n_trials=2, study=tmp_path / "s.db").trials["penalty"][0] == 7.0


def test_a_study_of_something_else_is_refused(tmp_path):
    file = tmp_path / "study.db"
    options = {"n_trials": 1, "study": file, "search": PENALTY}
    tune(EASE(), TABLES, **options)
    fewer = TABLES.with_interactions(TABLES.interactions[1:])
    for model, tables, changes in (
        (EASE(max_items=99), TABLES, {}),
        (EASE(), fewer, {}),
        (EASE(), TABLES, {"rng": 1}),
        (EASE(), TABLES, {"figure": "logloss"}),
        (EASE(), TABLES, {"protocol": "time"}),
        (EASE(), TABLES, {"search": {"penalty": Range(low=1.0, high=10.0)}}),
    ):
        with pytest.raises(ConfigError, match="belongs to another model, search, figure, seed, protocol or data"):
            tune(model, tables, **{**options, **changes})
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at as one" * 20)
    with pytest.raises(ConfigError, match=r"text\.db: cannot be opened as a study"):
        tune(EASE(), TABLES, n_trials=1, study=tmp_path / "text.db")
    with pytest.raises(ConfigError, match="there is no folder"):
        tune(EASE(), TABLES, n_trials=1, study=tmp_path / "no" / "study.db")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("select count(*) from trials").fetchone() == (1,)


def test_trials_that_fall_behind_are_broken_off():
    found = tune(Staged(), TABLES, n_trials=16, rng=1, search=SMOOTHING)
    table = found.trials
    assert table["state"][:5].to_list() == ["complete"] * 5, "not before there is something to compare with"
    pruned = table.filter(pl.col("state") == "pruned")
    assert pruned.height
    assert pruned["value"].is_null().all()
    for number, smoothing in pruned.select("trial", "smoothing").iter_rows():
        assert smoothing > table["smoothing"][:number].median(), "behind the median of those before"
    unpruned = tune(Staged(), TABLES, n_trials=10, rng=1, search=SMOOTHING, prune=False)
    assert unpruned.trials["state"].to_list() == ["complete"] * 10


def test_of_a_figure_of_which_less_is_better_the_larger_epochs_are_still_the_better_ones():
    found = tune(Staged(), TABLES, n_trials=16, rng=1, search=SMOOTHING, figure="logloss")
    pruned = found.trials.filter(pl.col("state") == "pruned")
    assert pruned.height
    assert pruned["smoothing"].min() > found.trials["smoothing"].min()
    assert found.value == found.trials["value"].min()


def test_of_the_log_loss_the_least_is_the_best():
    found = tune(EASE(), TABLES, n_trials=5, figure="logloss")
    assert found.value == found.trials["value"].min()


def test_what_fails_is_in_the_table_and_when_all_fails_it_is_said():
    class Choosy(Popular):
        def fit(self, train, valid=None):
            if self.smoothing > 10:
                raise PenchantError("smoothed too much")
            return super().fit(train, valid)

    search = {"smoothing": Range(low=1.0, high=100.0)}
    found = tune(Choosy(), TABLES, n_trials=8, search=search)
    assert set(found.trials["state"]) == {"complete", "failed"}
    assert found.trials.filter(pl.col("state") == "failed")["smoothing"].min() > 10
    with pytest.raises(PenchantError, match="smoothed too much"):
        tune(Choosy(smoothing=50.0), TABLES, n_trials=3, search={"smoothing": Range(low=20.0, high=100.0)})


def test_time_that_is_up_begins_no_trial():
    with pytest.raises(PenchantError, match="more of them, or more time"):
        tune(EASE(), TABLES, n_trials=3, timeout=-1.0)


def test_progress_is_told_of_trials_alone():
    class Told(SilentProgress):
        def __init__(self):
            self.steps = []

        def start(self, total, title):
            self.total = total

        def step(self, n=1, **figures):
            self.steps.append((n, *figures))

    told = Told()
    tune(Staged(), TABLES, n_trials=3, search=SMOOTHING, progress=told)
    assert told.total == 3
    assert told.steps == [(0,), (1, "best"), (1, "best"), (1, "best")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"n_trials": 0}, "n_trials = 0"),
        ({"figure": "ndcg"}, "one such as auc, logloss, ndcg@100"),
        ({"figure": "ndcg@0"}, "one such as"),
        ({"figure": "ndcg@x"}, "one such as"),
        ({"figure": "auc@5"}, "one such as"),
        ({"figure": "coverage@5"}, "one such as"),
        ({"figure": "odd"}, "one such as"),
        ({"protocol": RandomRows(valid=0.0)}, "no validation rows"),
        (
            {"protocol": StrongGeneralisation(), "figure": "auc"},
            "no predictions are judged, as users are asked by their past",
        ),
        ({"search": {"odd": Range(low=1, high=2)}}, "no option odd"),
        ({"fold": 1}, "random has 1"),
        ({"model": Penchant(), "protocol": StrongGeneralisation()}, "kind 'history'"),
    ],
)
def test_wrong_questions_are_refused(words, told):
    with pytest.raises(ConfigError, match=told):
        tune(**{"model": EASE(), "tables": TABLES, "n_trials": 1, **words})


def test_likes_alone_are_judged_by_rankings():
    likes = TABLES.with_interactions(TABLES.interactions.filter(pl.col("label") == 1))
    assert tune(EASE(), likes, n_trials=1).figure == "ndcg@100"
    assert tune(EASE(), TABLES, n_trials=1).figure == "auc"
    with pytest.raises(ConfigError, match="one label only"):
        tune(EASE(), likes, n_trials=1, figure="logloss")
    renamed = replace(TABLES, interactions=TABLES.interactions)
    assert untimed(tune(EASE(), renamed, n_trials=2)).equals(untimed(tune(EASE(), TABLES, n_trials=2)))
