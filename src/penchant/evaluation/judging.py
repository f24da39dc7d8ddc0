"""All figures of a fitted model on what is held out: predictions, rankings, and what is shown to whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from penchant.errors import ConfigError, DataError, Problem
from penchant.evaluation.asking import Question, ask
from penchant.evaluation.beyond import coverage, gini, intra_list_distance, novelty
from penchant.evaluation.binary import auc_by_user, evaluate_binary
from penchant.evaluation.ranking import RANKING, evaluate_users, list_auc
from penchant.recommender import Recommender
from penchant.tables import SideEncoder, Tables

__all__ = ["BEYOND", "FIGURES", "LIST_AUC", "LOWER_IS_BETTER", "PREDICTIONS", "Judgement", "is_judged", "judge"]

PREDICTIONS = ("auc", "user_auc", "logloss", "calibration_error", "accuracy", "brier")
"""Figures of yes/no predictions (`evaluate_binary`), over all test rows."""
BEYOND = ("coverage", "gini", "novelty", "intra_list_distance")
"""Figures of what is shown, right or wrong (`evaluate_beyond`): neither larger nor smaller is better."""
LIST_AUC = "list_auc"
"""The figure that asks for the place of every item (`penchant.evaluation.list_auc`)."""
FIGURES = (*PREDICTIONS, *RANKING, LIST_AUC, *BEYOND)
"""Every figure by name. ``recall`` is the truncated one, divided by min(k, likes)."""
LOWER_IS_BETTER = ("logloss", "calibration_error", "brier")
"""Of all other figures but those of `BEYOND` more is better."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found."""

    figures: dict[str, float]
    """Each figure by names such as "auc" and "recall@20"; of figures by user the mean over the users who have one."""
    users: pl.DataFrame
    """Each user's own: user, figure, value."""


def is_judged(figure: str) -> bool:
    """Is one value of this figure ("ndcg@10") better than another?"""
    return figure.partition("@")[0] not in BEYOND


def judge(model: Recommender, question: Question, *, k: int | Sequence[int], figures: Sequence[str]) -> Judgement:
    """Figures of yes/no predictions and of rankings.

    Predictions: over all test rows, where these hold both labels; not where users are asked by their past (``given``).
    Rankings: what is liked is to be on top of what competes (`Question`), without what the user has met before; means
    over the users who like something in the test. Where no test row is liked there are none.

    Arguments:
        model: fitted; knows the users and items of the test.
        k: ranks that count, one number or several.
        figures: names in `FIGURES`.

    Raises:
        ConfigError: a figure that is not known, or that asks for what is not there; k below 1; a model that cannot
            be asked so.
        DataError: no rows.
    """
    cuts = check_figures(figures, k)
    if not len(question.test):
        raise DataError([Problem("interactions", "there is no row to evaluate")])
    found, users = _predicted(model, question.test, figures) if question.given is None else ({}, [])
    if question.likes.height and set(figures) - set(PREDICTIONS):
        ranked, by_user = _ranked(model, question, cuts, figures)
        found, users = found | ranked, users + by_user
    return Judgement(found, pl.concat(users) if users else _long(question.test.user_ids.clear(), "", np.zeros(0)))


def check_figures(figures: Sequence[str], k: int | Sequence[int]) -> list[int]:
    """The ranks that count, each once.

    Raises:
        ConfigError: a figure that is not known; no k, or one below 1.
    """
    for name in figures:
        if name not in FIGURES:
            raise ConfigError(f"figure {name!r} is not known: one of {', '.join(FIGURES)} expected")
    cuts = list(dict.fromkeys(np.atleast_1d(k).tolist()))
    if not cuts or min(cuts) < 1:
        raise ConfigError(f"k = {k}: a whole number >= 1 expected, or several")
    return cuts


def _predicted(model: Recommender, test: Tables, figures: Sequence[str]) -> tuple[dict[str, float], list[pl.DataFrame]]:
    schema, wanted = test.schema, [name for name in figures if name in PREDICTIONS]
    label = test.interactions[schema.label].to_numpy()
    if not wanted or len(np.unique(label)) < 2:
        return {}, []
    users = test.interactions[schema.user].to_numpy()
    probability = model.predict_proba(test)["probability"].to_numpy()
    every = evaluate_binary(label, probability, users)
    found = {name: every[name] for name in wanted}
    if "user_auc" not in found:
        return found, []
    keys, own = auc_by_user(label, probability, users)
    known = pl.Series(schema.user, keys).cast(test.interactions.schema[schema.user])
    return found, [_long(known.filter(pl.Series(~np.isnan(own))), "user_auc", own[~np.isnan(own)])]


