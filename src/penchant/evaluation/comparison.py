"""Models side by side: the same held-out rows, the same figures, one table."""

import inspect
import time
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from penchant._config import plain
from penchant._progress import Progress, make_progress
from penchant.errors import ConfigError, PenchantError
from penchant.evaluation.asking import Question, why_not
from penchant.evaluation.judging import Judgement, check_figures, judge
from penchant.evaluation.lists import Lists, lists_from_frames
from penchant.evaluation.protocols import BaseProtocol, make_protocol
from penchant.evaluation.report import Report
from penchant.evaluation.task import Task
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["USUAL", "compare", "evaluate_protocol", "evaluate_recommender", "fit_on", "recommended_lists"]

_BINARY = ("auc", "user_auc", "logloss", "calibration_error")
_RANKING = ("recall", "ndcg", "hit", "mrr")
USUAL = (*_BINARY, *_RANKING, "coverage")
"""The figures that are shown where none are named."""


def compare(
    models: Mapping[str, Recommender], test: Tables, *, k: int | Sequence[int] = 10, figures: Sequence[str] = _RANKING
) -> pl.DataFrame:
    """A row a model with all its figures on the same held-out rows; see `evaluate_recommender`.

    Arguments:
        models: fitted ones, by the name they are shown under; at least one.
        test, k, figures: as of `evaluate_recommender`.

    Returns:
        Columns: model, then a figure each.

    Raises:
        ConfigError: no models. DataError: as `evaluate_recommender`.
    """
    _some(models)
    rows = [{"model": name, **evaluate_recommender(m, test, k=k, figures=figures)} for name, m in models.items()]
    return pl.DataFrame(rows)


def evaluate_recommender(
    model: Recommender, test: Tables, *, k: int | Sequence[int] = 10, figures: Sequence[str] = _RANKING
) -> dict[str, float]:
    """Figures of yes/no predictions and of rankings on held-out interactions.

    Predictions: AUC, AUC within users, log loss and calibration error over all rows, where there are both labels.
    Rankings: every known item that is not in the user's training rows competes (full ranking), the user's liked rows
    are to be on top; means over users with liked rows, and the share of the catalogue that is shown to anybody.

    Arguments:
        model: fitted; knows the users and items of ``test``.
        test: labelled interactions that were not trained on.
        k: ranks that count, one number or several.
        figures: names in `penchant.evaluation.RANKING`; none: predictions alone.

    Raises:
        DataError: no rows.
    """
    more = (*figures, "coverage") if figures else ()
    return judge(model, Question(test=test), k=k, figures=(*_BINARY, *more)).figures


def recommended_lists(model: Recommender, test: Tables, *, n: int) -> Lists:
    """The ``n`` best items of every user with liked rows in ``test``, beside these rows."""
    schema = test.schema
    liked = test.interactions.filter(test.interactions[schema.label] == 1)
    users = liked[schema.user].unique(maintain_order=True).to_list()
    recommended = model.recommend(users, n=n)
    return lists_from_frames(recommended, liked, user=schema.user, item=schema.item, ranks=n, catalogue=test.item_ids)


def evaluate_protocol(
    models: Mapping[str, Recommender],
    tables: Tables,
    protocol: BaseProtocol | str,
    *,
    k: int | Sequence[int] = 10,
    figures: Sequence[str] = USUAL,
    negatives: int | None = None,
    folds: Sequence[int] | None = None,
    rng: int = 0,
    progress: bool | Progress | None = False,
) -> Report:
    """Fit every model on every fold of a protocol, and judge all by the same held-out rows.

    Each fold fits a new copy of each model, whose own ``rng``, if it has one, is raised by the fold's number.
    A model that cannot be asked so, or that fails on a fold, is left out of the report, which says why.

    Arguments:
        models: by the name they are shown under; they need not be fitted, and are not changed.
        protocol: one of `penchant.evaluation.protocols`, or a name in its ``KINDS``.
        k: ranks that count, one number or several.
        figures: names in `penchant.evaluation.FIGURES`.
        negatives: None: every item competes. A number: see `Question.negatives`; the figures say so in their names.
        folds: numbers of the folds to run; None: all.
        rng: seed of the split (and of the negatives).
        progress: True or a `Progress` to show it, None to show it on a terminal only.

    Raises:
        ConfigError: no models, a figure or protocol that is not known, k or negatives below 1.
        DataError: the tables do not allow the protocol.
        PenchantError: every model was left out: the last one's reason.

    Example:
        >>> from penchant import simulate
        >>> from penchant.baselines import ItemKNN, Popular
        >>> tables = simulate(n_users=50, n_items=30, n_interactions=900, rng=1).tables
        >>> report = evaluate_protocol({"popular": Popular(), "knn": ItemKNN()}, tables, "random", figures=["auc"])
        >>> report.table().columns
        ['model', 'auc', 'seconds']
    """
    _some(models)
    check_figures(figures, k)
    asked = make_protocol(protocol) if isinstance(protocol, str) else protocol
    shown = make_progress(progress)
    numbers = tuple(range(asked.folds) if folds is None else folds)
    if not numbers:
        raise ConfigError("folds are empty: at least one expected")
    runs = _Runs(dict(models))
    shown.start(len(numbers) * len(models), asked.name)
    try:
        for task in asked.tasks(tables, folds=numbers, rng=rng):
            question = Question.of(task, negatives=negatives, rng=rng)
            for name in models:
                runs.run(name, task, question, k, figures)
                shown.step()
    finally:
        shown.finish()
    facts = {"users": tables.users.height, "items": tables.items.height, "interactions": len(tables), "rng": rng}
    options = {name: plain(model.get_params(deep=False)) for name, model in runs.left.items()}
    return runs.report(asked.name, numbers, {**facts, "options": options})


