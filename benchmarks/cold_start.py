"""Whom nobody knows yet: new users, new items, and users after a few clicks. Writes ``results/cold_start.json``.

* ml-100k cold users, cold items: labels of AutoInt-100K (3 stars dropped); a fifth of the users (items) held out whole,
  who are known by age, gender and occupation (year and genres) alone; the others by their keys too, and users of cold
  items by their past. auc: of the labels; ndcg@20: likes among all items that compete (cold items: among the new ones).
* CiteULike-t cold items: a fifth of the articles held out whole, with all their likes, known by their tags alone; users
  by their past. They compete among themselves. auc: the share of pairs of a liked and another new article that stand in
  the right order, mean over users (there are no dislikes).
* ml-100k clicks: SG-100K's users held out whole, told n of their likes, 0 … 10, in cases "ml-100k cold users, n
  clicks"; the last fifth of their likes is to be found among all items that were not told. auc as of CiteULike-t.

    python benchmarks/cold_start.py
    python benchmarks/cold_start.py --cases "CiteULike-t cold items" --merge
    python benchmarks/cold_start.py --seeds 0 --cases "ml-100k cold users" --results folder
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import torch
from _cold_models import models
from _ranking_data import CITEULIKE, LEAST_TAGGED, PAST, citeulike, movielens_likes
from _ranking_models import OURS, model
from _results import RESULTS, Row, over, write_cases

from penchant import Recommender, Tables, evaluate_protocol, movielens_100k
from penchant.evaluation import LIST_AUC, ColdItems, ColdUsers, Question, StrongGeneralisation, fit_on, judge

__all__ = ["CASES", "CLICKS", "main", "told", "without_keys"]

_COLD = ("ml-100k cold users", "ml-100k cold items", "CiteULike-t cold items")
_CLICKS = "ml-100k clicks"
CASES = (*_COLD, _CLICKS)
CLICKS = (0, 1, 3, 5, 10)
"""Likes that are told."""
_SHARE = 0.6
"""Of histories that are thinned in training."""
_THINNED = "penchant, thinned"
_FOLDING = ("penchant", _THINNED, "EASE", "ItemKNN", "MF", "Mult-VAE", "LightFM", "popularity")
_SPLITS = ("value, low, high: mean, least and most over seeds of the split.",)
_LABELLED = ("LightFM: WARP, from likes alone; LightFM logistic: from likes and dislikes. auc: of their scores.",)
_NOTES = {
    "ml-100k cold users": _LABELLED,
    "ml-100k cold items": _LABELLED,
    "CiteULike-t cold items": (
        f"Tags on at least {LEAST_TAGGED} articles. LightFM knows users by themselves, penchant by their past; LightFM",
        "tuned too, with the settings of CiteULike-t in ranking.py.",
    ),
    _CLICKS: (
        "Clicks: mean, least and most over the folds of one split; settings as in ranking.py, where fold 0's",
        "validation users, who are fold 1's test users, have chosen them. LightFM knows users by their likes.",
        f"thinned: history_thinned = {_SHARE}, the best of 0, 0.1, 0.3, 0.6 by the mean NDCG@20 of the five numbers of",
        "clicks, of fold 0's validation users.",
    ),
}


def without_keys(case: str) -> Tables:
    """MovieLens-100K's labels; the keys of those who will be new are no feature, nor zip codes: most are new too."""
    tables = movielens_100k()
    cold_users = case.endswith("users")
    left = {"zip_code", "user_id" if cold_users else "movie_id"}
    kept = tuple(field for field in tables.schema.fields if field.name not in left)
    past = () if cold_users else (PAST,)
    return replace(tables, schema=replace(tables.schema, fields=(*past, *kept)))


def told(given: Tables, n: int, *, rng: int = 0) -> Tables:
    """The first ``n`` rows of each user in a random order; a smaller n is part of a larger one."""
    rows = given.interactions.sample(fraction=1.0, shuffle=True, seed=rng)
    place = pl.int_range(pl.len()).over(given.schema.user)
    return given.with_interactions(rows.filter(place < n))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the file: at the end, or (merge) after each case."""
    options = _options(arguments)
    torch.set_num_threads(1)
    kept = {"threads": 1, "seeds": options.seeds, "folder": options.results, "merge": options.merge}
    write_cases("cold_start", options.cases, lambda case: _run(case, options), **kept)


def _run(case: str, options: argparse.Namespace) -> tuple[list[Row], tuple[str, ...]]:
    """Rows and notes of a case. Raises: FileNotFoundError: its data are not there."""
    if case == _CLICKS:
        return _clicks(options.folds), _NOTES[case]
    tables = citeulike(options.citeulike) if case.startswith("CiteULike") else without_keys(case)
    return _cold(case, tables, options.seeds), (*_SPLITS, *_NOTES[case])


def _cold(case: str, tables: Tables, seeds: Sequence[int]) -> list[Row]:
    """Whole users or items held out, in one split a seed."""
    protocol = ColdUsers(test=0.2) if case.endswith("users") else ColdItems(test=0.2)
    both = tables.interactions[tables.schema.label].n_unique() == 2
    figures = ("auc" if both else LIST_AUC, "ndcg")
    found: dict[str, list[Mapping[str, float]]] = {}
    for seed in seeds:
        report = evaluate_protocol(models(case), tables, protocol, k=20, figures=figures, rng=seed, progress=None)
        for name in report.models:
            own = report.values.filter(pl.col("model") == name)
            found.setdefault(name, []).append(_named(dict(zip(own["figure"], own["value"], strict=True))))
    return [row for name, runs in found.items() for row in over(case, name, runs)]


def _named(figures: Mapping[str, float]) -> dict[str, float]:
    """One name for both kinds of AUC, which the head of this file tells apart by case."""
    return {"auc" if name == LIST_AUC else name: value for name, value in figures.items()}


def _folding(name: str) -> Recommender:
    return model("SG-100K", OURS, encoder__history_thinned=_SHARE) if name == _THINNED else model("SG-100K", name)


def _clicks(folds: Sequence[int]) -> list[Row]:
    """Users by so many of their likes, each model fitted once a fold."""
    tables = movielens_likes()
    found: dict[tuple[int, str], list[dict[str, float]]] = {(n, name): [] for n in CLICKS for name in _FOLDING}
    for task in StrongGeneralisation(folds=5, given=0.8).tasks(tables, folds=folds):
        given = task.given_of(task.test)
        assert given is not None, "users are asked by their past"
        for name in _FOLDING:
            fitted = fit_on(_folding(name), task)
            for n in CLICKS:
                some = told(given, n)
                known = some.interactions.select(some.schema.user, some.schema.item)
                question = Question(test=task.test, given=some, known=known)
                figures = judge(fitted, question, k=20, figures=("ndcg", "recall", LIST_AUC)).figures
                found[n, name].append(_named(figures))
    return [row for (n, name), runs in found.items() for row in over(f"ml-100k cold users, {n} clicks", name, runs)]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one split each")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="of the users of the clicks")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--citeulike", type=Path, default=CITEULIKE, metavar="FOLDER", help="with its two tables")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--merge", action="store_true", help="write after each case, and keep the file's other cases")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
