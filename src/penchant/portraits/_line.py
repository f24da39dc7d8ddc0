"""A line with its band, drawn as SVG: no script, nothing loaded, its meaning in words for those who do not see it."""

import html

import numpy as np
from jaxtyping import Float

__all__ = ["svg_line"]

_WIDTH, _HEIGHT = 560, 120
_MOST = 400
"""Points that are drawn; of more, every so many."""


def svg_line(value: Float[np.ndarray, " n"], band: Float[np.ndarray, " n"], *, said: str) -> str:
    """Values ≥ 0 in their order, with value ± band behind the line; ``said`` is read out."""
    if len(value) > _MOST:
        kept = np.linspace(0, len(value) - 1, _MOST).round().astype(int)
        value, band = value[kept], band[kept]
    low, high = np.maximum(value - band, 0.0), value + band
    most = max(float(high.max()), 1e-12)
    x = np.linspace(0, _WIDTH, len(value))

    def places(y: Float[np.ndarray, " n"], order: slice = slice(None)) -> str:
        down = _HEIGHT * (1 - y / most)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[order], down[order], strict=True))

    return (
        f"<figure><svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' style='width:100%;max-width:{_WIDTH}px'>"
        f"<title>{html.escape(said)}</title>"
        f"<polygon points='{places(high)} {places(low, slice(None, None, -1))}' fill='currentColor' opacity='.15'/>"
        f"<polyline points='{places(value)}' fill='none' stroke='currentColor' stroke-width='2'/></svg>"
        f"<figcaption>{html.escape(said)} Highest: {most:.3f}.</figcaption></figure>"
    )
