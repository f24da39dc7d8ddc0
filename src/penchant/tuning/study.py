"""`tune`: a study over the options of a model, judged by the validation rows of a protocol; resumable, pruned."""

import json
import math
import time
from os import PathLike
from typing import Any

import polars as pl

from penchant._config import plain
from penchant._progress import Progress, SilentProgress, make_progress
from penchant._random import seed_of
from penchant.errors import ConfigError, PenchantError
from penchant.evaluation import (
    FIGURES,
    LIST_AUC,
    LOWER_IS_BETTER,
    PREDICTIONS,
    BaseProtocol,
    Question,
    Task,
    fit_on,
    is_judged,
    judge,
    make_protocol,
    why_not,
)
from penchant.recommender import Recommender
from penchant.tables import Tables
from penchant.tuning._files import claim, fingerprint, import_optuna, opened, quiet
from penchant.tuning.search import Axis, Choices, Search, check_search, search_of
from penchant.tuning.tuned import Tuned

__all__ = ["tune"]

_STARTUP = 10
"""Trials at random before the sampler begins to learn from them."""


def tune(
    model: Recommender,
    tables: Tables,
    protocol: BaseProtocol | str = "random",
    *,
    figure: str | None = None,
    n_trials: int = 30,
    timeout: float | None = None,
    search: Search | None = None,
    study: str | PathLike[str] | None = None,
    fold: int = 0,
    prune: bool = True,
    rng: int = 0,
    progress: bool | Progress | None = False,
) -> Tuned:
    """Look for the options of a model that do best on the validation rows of one fold of a protocol.

    The first trial is the model as it is, as far as its options lie inside the search. The others are drawn by a
    tree-structured Parzen estimator, each from a seed of its own: a study that was broken off goes on to the same
    trials. Where a model tells its validation figure after each epoch (`Penchant`), a trial below the median of the
    others at that epoch is broken off (pruned). The test rows are never looked at.

    Arguments:
        model: whose options are varied; those that are not in ``search`` stay. It is not changed.
        tables: all there is.
        protocol: one of `penchant.evaluation.protocols`, or a name in its ``KINDS``; with validation rows.
        figure: "auc", "ndcg@100", …; None: "auc" where there are both labels and users are asked by id, else NDCG@100.
        n_trials: trials in all, those of earlier runs of ``study`` included.
        timeout: seconds after which no further trial is begun; what is found then depends on the machine.
        search: options by name with a `Range` or `Choices`; None: `search_of` the model.
        study: an SQLite file that holds every trial; found there, the study goes on. None: in memory only.
        fold: of the protocol.
        prune: break hopeless trials off? Only where trials can be compared by the figure that a model tells.
        rng: seed of split and search; the models keep their own.
        progress: True or a `Progress` to show it, None to show it on a terminal only.

    Raises:
        ConfigError: optuna is not installed; an option outside its range; a study of another model, search or data.
        DataError: the tables do not allow the protocol.
        PenchantError: no trial came to its end: the last one's reason.

    Source: Bergstra et al., NeurIPS 2011 (the estimator); Akiba et al., KDD 2019, arXiv 1907.10902 (optuna, pruning).
    """
    optuna = import_optuna()
    if n_trials < 1:
        raise ConfigError(f"n_trials = {n_trials}: at least 1 expected")
    axes = search_of(model) if search is None else dict(search)
    check_search(axes, model)
    asked = make_protocol(protocol) if isinstance(protocol, str) else protocol
    goal = _Goal(model, asked.task(tables, fold, rng=rng), figure)
    facts = {"protocol": {"name": asked.name, **plain(asked)}, "words": asked.words, "fold": fold, "rng": rng}
    shown = make_progress(progress)
    with quiet(optuna), opened(optuna, study, goal.lower, prune) as trials:
        claim(trials, fingerprint(model, axes, goal.figure, facts, tables), study)
        run = _Run(optuna, trials, model, axes, goal, rng)
        run.go(n_trials, timeout, shown)
        return run.tuned(facts)


