"""Where to look: the options that are tried, with their ranges. Written out for every model; a TOML file overrules.

learning_rate  = { low = 5e-4, high = 1e-2, log = true }
space.dim      = { choices = [32, 64, 128] }
encoder.hidden = { choices = [[], [64], [64, 64]] }
"""

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.errors import ConfigError
from penchant.recommender import Recommender

__all__ = ["SEARCHES", "Axis", "Choices", "Range", "Search", "check_search", "read_search", "search_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from ``low`` to ``high``, ends included; whole ones where both ends are."""

    low: float | int
    """The least."""
    high: float | int
    """The largest."""
    log: bool = False
    """Evenly on a logarithmic scale? Then ``low`` is above 0."""

    def __post_init__(self) -> None:
        numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (self.low, self.high))
        if not numbers or not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigError(f"low = {self.low!r}, high = {self.high!r}: two finite numbers expected, the first less")
        if self.log and self.low <= 0:
            raise ConfigError(f"low = {self.low}: a number above 0 expected on a logarithmic scale")

    @property
    def whole(self) -> bool:
        """Whole numbers only?"""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: Any) -> bool:
        """Is this value inside?"""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        return bool(self.low <= value <= self.high)

    def ends(self) -> tuple[Any, ...]:
        """The outermost values."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Choices:
    """One of a few values."""

    values: tuple[Any, ...]
    """Numbers, words, true or false, or tuples of them; at least two."""

    def __post_init__(self) -> None:
        if len(self.values) < 2 or len(set(map(repr, self.values))) < len(self.values):
            raise ConfigError(f"choices = {list(self.values)}: two or more different values expected")

    def words(self) -> dict[str, Any]:
        """Each value by its text, which names it in a study."""
        return {json.dumps(value): value for value in self.values}

    def holds(self, value: Any) -> bool:
        """Is this value one of them?"""
        return json.dumps(value) in self.words() if isinstance(value, str | int | float | tuple) else False

    def ends(self) -> tuple[Any, ...]:
        """All of them."""
        return self.values


Axis = Range | Choices
Search = Mapping[str, Axis]
"""By names as in `Recommender.set_params`: ``learning_rate``, ``loss__delta``."""

SEARCHES: dict[str, dict[str, Axis]] = {
    "Penchant": {
        "learning_rate": Range(low=5e-4, high=1e-2, log=True),
        "weight_decay": Range(low=1e-3, high=1.0, log=True),
        "batch_size": Choices((256, 512, 1024, 2048)),
        "space__dim": Choices((16, 32, 64, 128, 200)),
        "space__norm": Choices((2.0, 4.0, 8.0)),
        "encoder__hidden": Choices(((), (64,), (64, 64), (128, 64))),
        "encoder__embedding_dim": Choices((8, 16, 32)),
        "encoder__dropout": Range(low=0.0, high=0.5),
        "encoder__history_dropout": Range(low=0.0, high=0.7),
        "loss__delta": Range(low=1.0, high=30.0, log=True),
    },
    "LogisticRegression": {"penalty": Range(low=1e-3, high=100.0, log=True)},
    "Popular": {"smoothing": Range(low=0.1, high=1000.0, log=True)},
    "ItemKNN": {"neighbours": Range(low=5, high=1000, log=True), "shrinkage": Range(low=0.1, high=1000.0, log=True)},
    "UserKNN": {"neighbours": Range(low=5, high=1000, log=True), "shrinkage": Range(low=0.1, high=1000.0, log=True)},
    "EASE": {"penalty": Range(low=1.0, high=1e4, log=True)},
    "MF": {
        "dim": Choices((16, 32, 64, 128, 256)),
        "unobserved": Range(low=1e-3, high=1.0, log=True),
        "penalty": Range(low=1e-4, high=1.0, log=True),
        "exponent": Range(low=0.0, high=1.0),
        "epochs": Range(low=5, high=50),
    },
    "FM": {
        "dim": Choices((8, 16, 32, 64)),
        "weight_decay": Range(low=1e-3, high=1.0, log=True),
        "learning_rate": Range(low=1e-3, high=5e-2, log=True),
        "negatives": Range(low=1, high=20, log=True),
    },
    "CML": {
        "dim": Choices((32, 64, 100, 200)),
        "margin": Range(low=0.1, high=2.0, log=True),
        "covariance": Range(low=0.1, high=100.0, log=True),
        "learning_rate": Range(low=1e-2, high=0.5, log=True),
        "epochs": Range(low=10, high=100),
    },
    "TransCF": {
        "dim": Choices((32, 64, 100, 200)),
        "margin": Range(low=0.1, high=2.0, log=True),
        "neighbourhood": Range(low=1e-2, high=1.0, log=True),
        "nearness": Range(low=1e-2, high=1.0, log=True),
        "learning_rate": Range(low=1e-2, high=0.5, log=True),
        "epochs": Range(low=10, high=100),
    },
    "MultVAE": {
        "dim": Choices((64, 100, 200)),
        "hidden": Choices(((), (200,), (600,))),
        "dropout": Range(low=0.2, high=0.8),
        "beta": Range(low=0.01, high=1.0, log=True),
        "learning_rate": Range(low=2e-4, high=5e-3, log=True),
    },
}
"""What is tried where nothing else is said, by the model's class. Each holds the class's own defaults."""


def search_of(model: Recommender) -> dict[str, Axis]:
    """What is tried for this model where nothing else is said: of `SEARCHES`, the options it has as it is configured
    (a space of Gaussians has no norm).

    Raises: ConfigError: none is written out for it.
    """
    name = type(model).__name__
    if name not in SEARCHES:
        raise ConfigError(f"search: none is written out for {name}: give one, {{option: Range(…) or Choices(…)}}")
    known = model.get_params()
    return {option: axis for option, axis in SEARCHES[name].items() if option in known}


def check_search(search: Search, model: Recommender) -> None:
    """Hold a search against the options of a model: names, and the outermost values.

    Raises:
        ConfigError: nothing to try, an unknown option, or a value that its group refuses.
    """
    if not search:
        raise ConfigError("search: at least one option to try expected")
    for name, axis in search.items():
        for value in axis.ends():
            try:
                type(model)(**model.get_params(deep=False)).set_params(**{name: value})
            except ConfigError as error:
                raise ConfigError(f"search: {error}") from error


def read_search(path: Path, start: Search | None = None) -> dict[str, Axis]:
    """A search from a TOML file; what the file says of an option replaces what ``start`` says.

    ``option = false`` leaves an option of ``start`` out.

    Raises:
        ConfigError: no TOML, or an option with neither a range nor choices.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error})") from error
    search = dict(start or {})
    for name, given in _options(found, ""):
        if given is False:
            search.pop(name, None)
        else:
            search[name] = _axis(given, f"{path}: {name.replace('__', '.')}")
    return search


def _options(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Options with what is said of them; groups are tables that say neither low nor choices."""
    for name, value in table.items():
        if isinstance(value, Mapping) and value and not {"low", "high", "choices"} & set(value):
            yield from _options(value, f"{prefix}{name}__")
        else:
            yield prefix + name, value


def _axis(given: Any, where: str) -> Axis:
    words = "{ low = 1, high = 10, log = true } or { choices = [1, 2] }"
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: {words} expected, got {given!r}")
    try:
        if set(given) == {"choices"} and isinstance(given["choices"], list):
            return Choices(tuple(map(_frozen, given["choices"])))
        if {"low", "high"} <= set(given) <= {"low", "high", "log"} and isinstance(given.get("log", False), bool):
            return Range(**given)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    raise ConfigError(f"{where}: {words} expected, got {dict(given)}")


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
