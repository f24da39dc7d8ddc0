"""One case of ``portraits.py`` with one seed: every model's figures."""

import numpy as np
from _portrait_arrays import PortraitArrays, PortraitCase, arrays
from _portrait_measures import figures
from _portrait_models import case_of, trained
from _portrait_peers import peers
from _portrait_promises import invented, promised, speed, true_coverage
from _portrait_variants import VARIANTS, cycle_consistent, decoded
from jaxtyping import Float, Int

from penchant import Penchant

__all__ = ["AUC", "run"]

AUC = "ml-100k warm"
"""The case of which AUC is told, with the portrait term and without."""
_SOME = 200
"""Test users for what takes long, at random."""
_FEW = 50
"""Users who are asked for one by one."""

Figures = dict[str, dict[str, float]]


def run(name: str, seed: int, quick: bool = False) -> Figures:
    """Model to metric to value, of the test users."""
    case, model = case_of(name, seed, quick), trained(name, seed, quick)
    data = arrays(case, model._fitted.encoder)
    found = _ours(case, model, data, seed, few=5 if quick else _FEW)
    untold = trained(name, seed, quick, delta=0.0)
    found["without portrait term"] = _judged(decoded(untold, data.test.users), data)
    if name == AUC:
        found["penchant"]["auc"] = model.score(case.test)
        found["without portrait term"]["auc"] = untold.score(case.test)
    for peer, ask in peers(cold=case.cold).items():
        found[peer] = _judged(ask(data, seed).portrait[data.test.users], data)
    return found


def _ours(case: PortraitCase, model: Penchant, data: PortraitArrays, seed: int, few: int) -> Figures:
    users = data.test.users
    g = np.random.default_rng([seed, 0])
    some = np.sort(g.choice(len(users), min(_SOME, len(users)), replace=False))
    found: Figures = {}
    for name, read in VARIANTS.items():
        of = some if name == "ball points" else np.arange(len(users))
        found[name] = _judged(read(model, users[of], seed), data, of)
    back, returned = cycle_consistent(model, users[some], seed)
    found["cycle-consistent"] = _judged(back, data, some) | {"returned": returned}
    found["penchant"] |= promised(case, model, seed) | speed(model, users[some[:few]])
    found["penchant"] |= invented(model, case.truth, users[some[:few]])
    if case.truth is not None:
        found["penchant"]["interval_coverage"] = true_coverage(model, case.truth, seed)
    return found


def _judged(
    portrait: Float[np.ndarray, "n width"], data: PortraitArrays, of: Int[np.ndarray, " n"] | None = None
) -> dict[str, float]:
    """The three figures, of all test users or of some."""
    truth = data.test.portrait if of is None else data.test.portrait[of]
    means = figures(portrait, truth, data.base).means()
    means["top3"] = means.pop("top_3")
    return means
