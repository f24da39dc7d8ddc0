"""One principle, many networks: every latent, metric and encoder on the same data. Writes ``results/variations.json``.

* AutoInt-100K ids: auc of test rows, validation auc, seconds an epoch. Of variational models also whether the
  uncertainty is worth something: auc of the tenth of users that are surest and unsurest, and the mean deviation of
  users by how many training rows they have, in fifths.
* uncertainty: the same of the preset `variational` as it stands. Settings that are the best by auc have a floor under
  the deviation that is above most of it.
* SG-100K (fold 0): ndcg@100 and recall@20 of rankings, by latent and metric.
* speed: processor time of an epoch, by that of `point` in the same round (`_variation_speed.py`).
* options: ``--tune`` alone measures it: validation auc of each model's few settings (`_variation_settings.py`). The
  other cases take each model's best one, if the result that is there has them, say so, and keep them.

    python benchmarks/variations.py --tune
    python benchmarks/variations.py --merge
    python benchmarks/variations.py --cases "AutoInt-100K ids" --models point wasserstein --seeds 0
    python benchmarks/variations.py --cases speed --rounds 1 --rows 20000 --results folder
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from _movielens import Split, prepared
from _ranking_data import movielens_likes
from _results import RESULTS, Row, over, write
from _variation_settings import BUDGET, MODELS, SETTINGS, label
from _variation_speed import CASE as SPEED
from _variation_speed import rows_of_speed

from penchant import Penchant
from penchant.evaluation import auc
from penchant.evaluation.asking import Question
from penchant.evaluation.comparison import fit_on
from penchant.evaluation.judging import judge
from penchant.evaluation.protocols import StrongGeneralisation

__all__ = ["CASES", "MODELS", "OPTIONS", "chosen", "main", "ranker", "tenths"]

OPTIONS = "options"
UNCERTAINTY = "uncertainty"
CASES = ("AutoInt-100K ids", UNCERTAINTY, "SG-100K", SPEED)
_SAMPLED = ("point, sup norm", "fisher_rao", "hellinger", "kl", "sup")
"""Metrics that matrix products do not reach: likes are held against a part of the catalogue, Gaussians have 64 axes."""
_NEGATIVES = 200
_NOTES = (
    "value, low, high: mean, least and most over seeds (speed: median over rounds); one split. SG-100K: fold 0, first",
    "seed, preset ranking with the space and the latent in question (200 axes) and its scale by that of the default;",
    f"{'; '.join(_SAMPLED)}: likes against {_NEGATIVES} items drawn anew each step, not all, Gaussians on 64 axes.",
    "sigma by rows 1 … 5: mean deviation of users by fifths of their number of training rows, from few to many.",
    f"{UNCERTAINTY}: the preset variational, as it stands.",
    "speed: gru, lstm and attention read users' histories, which the others do not have there.",
)
_TUNED = f"options: validation auc, seed 0, {len(SETTINGS['point'])} settings each, {BUDGET['epochs']} epochs at most."


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the file."""
    options = _options(arguments)
    torch.set_num_threads(1)
    if options.tune:
        kept = {"threads": 1, "seeds": [0], "folder": options.results, "merge": True}
        write("variations", _tuned(options.models), notes=[_TUNED], **kept)
        return
    best = chosen(options.results)
    rows: list[Row] = []
    for case in options.cases:
        if case == SPEED:
            rows += rows_of_speed(options.models, options.rounds, options.rows)
            continue
        if case == UNCERTAINTY:
            rows += over(case, "preset variational", [_predicted("wasserstein", {}, seed) for seed in options.seeds])
            continue
        for name in options.models:
            if case == "SG-100K":
                runs = [] if name == "wide_deep" else [_ranked(name, best.get(name, {}))]
            else:
                runs = [_predicted(name, best.get(name, {}), seed) for seed in options.seeds]
            rows += over(case, name, runs) if runs else []
            print(case, name, runs, flush=True)
    taken = [f"{label(name, changes)}, by validation auc." for name, changes in best.items() if changes]
    said = "Options by hand, on seed 0 with test auc in sight." if not best else "Options as under the case options."
    write("variations", rows, threads=1, seeds=options.seeds, notes=[*_NOTES, said, *taken], folder=options.results,
          merge=options.merge or bool(best))  # fmt: skip


