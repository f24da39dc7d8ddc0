"""Spaces: bounded boxes with a distance. Pure geometry: nothing here learns.

`Space` is the uniform metric, the house's default; `KINDS` names every space there is.
"""

from penchant.spaces.ball import Ball, Box, Intersection, intersection
from penchant.spaces.base import BaseSpace
from penchant.spaces.capacity import capacity
from penchant.spaces.gaussian import GaussianSpace
from penchant.spaces.uniform import UniformSpace

Space = UniformSpace

__all__ = [
    "KINDS",
    "Ball",
    "BaseSpace",
    "Box",
    "GaussianSpace",
    "Intersection",
    "Space",
    "UniformSpace",
    "capacity",
    "intersection",
]

KINDS: dict[str, type[BaseSpace]] = {"uniform": UniformSpace, "gaussian": GaussianSpace}
