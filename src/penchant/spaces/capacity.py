"""How many mutually distant points fit: for choosing a cap and a dimension."""

import math

from penchant.errors import ConfigError

__all__ = ["capacity"]


def capacity(cap: float, dim: int, side: float = 2.0) -> int:
    """The most points of a box with pairwise sup-norm distance ≥ a: (⌊D / a⌋ + 1)^k, attained by the grid.

    Arguments:
        cap: distance a > 0.
        dim: axes k ≥ 1.
        side: side D of the box: 2 for tanh, 1 for sigmoid.

    Returns:
        A whole number, exact however large.

    Raises:
        ConfigError: an argument outside its range.

    Example:
        >>> capacity(0.5, 3)
        125
        >>> capacity(0.1, 1)  # 2 / 0.1 is 20, whatever the last digits say
        21
    """
    if not cap > 0 or not 0 < side < math.inf or dim < 1:
        raise ConfigError(f"capacity({cap}, {dim}, {side}): cap and side above 0 and dim at least 1 expected")
    steps = side / cap
    whole = round(steps)
    # a ratio that misses a whole number by rounding alone is that number
    if not math.isclose(steps, whole, rel_tol=1e-12):
        whole = math.floor(steps)
    return (whole + 1) ** dim