def _ranked(
    model: Recommender, question: Question, cuts: list[int], figures: Sequence[str]
) -> tuple[dict[str, float], list[pl.DataFrame]]:
    names = [name for name in figures if name in RANKING]
    by_user: list[pl.DataFrame] = []
    shown: list[np.ndarray] = []
    users: list[pl.Series] = []
    for lists in ask(model, question, max(cuts) if LIST_AUC not in figures else max(*cuts, len(question.catalogue))):
        values = evaluate_users(lists, k=cuts, figures=names) if names else {}
        if LIST_AUC in figures:
            values[LIST_AUC] = list_auc(lists.hit, lists.relevant, (lists.ranked >= 0).sum(axis=1))
        assert lists.users is not None
        users.append(lists.users)
        by_user += [_long(lists.users, _titled(name, question), value) for name, value in values.items()]
        shown.append(lists.ranked[:, : max(cuts)].astype(np.int32))
    found = _means(by_user)
    if set(figures) & set(BEYOND):
        more, own = _beyond(np.concatenate(shown), question, cuts, figures)
        found |= {_titled(name, question): value for name, value in more.items()}
        by_user += [_long(pl.concat(users), _titled(name, question), value) for name, value in own.items()]
    return found, by_user


def _beyond(
    ranked: Int[np.ndarray, "n ranks"], question: Question, cuts: list[int], figures: Sequence[str]
) -> tuple[dict[str, float], dict[str, Float[np.ndarray, " n"]]]:
    """The figures of what is shown, and those of them that each user has."""
    size, found, own = len(question.catalogue), {}, {}
    if not (ranked >= 0).any():
        return {}, {}
    counts = _counts(question) if "novelty" in figures else None
    vectors = _vectors(question) if "intra_list_distance" in figures else None
    for cut in cuts:
        if "coverage" in figures:
            found[f"coverage@{cut}"] = coverage(ranked, size, cut)
        if "gini" in figures:
            found[f"gini@{cut}"] = gini(ranked, size, cut)
        if counts is not None:
            own[f"novelty@{cut}"] = novelty(ranked, counts, cut)
        if vectors is not None:
            own[f"intra_list_distance@{cut}"] = intra_list_distance(ranked, vectors, _apart, cut)
    for name, values in own.items():
        there = ~np.isnan(values)
        found[name] = float(values[there].mean()) if there.any() else float("nan")
    return found, own


def _counts(question: Question) -> Int[np.ndarray, " items"]:
    """How often each item was liked in training.

    Raises: ConfigError: what was trained on is not known, or nothing in it was liked.
    """
    if question.train is None:
        raise ConfigError("novelty needs to know what was trained on: give the training tables")
    schema, rows = question.train.schema, question.train.interactions
    likes = rows.filter(rows[schema.label] == 1).group_by(schema.item).len("n")
    items = pl.DataFrame({schema.item: question.catalogue})
    counts = items.join(likes, on=schema.item, how="left", maintain_order="left")["n"].fill_null(0).to_numpy()
    if not counts.any():
        raise ConfigError("novelty: none of the items that compete was liked in training: leave it out")
    return counts.astype(np.int64)


def _vectors(question: Question) -> Float[np.ndarray, "items width"]:
    """The features of each item, scaled to [0, 1]; NaN where missing. Raises: ConfigError: there are none."""
    schema, items = question.test.schema, question.test.items
    key = schema.item_id or ""
    rows = pl.DataFrame({key: question.catalogue}).join(items, on=key, how="left", maintain_order="left")
    encoder = SideEncoder.fit(schema.side("item"), rows)
    if not encoder.layout.width:
        raise ConfigError("intra_list_distance needs items with features, and the schema has none: leave it out")
    return encoder.portrait(encoder.encode(rows))


def _apart(x: Float[np.ndarray, "b width"], y: Float[np.ndarray, "b width"]) -> Float[np.ndarray, " b"]:
    """Mean |x − y| over the coordinates that both have, 0 where there is none.

    Source: Gower, Biometrics 27 (1971), doi 10.2307/2528823.
    """
    gap = np.abs(x - y)
    there = ~np.isnan(gap)
    return np.where(there, gap, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)


def _titled(name: str, question: Question) -> str:
    """A figure of a sampled ranking says so."""
    return name if question.negatives is None else f"{name} of {question.negatives} sampled"


def _long(users: pl.Series, figure: str, values: Float[np.ndarray, " n"]) -> pl.DataFrame:
    """A row for each user who has the figure."""
    there = pl.Series(~np.isnan(values))
    kept = {"user": users.filter(there), "figure": [figure] * int(there.sum()), "value": values[there.to_numpy()]}
    return pl.DataFrame(kept, schema={"user": users.dtype, "figure": pl.String, "value": pl.Float64})


def _means(by_user: list[pl.DataFrame]) -> dict[str, float]:
    """The mean of each figure, in the order of appearance."""
    if not by_user:
        return {}
    found = pl.concat(by_user).group_by("figure", maintain_order=True).agg(pl.col("value").mean())
    return dict(found.iter_rows())
