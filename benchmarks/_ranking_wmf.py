"""CML and WMF on CML's own data: case ``CiteULike-t WMF by weight``.

CML's paper has it above WMF. That depends on the weight of what was liked against what was not (Hu, Koren, Volinsky
2008, doi 10.1109/ICDM.2008.22: 1 + alpha), and on the number of factors; both are gone through here, by iALS of
implicit, beside CML with the settings of ``CiteULike-t``.
"""

from collections.abc import Iterator

from _ranking_models import model
from _ranking_peers import IALS
from _results import Row, over

from penchant import Recommender
from penchant.evaluation import Question, Task, fit_on, judge

__all__ = ["CASE", "rows_of_weights"]

CASE = "CiteULike-t WMF by weight"
_FACTORS, _ALPHAS, _PENALTY = (64, 128), (1.0, 5.0, 20.0, 80.0), 5.0
_SHOWN = ("ndcg@100", "recall@50", "recall@100")


def _models() -> Iterator[tuple[str, Recommender]]:
    yield "CML", model("CiteULike-t", "CML")
    for factors in _FACTORS:
        for alpha in _ALPHAS:
            made = IALS(factors=factors, regularization=_PENALTY, alpha=alpha)
            yield f"WMF, {factors} factors, weight {1 + alpha:g}", made


def rows_of_weights(task: Task) -> list[Row]:
    """Figures of each on the test likes; penalty and number of rounds are the same for all of WMF."""
    rows: list[Row] = []
    for name, made in _models():
        found = judge(fit_on(made, task), Question.of(task), k=(50, 100), figures=("ndcg", "recall")).figures
        rows += over(CASE, name, [{metric: found[metric] for metric in _SHOWN}])
        print(f"{CASE}, {name}: {found['ndcg@100']:.4f}", flush=True)
    return rows
