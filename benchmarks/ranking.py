"""Who puts on top what is liked? Writes ``results/ranking.json``.

Cases (`_ranking_data.py`): SG-100K, users never seen in training, known by 80 % of their likes; CiteULike-t, CML's own
protocol. Every item competes that a user is not known to like. Metrics: ndcg@100, recall@20, recall@50, recall@100
(truncated: divided by min(k, likes)), means over users. p: of penchant against each, users paired, by ndcg@100.
CiteULike-t WMF by weight: `_ranking_wmf.py`. SG-100K sup norm ideas (`_ranking_sup_ideas.py`): fold 0. 100k x 100k
(`_ranking_throughput.py`): speed and memory.
Models: `_ranking_models.py`; their tuning: `_ranking_settings.py`; peers: `_ranking_peers.py`, `_ranking_cornac.py`.

    python benchmarks/ranking.py
    python benchmarks/ranking.py --cases CiteULike-t --merge
    python benchmarks/ranking.py --cases SG-100K --models penchant EASE --folds 0 --results folder
    python benchmarks/ranking.py --tune --cases SG-100K --models EASE MF
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from _ranking_data import CITEULIKE, LEAST_TAGGED, citeulike, movielens_likes
from _ranking_models import MODELS, OURS, model
from _ranking_search import search
from _ranking_settings import SPACES, TRIALS
from _ranking_sup_ideas import CASE as IDEAS
from _ranking_sup_ideas import rows_of_ideas
from _ranking_throughput import CASE as THROUGHPUT
from _ranking_throughput import rows_of_throughput
from _ranking_told import Told, both
from _ranking_wmf import CASE as WMF
from _ranking_wmf import rows_of_weights
from _results import RESULTS, Row, over, write_cases

from penchant import Tables, evaluate_protocol
from penchant.evaluation import PerUser, Report, StrongGeneralisation, why_not
from penchant.evaluation.protocols import BaseProtocol

__all__ = ["CASES", "PROTOCOLS", "main", "measured", "rows_of"]

RANKS = (20, 50, 100)
_SHOWN = ("ndcg@100", "recall@20", "recall@50", "recall@100")
_JUDGED = "ndcg@100"
_GIVEN = StrongGeneralisation(folds=5, given=0.8)
PROTOCOLS: dict[str, BaseProtocol] = {"SG-100K": _GIVEN, "CiteULike-t": PerUser(valid=0.2, test=0.2)}
"""By case."""
CASES = (*PROTOCOLS, WMF, IDEAS, THROUGHPUT)
_LEFT_OUT = {
    "CiteULike-t": {
        "EASE": "two dense matrices of 25,975 by 25,975, 11 GB",
        "Mult-VAE": "half a minute an epoch; VAECF is the same model",
        "penchant sup norm, distances as axes": "25,975 axes for each of as many items, hours of comparing them",
    }
}
_RANKED = (
    "value, low, high: mean, least and most over folds; every item competes that is not given or trained on.",
    "p: two-sided, by flipping signs of users' differences to penchant in ndcg@100; of many some are small by luck.",
)
_NOTES = {
    "SG-100K": (
        *_RANKED,
        f"Tuning: up to {TRIALS} settings at random from each model's space, by fold 0's validation likes,",
        "whose users are test users of fold 1 (_ranking_settings.py). penchant's space lies around a preset that was",
        "found by hand, with test figures of another draw of the same users in sight.",
        "CML, TransCF and both BPR cannot fold a new user in. What is given of the users of validation and test is",
        "among their training rows: they see more than the others.",
    ),
    "CiteULike-t": (
        *_RANKED,
        f"Tuning: up to {TRIALS} settings at random from each model's space, by the validation likes; penchant's",
        f"{TRIALS} by hand; fewer of those that take minutes (_ranking_settings.py).",
        f"Tags on at least {LEAST_TAGGED} articles, for penchant and LightFM; the others use none.",
    ),
    WMF: ("One training each; iALS of implicit, 15 rounds, penalty 5; weight: of a like against what was not liked.",),
    IDEAS: ("One fold, one training each. axes: how many the points have.",),
    THROUGHPUT: ("64 axes, 4-norm, the 100 best of everybody by Penchant.recommend; one thread; training included.",),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the file: at the end, or (merge) after each case."""
    options = _options(arguments)
    torch.set_num_threads(1)
    if options.tune:
        for case in options.cases:
            if case in PROTOCOLS:
                names = [name for name in _asked(case, options) if name in SPACES[case]]
                search(case, PROTOCOLS[case].task(_tables(case, options)), names)
        return
    kept = {"threads": 1, "seeds": [0], "folder": options.results, "merge": options.merge}
    write_cases("ranking", options.cases, lambda case: _run(case, options), **kept)