class _Goal:
    """By what a trial is judged.

    Raises: ConfigError: no validation rows, a figure that cannot be judged by, a model that cannot be asked so.
    """

    def __init__(self, model: Recommender, task: Task, figure: str | None) -> None:
        if reason := why_not(model, task.given):
            raise ConfigError(reason)
        self.task, judged = task, task.validation()
        self.question = Question.of(judged)
        labels = judged.test.interactions[judged.test.schema.label].n_unique()
        predicted = task.given is None and labels > 1
        self.figure = figure or ("auc" if predicted else "ndcg@100")
        self.name, _, cut = self.figure.partition("@")
        plain_name = self.name in (*PREDICTIONS, LIST_AUC)
        right = not cut if plain_name else cut.isdecimal() and int(cut) > 0
        if self.name not in FIGURES or not is_judged(self.name) or not right:
            raise ConfigError(f"figure = {self.figure!r}: one such as auc, logloss, ndcg@100 or recall@20 expected")
        if self.name in PREDICTIONS and not predicted:
            why = "users are asked by their past" if labels > 1 else "the validation rows have one label only"
            raise ConfigError(f"figure = {self.figure!r}: no predictions are judged, as {why}: take ndcg@100")
        self.k = int(cut) if cut else 10
        self.lower = self.name in LOWER_IS_BETTER

    def value(self, model: Recommender, progress: Progress) -> float:
        """Fit a new copy, and judge it by the validation rows. Raises: PenchantError: there is no such figure."""
        fitted = fit_on(model, self.task, progress=progress)
        found = judge(fitted, self.question, k=self.k, figures=[self.name]).figures.get(self.figure, math.nan)
        if not math.isfinite(found):
            raise PenchantError(f"{self.figure} is {found} on the validation rows: judge by another figure")
        return found


class _Pruned(Exception):  # noqa: N818 - no error: a trial that is not worth going on with
    """Raised inside of `fit` to end a trial."""


class _Watching(SilentProgress):
    """Tells a trial the validation figure of each epoch, and ends it where it falls behind."""

    def __init__(self, trial: Any, sign: float) -> None:
        self.trial, self.sign, self.epoch = trial, sign, 0

    def step(self, n: int = 1, **figures: float) -> None:
        """A figure named ``valid`` ends an epoch."""
        if "valid" not in figures or not math.isfinite(figures["valid"]):
            return
        self.trial.report(self.sign * figures["valid"], self.epoch)
        self.epoch += 1
        if self.trial.should_prune():
            raise _Pruned


