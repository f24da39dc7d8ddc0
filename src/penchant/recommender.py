"""The contract every recommender keeps: `Penchant`, the baselines, and whatever users bring along."""

import dataclasses
import difflib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import polars as pl

from penchant.errors import ConfigError, NotFittedError
from penchant.tables import Tables

__all__ = ["Recommender"]


class Recommender(ABC):
    """Learns from tables, predicts pairs, ranks items.

    In scikit-learn's manners: the constructor takes keywords only and stores them as they are; `fit` learns
    and returns self; what was learned sits in ``_fitted``, which is None before.
    `penchant.testing.check_recommender` holds an implementation against the laws.
    """

    serves_new_users: ClassVar[bool]
    """Can it serve users who are not in the training rows?"""
    serves_new_items: ClassVar[bool]
    """Can it rank items that are not in the training rows?"""
    personal: ClassVar[bool]
    """Do two users get different rankings?"""
    folds_in: ClassVar[bool] = False
    """Does `recommend` serve users who are in no table by what they liked, ``{"liked": ids}``, without retraining?"""

    _fitted: Any = None

    @abstractmethod
    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Learn from the interactions of ``train``; ``valid`` is for stopping and calibration, where done."""

    @abstractmethod
    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """One row an interaction, in order: user key, item key, ``probability`` of a like in [0, 1].

        Raises:
            NotFittedError: before `fit`.
        """

    @abstractmethod
    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The best ``n`` items of each user, best first.

        Arguments:
            users: ids of known users, one or many; models that serve new users take rows of features
                instead, ``{column: value}``, and those that fold in pasts, ``{"liked": ids, "disliked": ids}``.
            n: how many for each user, at least 1; fewer where not so many are left.
            exclude_seen: leave out the items of the user's training rows, and of a past that is folded in.
            candidates: ids of the items to choose from; None: all known items.

        Returns:
            Columns: user key ("row", counted from 0, for rows of features or pasts), ``rank`` from 1, item key,
            ``score``, which falls with the rank, and what a model adds.

        Raises:
            NotFittedError: before `fit`.
            UnknownIdError: an id in no table.
            ConfigError: n below 1.
        """

    def _check_fitted(self) -> Any:
        """What was learned.

        Raises:
            NotFittedError: before `fit`.
        """
        if self._fitted is None:
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted yet: call fit(train, valid), or load a model")
        return self._fitted

    @classmethod
    def _names(cls) -> list[str]:
        if cls.__init__ is object.__init__:
            return []
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments; ``deep``: also the fields of option groups, as ``loss__delta``."""
        params = {name: getattr(self, name) for name in self._names()}
        if deep:
            for name, value in list(params.items()):
                if dataclasses.is_dataclass(value) and not isinstance(value, type):
                    params |= {f"{name}__{f.name}": getattr(value, f.name) for f in dataclasses.fields(value)}
        return params

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor, all or none; ``loss__delta=3`` changes one field of a group.

        Raises:
            ConfigError: an unknown name, with the nearest known one; a value a group refuses.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ConfigError(self._no_option(name, known))
        changed = {name: value for name, value in params.items() if "__" not in name}
        fields: dict[str, dict[str, Any]] = {}
        for name in params.keys() - changed.keys():
            group, _, field = name.partition("__")
            fields.setdefault(group, {})[field] = params[name]
        for group, values in fields.items():
            changed[group] = dataclasses.replace(changed.get(group, getattr(self, group)), **values)
        for name, value in changed.items():  # nothing is set before all of it is known to be right
            setattr(self, name, value)
        return self

    def _no_option(self, name: str, known: dict[str, Any]) -> str:
        """The sentence for an option that is not there, or not yet."""
        group, _, field = name.partition("__")
        if field and group in known and known[group] is None:
            return f"{name}: {group} is None, so it has no {field}; set {group} as a whole, with its {field}"
        near = difflib.get_close_matches(name, known, 1)
        hint = f": did you mean {near[0]}?" if near else f": one of {', '.join(self._names())}"
        return f"{type(self).__name__} has no option {name}{hint}"

    def __repr__(self) -> str:
        known = inspect.signature(type(self).__init__).parameters
        params = self.get_params(deep=False)
        changed = ", ".join(f"{n}={v!r}" for n, v in params.items() if v != known[n].default)
        return f"{type(self).__name__}({changed})"