def _tables(case: str, options: argparse.Namespace) -> Tables:
    return movielens_likes() if case == "SG-100K" else citeulike(options.citeulike)


def _asked(case: str, options: argparse.Namespace) -> list[str]:
    """Models asked for, without those that are left out of a case."""
    return [name for name in options.models if name not in _LEFT_OUT.get(case, {})]


def _run(case: str, options: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """Rows and notes of a case. Raises: FileNotFoundError: its data are not there."""
    notes = list(_NOTES[case])
    if case == THROUGHPUT:
        return rows_of_throughput(), notes
    if case == WMF:
        return rows_of_weights(PROTOCOLS["CiteULike-t"].task(citeulike(options.citeulike))), notes
    if case == IDEAS:
        return rows_of_ideas(_GIVEN.task(movielens_likes())), notes
    folds = [fold for fold in options.folds if fold < PROTOCOLS[case].folds] or [0]
    report = measured(case, _tables(case, options), _asked(case, options), folds)
    left_out = {name: why for name, why in _LEFT_OUT.get(case, {}).items() if name in options.models}
    skipped = {**left_out, **report.skipped}
    return rows_of(case, report), notes + [f"{case}, not measured: {name}: {why}." for name, why in skipped.items()]


def measured(case: str, tables: Tables, names: Sequence[str], folds: Sequence[int]) -> Report:
    """Every model on these folds, those that cannot fold a user in with what is given among their training rows."""
    protocol = PROTOCOLS[case]
    models = {name: model(case, name) for name in names}
    given = tables if isinstance(protocol, StrongGeneralisation) else None
    learners = {name: one for name, one in models.items() if why_not(one, given)}
    folders = {name: one for name, one in models.items() if name not in learners}
    told = Told(folds=_GIVEN.folds, given=_GIVEN.given)
    reports = [
        evaluate_protocol(some, tables, way, k=RANKS, figures=("ndcg", "recall"), folds=folds, progress=None)
        for some, way in ((folders, protocol), (learners, told))
        if some
    ]
    return reports[0] if len(reports) == 1 else both(*reports)


def rows_of(case: str, report: Report) -> list[Row]:
    """Figures of each model, with p against penchant; penchant's own under the name of its norm too."""
    rows: list[Row] = []
    frame = report.values
    for name in report.models:
        own = frame.filter(frame["model"] == name)
        runs = [
            dict(zip(part["figure"].to_list(), part["value"].to_list(), strict=True))
            for part in own.partition_by("fold", maintain_order=True)
        ]
        shown = [{metric: run[metric] for metric in _SHOWN} for run in runs]
        rows += over(case, name, shown)
        if name == OURS:  # the preset's norm
            rows += over(case, f"{OURS} 4-norm", shown)
        elif OURS in report.models:
            rows += over(case, name, [{"p": report.compare(OURS, name, _JUDGED).p_value}])
    return rows


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), metavar="MODEL")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="of SG-100K")
    parser.add_argument("--citeulike", type=Path, default=CITEULIKE, metavar="FOLDER", help="with its two tables")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--merge", action="store_true", help="write after each case, and keep the file's other cases")
    parser.add_argument("--tune", action="store_true", help="try the settings of every space instead; writes nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
