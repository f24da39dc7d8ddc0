"""Spaces: bounded boxes with a distance. Pure geometry: nothing here learns.

`Space` is the uniform metric, the house's default; `KINDS` names every space there is.
"""

from penchant.spaces.ball import Ball, Box, Intersection, intersection
from penchant.spaces.base import BaseSpace
from penchant.spaces.capacity import capacity
from penchant.spaces.gaussian import METRICS, GaussianSpace
from penchant.spaces.prepared import PreparedPoints
from penchant.spaces.uniform import UniformSpace

Space = UniformSpace

__all__ = [
    "KINDS",
    "METRICS",
    "Ball",
    "BaseSpace",
    "Box",
    "GaussianSpace",
    "Intersection",
    "PreparedPoints",
    "Space",
    "UniformSpace",
    "capacity",
    "intersection",
]

KINDS: dict[str, type[BaseSpace]] = {"uniform": UniformSpace, "gaussian": GaussianSpace}