class _Run:
    """One run of a study."""

    def __init__(self, optuna: Any, study: Any, model: Recommender, axes: Search, goal: _Goal, rng: int) -> None:
        self.optuna, self.study, self.model, self.axes, self.goal, self.rng = optuna, study, model, axes, goal, rng
        self.states = optuna.trial.TrialState
        self.error: PenchantError | None = None

    def finished(self) -> list[Any]:
        """Trials that came to an end of their own: told, pruned, or failed with a reason."""
        ends = (self.states.COMPLETE, self.states.PRUNED)
        return [t for t in self.study.trials if t.state in ends or "error" in t.user_attrs]

    def go(self, n_trials: int, timeout: float | None, shown: Progress) -> None:
        """Run trials until there are ``n_trials``."""
        began = time.monotonic()
        for trial in self.study.trials:
            if trial.state == self.states.RUNNING:  # of a run that was broken off
                self.study.tell(trial.number, state=self.states.FAIL)
        done = len(self.finished())
        shown.start(n_trials, "tuning")
        shown.step(min(done, n_trials))
        try:
            for number in range(done, n_trials):
                if timeout is not None and time.monotonic() - began > timeout:
                    break
                self._one(number)
                best = self.best()
                shown.step(1, **({} if best is None else {"best": best.value}))
        finally:
            shown.finish()

    def _one(self, number: int) -> None:
        """The trial of this number: its seed, and so its options, depend on the earlier ones and the number alone."""
        if number == 0 and not any(t.state == self.states.WAITING for t in self.study.trials):
            self.study.enqueue_trial(self._start())
        seed = seed_of(self.rng, "tune", str(number)) % 2**32
        self.study.sampler = self.optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
        trial = self.study.ask()
        tried = type(self.model)(**self.model.get_params(deep=False))
        began = time.perf_counter()
        try:
            tried.set_params(**{name: self._suggest(trial, name) for name in self.axes})
            value = self.goal.value(tried, _Watching(trial, -1.0 if self.goal.lower else 1.0))
        except _Pruned:
            self._note(trial, began)
            self.study.tell(trial, state=self.states.PRUNED)
        except PenchantError as error:
            self.error = error
            trial.set_user_attr("error", str(error))
            self._note(trial, began)
            self.study.tell(trial, state=self.states.FAIL)
        else:
            self._note(trial, began)
            self.study.tell(trial, value)

    def _note(self, trial: Any, began: float) -> None:
        trial.set_user_attr("seconds", round(time.perf_counter() - began, 3))

    def _start(self) -> dict[str, Any]:
        """The model's own options, where they lie inside the search."""
        own = self.model.get_params()
        return {
            name: json.dumps(own[name]) if isinstance(axis, Choices) else own[name]
            for name, axis in self.axes.items()
            if axis.holds(own[name])
        }

    def _suggest(self, trial: Any, name: str) -> Any:
        axis = self.axes[name]
        if isinstance(axis, Choices):
            return axis.words()[trial.suggest_categorical(name, list(axis.words()))]
        draw = trial.suggest_int if axis.whole else trial.suggest_float
        return draw(name, axis.low, axis.high, log=axis.log)

    def best(self) -> Any:
        """The best trial that is complete; None before the first."""
        complete = [t for t in self.study.trials if t.state == self.states.COMPLETE]
        return (min if self.goal.lower else max)(complete, key=lambda t: t.value) if complete else None

    def tuned(self, facts: dict[str, Any]) -> Tuned:
        """What was found. Raises: PenchantError: nothing."""
        best = self.best()
        if best is None:
            raise self.error or PenchantError("no trial came to its end: give more of them, or more time")
        found = type(self.model)(**self.model.get_params(deep=False))
        found.set_params(**{name: self._read(name, value) for name, value in best.params.items()})
        return Tuned(
            model=found, figure=self.goal.figure, value=best.value, trials=self._table(), facts=facts,
        )  # fmt: skip

    def _read(self, name: str, value: Any) -> Any:
        axis = self.axes[name]
        return axis.words()[value] if isinstance(axis, Choices) else value

    def _table(self) -> pl.DataFrame:
        rows = []
        for number, trial in enumerate(self.finished()):
            value = trial.value if trial.state == self.states.COMPLETE else None
            state = "failed" if trial.state == self.states.FAIL else trial.state.name.lower()
            tried = [trial.params.get(name) for name in self.axes]
            options = [_shown(axis, value) for axis, value in zip(self.axes.values(), tried, strict=True)]
            rows.append((number, state, value, trial.user_attrs.get("seconds"), *options))
        kinds = {"trial": pl.Int64, "state": pl.String, "value": pl.Float64, "seconds": pl.Float64}
        kinds |= {name.replace("__", "."): _type(axis) for name, axis in self.axes.items()}
        return pl.DataFrame(rows, schema=kinds, orient="row")


def _type(axis: Axis) -> type[pl.DataType]:
    """Of an option's column: numbers where all values are, else text."""
    ends = axis.ends()
    if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        return pl.Int64
    return pl.Float64 if all(type(end) in (int, float) for end in ends) else pl.String


def _shown(axis: Axis, value: Any) -> Any:
    """An option of a trial as it stands in the table."""
    if value is None or not isinstance(axis, Choices) or _type(axis) is pl.String:
        return value
    return axis.words()[value]
