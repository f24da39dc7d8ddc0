"""``ranking.py --tune``: the settings of `_ranking_settings.py`, judged by the validation likes of fold 0 alone."""

import time
from collections.abc import Sequence

from _ranking_models import model
from _ranking_settings import drawn
from _ranking_told import told

from penchant.errors import PenchantError
from penchant.evaluation import Question, Task, fit_on, judge, why_not

__all__ = ["search"]


def search(case: str, task: Task, names: Sequence[str]) -> None:
    """Print every setting of these models with its NDCG@100, and the best of each.

    Models that stop by the validation likes are told of them here too, as in every fold.
    """
    for name in names:
        best: tuple[float, dict[str, object]] = (-1.0, {})
        for tried in drawn(case, name):
            began = time.perf_counter()
            made = model(case, name, **tried)
            asked = told(task) if why_not(made, task.given) else task
            try:
                found = judge(fit_on(made, asked), Question.of(asked.validation()), k=100, figures=("ndcg",))
            except PenchantError as error:
                print(f"{case} {name} {tried}: {error}", flush=True)
                continue
            value = found.figures["ndcg@100"]
            print(f"{case} {name} {tried}: {value:.4f} ({time.perf_counter() - began:.0f} s)", flush=True)
            best = max(best, (value, tried), key=lambda one: one[0])
        print(f"BEST {case} {name}: {best[1]} {best[0]:.4f}", flush=True)
