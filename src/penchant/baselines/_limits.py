"""What numbers an option may have."""

import math

from penchant.errors import ConfigError

__all__ = ["check_count", "check_number"]


def check_count(name: str, value: int) -> None:
    """Raises:
    ConfigError: not a whole number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} = {value!r}: a whole number >= 1 expected")


def check_number(name: str, value: float, *, above: bool = False) -> None:
    """Raises:
    ConfigError: infinite, or below 0; with ``above``: 0.
    """
    if not (0 <= value < math.inf and (value > 0 or not above)):
        raise ConfigError(f"{name} = {value}: a number {'above 0' if above else '>= 0'} expected")
