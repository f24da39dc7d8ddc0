"""Whom nobody knows yet: new users, new items, and users after a few clicks. Writes ``results/cold_start.json``.

* ml-100k cold users, cold items: labels of AutoInt-100K (3 stars dropped); a fifth of the users (items) held out whole,
  who are known by age, gender and occupation (year and genres) alone; the others by their keys too, and users of cold
  items by their past. auc: of the labels; ndcg@20: likes among all items that compete (cold items: among the new ones).
* ml-100k cold users, n clicks: SG-100K's users held out whole (fold 0), told n of their likes, 0 … 10; the last fifth
  of their likes is to be found among all items that were not told.

    python benchmarks/cold_start.py
    python benchmarks/cold_start.py --seeds 0 --cases "ml-100k cold users" --results folder
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import torch
from _ranking_data import PAST, movielens_likes
from _ranking_models import model
from _ranking_peers import LightFM
from _results import RESULTS, Row, over, write

from penchant import Penchant, Recommender, Tables, evaluate_protocol, movielens_100k
from penchant.baselines import FM, LogisticRegression, Popular
from penchant.evaluation.asking import Question
from penchant.evaluation.comparison import fit_on
from penchant.evaluation.judging import judge
from penchant.evaluation.protocols import ColdItems, ColdUsers, StrongGeneralisation

__all__ = ["CASES", "CLICKS", "main", "told", "without_keys"]

CASES = ("ml-100k cold users", "ml-100k cold items", "ml-100k clicks")
CLICKS = (0, 1, 3, 5, 10)
"""Likes that are told."""
_FOLDING = ("penchant", "EASE", "ItemKNN", "Mult-VAE", "LightFM", "popularity")
_NOTES = (
    "value, low, high: mean, least and most over seeds of the split; clicks: one fold, one seed.",
    "LightFM: WARP; users and items by themselves (where they have training likes) and by their features.",
    "auc of LightFM: of its scores. Clicks: LightFM knows users by their likes, as in ranking.py; settings as there.",
    "CiteULike-t's cold items are not measured here yet.",
)


def without_keys(case: str) -> Tables:
    """MovieLens-100K's labels; the keys of those who will be new are no feature, nor zip codes: most are new too."""
    tables = movielens_100k()
    cold_users = case.endswith("users")
    left = {"zip_code", "user_id" if cold_users else "movie_id"}
    kept = tuple(field for field in tables.schema.fields if field.name not in left)
    past = () if cold_users else (PAST,)
    return replace(tables, schema=replace(tables.schema, fields=(*past, *kept)))


def _models() -> dict[str, Recommender]:
    """Of yes and no, and of rankings."""
    return {
        "penchant": Penchant(),
        "penchant ranking": Penchant.preset("ranking"),
        "FM": FM(),
        "logistic regression": LogisticRegression(),
        "LightFM": LightFM(by_past=False),
        "popularity": Popular(),
    }


def told(given: Tables, n: int, *, rng: int = 0) -> Tables:
    """The first ``n`` rows of each user in a random order; a smaller n is part of a larger one."""
    rows = given.interactions.sample(fraction=1.0, shuffle=True, seed=rng)
    place = pl.int_range(pl.len()).over(given.schema.user)
    return given.with_interactions(rows.filter(place < n))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the file."""
    options = _options(arguments)
    torch.set_num_threads(1)
    rows: list[Row] = []
    for case in options.cases:
        began = time.perf_counter()
        rows += _clicks() if case == "ml-100k clicks" else _cold(case, options.seeds)
        print(f"{case}: {time.perf_counter() - began:.0f} s", flush=True)
    write("cold_start", rows, threads=1, seeds=options.seeds, notes=_NOTES, folder=options.results)


def _cold(case: str, seeds: Sequence[int]) -> list[Row]:
    protocol = ColdUsers(test=0.2) if case.endswith("users") else ColdItems(test=0.2)
    found: dict[str, list[Mapping[str, float]]] = {}
    for seed in seeds:
        report = evaluate_protocol(
            _models(), without_keys(case), protocol, k=20, figures=("auc", "ndcg"), rng=seed, progress=None
        )
        for name in report.models:
            own = report.values.filter(pl.col("model") == name)
            found.setdefault(name, []).append(dict(zip(own["figure"], own["value"], strict=True)))
    return [row for name, runs in found.items() for row in over(case, name, runs)]


def _clicks() -> list[Row]:
    task = StrongGeneralisation(folds=5, given=0.8).task(movielens_likes(), fold=0, rng=0)
    given = task.given_of(task.test)
    assert given is not None, "users are asked by their past"
    rows: list[Row] = []
    for name in _FOLDING:
        fitted = fit_on(model("SG-100K", name), task)
        for n in CLICKS:
            some = told(given, n)
            known = some.interactions.select(some.schema.user, some.schema.item)
            found = judge(fitted, Question(test=task.test, given=some, known=known), k=20, figures=("ndcg", "recall"))
            rows += over(f"ml-100k cold users, {n} clicks", name, [found.figures])
    return sorted(rows, key=lambda row: int(row.case.split(", ")[1].split()[0]))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one split each")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
