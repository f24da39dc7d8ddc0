"""What tuning found: the best options, as a model, as a file, and every trial."""

import dataclasses
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from penchant._config import plain
from penchant.evaluation import LOWER_IS_BETTER
from penchant.recommender import Recommender

__all__ = ["Tuned", "changed_options", "to_toml"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuned:
    """The best of all trials."""

    model: Recommender
    """With the best options; not fitted."""
    figure: str
    """What was judged by, on the validation rows."""
    value: float
    """The best found. It is the best of many on rows that were looked at each time: judge the model on others."""
    trials: pl.DataFrame
    """trial (from 0), state (complete, pruned, failed), value (null unless complete), seconds, and each option."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How it was run: protocol, seed."""

    @property
    def lower_is_better(self) -> bool:
        """Of the figure."""
        return self.figure.partition("@")[0] in LOWER_IS_BETTER

    @property
    def options(self) -> dict[str, Any]:
        """The options of the best model that differ from its class's defaults; groups as dictionaries."""
        return changed_options(self.model)

    def to_toml(self) -> str:
        """The options, as ``penchant train --config`` takes them."""
        return to_toml(self.options)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "model": type(self.model).__name__,
            "figure": self.figure,
            "value": self.value,
            "options": plain(self.options),
            "trials": self.trials.to_dicts(),
            **self.facts,
        }

    def to_json(self) -> str:
        """The JSON form."""
        return json.dumps(self.to_dict(), ensure_ascii=False, default=str)


def changed_options(model: Recommender) -> dict[str, Any]:
    """The options that differ from the defaults of the model's class, groups as dictionaries.

    Example:
        >>> from penchant.baselines import EASE
        >>> changed_options(EASE(penalty=20.0))
        {'penalty': 20.0}
    """
    known = inspect.signature(type(model).__init__).parameters
    found: dict[str, Any] = {}
    for name, value in model.get_params(deep=False).items():
        default = known[name].default
        if dataclasses.is_dataclass(value) and type(value) is type(default):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            value = {key: each for key, each in fields.items() if each != getattr(default, key)}
            if value:
                found[name] = value
        elif value != default:
            found[name] = value
    return found


def to_toml(options: Mapping[str, Any]) -> str:
    """Options as TOML: single ones first, then a section for each group; no option is left out.

    Example:
        >>> print(to_toml({"loss": {"delta": 3.0}, "epochs": 5}), end="")
        epochs = 5
        <BLANKLINE>
        [loss]
        delta = 3.0
    """
    groups = {name: group for name, group in options.items() if isinstance(group, Mapping)}
    parts = ["".join(f"{name} = {_value(value)}\n" for name, value in options.items() if name not in groups)]
    for name, group in groups.items():
        parts.append(f"[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in group.items()))
    return "\n".join(part for part in parts if part)


def _value(value: Any) -> str:
    """A value of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # inf, -inf, nan are TOML's own words
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # all that TOML forbids and JSON does not