def _tuned(names: Sequence[str]) -> list[Row]:
    """Validation auc of every setting of these models."""
    split, _ = prepared("AutoInt-100K ids", None)
    rows: list[Row] = []
    for name in names:
        for changes in SETTINGS[name]:
            model = MODELS[name]().set_params(**{**BUDGET, **changes, "rng": 0, "device": "cpu"})
            found = float(model.fit(split.train, split.valid).history_["valid"].max())
            print(OPTIONS, label(name, changes), f"{found:.4f}", flush=True)
            rows += over(OPTIONS, label(name, changes), [{"valid auc": found}])
    return rows


def chosen(folder: Path) -> dict[str, Mapping[str, Any]]:
    """By model: the setting with the best validation auc that the result in a folder has; {} where it was not tuned."""
    path = folder / "variations.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    values = {row["model"]: row["value"] for row in rows if row["case"] == OPTIONS}
    found: dict[str, Mapping[str, Any]] = {}
    for name, settings in SETTINGS.items():
        tried = [(values[label(name, changes)], changes) for changes in settings if label(name, changes) in values]
        if tried:
            found[name] = max(tried, key=lambda one: one[0])[1]
    return found


def _predicted(name: str, changes: Mapping[str, Any], seed: int) -> dict[str, float]:
    split, _ = prepared("AutoInt-100K ids", None)
    model, began = MODELS[name]().set_params(**{**changes, "rng": seed, "device": "cpu"}), time.process_time()
    model.fit(split.train, split.valid)
    seconds = (time.process_time() - began) / model.history_.height
    probability = model.predict_proba(split.test)["probability"].to_numpy()
    label = split.test.interactions[split.test.schema.label].to_numpy().astype(np.float64)
    found = {"auc": auc(label, probability), "valid auc": float(model.history_["valid"].max()), "s an epoch": seconds}
    return found | (tenths(model, split, label, probability) if model.latent.variational else {})


def tenths(model: Penchant, split: Split, label: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """What the uncertainty of users says of their predictions, and what their number of rows says of it."""
    fitted, key = model._fitted, split.train.schema.user
    ids = fitted.known["user"].vocabulary.ids
    sigma = model.uncertainty("user", ids.to_list())["sigma"].to_numpy()
    of_row = fitted.known["user"].vocabulary.rows(split.test.interactions[key])
    low, high = np.quantile(sigma[np.unique(of_row)], [0.1, 0.9])
    found = {}
    for name, kept in (("auc of the surest tenth", sigma[of_row] <= low),
                       ("auc of the unsurest tenth", sigma[of_row] >= high)):  # fmt: skip
        found[name] = auc(label[kept], probability[kept])
    counts = split.train.interactions.group_by(key).len("n")
    n = pl.DataFrame({key: ids}).join(counts, on=key, how="left", maintain_order="left")["n"].fill_null(0).to_numpy()
    order = np.argsort(n, kind="stable")
    for part, rows in enumerate(np.array_split(order[n[order] > 0], 5), start=1):
        found[f"sigma by rows {part}"] = float(sigma[rows].mean())
    return found


def ranker(name: str, changes: Mapping[str, Any]) -> Penchant:
    """The preset ranking with the space and the latent of a model; of `point` the preset's own."""
    model = Penchant.preset("ranking", device="cpu")
    if name == "point":
        return model
    other, axes = MODELS[name]().set_params(**changes), model.space.dim
    model.set_params(
        latent=other.latent, loss__kappa=other.loss.kappa, loss__eta=other.loss.eta,
        scale=model.scale * other.scale / Penchant().scale,
    )  # fmt: skip
    if other.space.kind == "gaussian":
        model.set_params(space=other.space if name in _SAMPLED else replace(other.space, dim=2 * axes))
    elif name == "point, sup norm":
        model.set_params(space__norm=float("inf"))
    if name in _SAMPLED:
        model.set_params(loss__negatives="uniform", loss__n_negatives=_NEGATIVES)
    return model


def _ranked(name: str, changes: Mapping[str, Any]) -> Mapping[str, float]:
    task = StrongGeneralisation(folds=5, given=0.8).task(movielens_likes(), fold=0, rng=0)
    fitted = fit_on(ranker(name, changes), task)
    found = judge(fitted, Question.of(task), k=(20, 100), figures=("ndcg", "recall")).figures
    return {metric: found[metric] for metric in ("ndcg@100", "recall@20")}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one training each")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), metavar="MODEL")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--tune", action="store_true", help="measure the case options, and nothing else")
    parser.add_argument("--rounds", type=int, default=3, help="of the case speed")
    parser.add_argument("--rows", type=int, default=None, help="training rows of the case speed, if not all")
    parser.add_argument("--merge", action="store_true", help="keep the other cases of the result that is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
