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

    In scikit-learn's manners: the constructor takes keywords only and stores them as they are; `fit` learns and returns self; what was
    learned sits in ``_fitted``.
    """

    serves_new_users: ClassVar[bool]
    """Can it serve users who are not in the training rows?"""
    serves_new_items: ClassVar[bool]
    """Can it rank items that are not in the training rows?"""
    personal: ClassVar[bool]
    """Do two users get different rankings?"""

    _fitted: Any = None

    @abstractmethod
    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Learn from the interactions of ``train``; ``valid`` is for stopping and calibration where these are done."""

    @abstractmethod
    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """One row an interaction, in order: user key, item key, ``probability`` of a like in [0, 1]."""

    @abstractmethod
    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The best ``n`` items of each user: user key, ``rank`` from 1, item key, ``score`` falling, and what a model adds."""

    def _check_fitted(self) -> Any:
        """What was learned.

        Raises:
            NotFittedError: before `fit`.
        """
        if self._fitted is None:
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet: call fit(train, valid), or load a model")
        return self._fitted

    @classmethod
    def _names(cls) -> list[str]:
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
        """Change arguments of the constructor; ``loss__delta=3`` changes one field of a group.

        Raises:
            ConfigError: an unknown name, with the nearest known one; a value a group refuses.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f": did you mean {near[0]}?" if near else f": one of {', '.join(self._names())}"
                raise ConfigError(f"{type(self).__name__} has no option {name}{hint}")
        for name, value in params.items():
            group, _, field = name.partition("__")
            setattr(self, group, dataclasses.replace(getattr(self, group), **{field: value}) if field else value)
        return self

    def __repr__(self) -> str:
        defaults = {n: p.default for n, p in inspect.signature(type(self).__init__).parameters.items() if n != "self"}
        changed = ", ".join(f"{n}={v!r}" for n, v in self.get_params(deep=False).items() if v != defaults[n])
        return f"{type(self).__name__}({changed})"
