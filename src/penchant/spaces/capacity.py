"""How many mutually distant points fit: for choosing a cap and a dimension."""

from fractions import Fraction

from penchant.errors import ConfigError

__all__ = ["capacity"]


def capacity(cap: float, dim: int, side: float = 2.0) -> int:
    """The largest set of points with pairwise sup-norm distance ≥ ``cap`` in a box: (⌊side / cap⌋ + 1)^dim, attained by the grid.

    Arguments:
        cap: distance a > 0.
        dim: axes k ≥ 1.
        side: side of the box: 2 for tanh, 1 for sigmoid.

    Raises:
        ConfigError: an argument outside its range.

    Example:
        >>> capacity(0.5, 3)
        125
    """
    if not cap > 0 or not side > 0 or dim < 1:
        raise ConfigError(f"capacity({cap}, {dim}, {side}): cap and side above 0 and dim at least 1 expected")
    # decimals as written, not as stored: 2 / 0.1 is 20 and not 19.999…
    per_axis = Fraction(repr(float(side))) // Fraction(repr(float(cap))) + 1
    return int(per_axis) ** dim
