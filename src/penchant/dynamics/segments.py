"""Users whose interest moves otherwise: constants of the motion by the value of a column."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Int

from penchant.dynamics.belief import Dynamics

__all__ = ["Segments"]


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Constants of their own for users with some values of a column; all others have those of everyone.

    Example:
        >>> quick = Segments(column="age", constants={"young": Dynamics(half_life=3.0)})
        >>> quick.of("young").half_life, quick.of("old")
        (3.0, None)
    """

    column: str | None = None
    """Column of the users; None: there are no segments."""
    constants: Mapping[str, Dynamics] = field(default_factory=dict)
    """Value, as text, to constants."""

    def of(self, value: object) -> Dynamics | None:
        """The constants of users with this value; None: everyone's."""
        return None if value is None else self.constants.get(str(value))

    def groups(self, values: Sequence[object], everyone: Dynamics) -> Iterator[tuple[Int[np.ndarray, " n"], Dynamics]]:
        """Users in batches of like constants: rows, and the constants to move them with, everyone's first.

        Arguments:
            values: the column's, one a user.
        """
        names = [str(value) if self.of(value) is not None else None for value in values]
        batches: dict[str | None, list[int]] = {None: [], **{name: [] for name in sorted(self.constants)}}
        for row, name in enumerate(names):
            batches[name].append(row)
        for name, rows in batches.items():
            if rows:
                yield np.array(rows), everyone if name is None else self.constants[name]

    def config(self) -> dict[str, Any]:
        """Plain values, to be written down; `from_config` gives it back."""
        return {"column": self.column, "constants": {name: one.config() for name, one in self.constants.items()}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Segments":
        """From plain values. Raises: ConfigError: constants out of range."""
        constants = {name: Dynamics.from_config(one) for name, one in config.get("constants", {}).items()}
        return cls(column=config.get("column"), constants=constants)