def fit_on(model: Recommender, task: Task, *, progress: Progress | None = None) -> Recommender:
    """A new copy of a model, fitted on a task: its ``rng``, if it has one, raised by the number of the fold.

    Arguments:
        progress: told of the steps, where the model tells them.
    """
    options = model.get_params(deep=False)
    if "rng" in options:
        options["rng"] += task.fold
    fitted = type(model)(**options)
    takes = inspect.signature(fitted.fit).parameters
    more: dict[str, Any] = {}
    if task.given is not None and task.valid is not None and "given" in takes:
        more["given"] = task.given_of(task.valid)
    if progress is not None and "progress" in takes:
        more["progress"] = progress
    return fitted.fit(task.train, task.valid, **more)


class _Runs:
    """What has been found so far, and who is left out."""

    def __init__(self, models: dict[str, Recommender]) -> None:
        self.left = models
        self.skipped: dict[str, str] = {}
        self.words = ""
        self.values: list[tuple[str, int, str, float]] = []
        self.users: list[pl.DataFrame] = []
        self.seconds: list[tuple[str, int, float, float]] = []

    def run(self, name: str, task: Task, question: Question, k: int | Sequence[int], figures: Sequence[str]) -> None:
        """One model on one fold, unless it was left out."""
        self.words = self.words or task.words
        if name not in self.left:
            return
        model = self.left[name]
        if reason := why_not(model, task.given):
            self._skip(name, reason, ConfigError(f"{name}: {reason}"))
            return
        try:
            began = time.perf_counter()
            fitted = fit_on(model, task)
            between = time.perf_counter()
            found = judge(fitted, question, k=k, figures=figures)
        except PenchantError as error:
            self._skip(name, f"fold {task.fold}: {error}", error)
            return
        self.seconds.append((name, task.fold, between - began, time.perf_counter() - between))
        self._keep(name, task.fold, found)

    def _keep(self, name: str, fold: int, found: Judgement) -> None:
        self.values += [(name, fold, figure, value) for figure, value in found.figures.items()]
        columns = [pl.lit(name).alias("model"), pl.lit(fold, dtype=pl.Int64).alias("fold"), "user", "figure", "value"]
        self.users.append(found.users.select(columns))

    def _skip(self, name: str, reason: str, error: PenchantError) -> None:
        """A model is in the whole report or not at all."""
        del self.left[name]
        self.skipped[name] = reason
        if not self.left:
            raise error

    def report(self, protocol: str, folds: tuple[int, ...], facts: dict[str, Any]) -> Report:
        """What was found of the models that are left, in their order."""
        order = pl.Enum(list(self.left))
        kinds = {"model": pl.String, "fold": pl.Int64, "figure": pl.String, "value": pl.Float64}
        times = {"model": pl.String, "fold": pl.Int64, "fit": pl.Float64, "judge": pl.Float64}
        frames = (
            pl.DataFrame(self.values, schema=kinds, orient="row"),
            pl.concat(self.users),
            pl.DataFrame(self.seconds, schema=times, orient="row"),
        )
        values, users, seconds = (
            frame.filter(pl.col("model").is_in(list(self.left))).sort(pl.col("model").cast(order), maintain_order=True)
            for frame in frames
        )
        return Report(
            protocol=protocol, words=self.words, folds=folds, values=values, users=users, seconds=seconds,
            skipped=self.skipped, facts=facts,
        )  # fmt: skip


def _some(models: Mapping[str, Recommender]) -> None:
    if not models:
        raise ConfigError("models are empty: at least one expected")
