"""What the code is held against: naive derivations, in sixty digits, fractions or float64."""

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

_CONTEXT = decimal.Context(prec=60, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)
_STEP = Decimal("1e-20")


def _distance(x: Sequence[Decimal], y: Sequence[Decimal], r: float) -> Decimal:
    sizes = [abs(a - b) for a, b in zip(x, y, strict=True)]
    if math.isinf(r) or not any(sizes):
        return max(sizes)
    power = Decimal(r)
    return (sum((size**power for size in sizes if size), Decimal(0)) / len(sizes)) ** (1 / power)


def distance(x: Sequence[float], y: Sequence[float], r: float) -> float:
    """(mean |x_j - y_j|^r)^(1/r) of the numbers as they are, in sixty digits: nothing cancels or underflows."""
    with decimal.localcontext(_CONTEXT):
        return float(_distance([Decimal(a) for a in x], [Decimal(b) for b in y], r))


def gradient(x: Sequence[float], y: Sequence[float], r: float) -> list[float]:
    """Of `distance` by x: central differences, good to thirty digits where it has a second derivative."""
    with decimal.localcontext(_CONTEXT):
        start, other = [Decimal(a) for a in x], [Decimal(b) for b in y]
        slopes = []
        for j in range(len(start)):
            ahead, behind = list(start), list(start)
            ahead[j] += _STEP
            behind[j] -= _STEP
            slopes.append(float((_distance(ahead, other, r) - _distance(behind, other, r)) / (2 * _STEP)))
        return slopes


def order_key(x: Sequence[float], y: Sequence[float], r: float) -> Fraction:
    """What orders as the distance does, as a fraction: ties are ties. For whole r and inf."""
    sizes = [abs(Fraction(a) - Fraction(b)) for a, b in zip(x, y, strict=True)]
    return max(sizes) if math.isinf(r) else sum((size ** int(r) for size in sizes), Fraction(0))


def slopes(f: Callable[[list[float]], float], at: Sequence[float], step: float = 1e-6) -> list[float]:
    """Central differences of any function, in float64."""
    out = []
    for j in range(len(at)):
        ahead, behind = list(at), list(at)
        ahead[j] += step
        behind[j] -= step
        out.append((f(ahead) - f(behind)) / (2 * step))
    return out
