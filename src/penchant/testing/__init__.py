"""The laws that penchant's interchangeable parts keep, for holding your own parts against them.

Each is a plain function that raises AssertionError with the law that is broken; use them in your tests.
"""

from penchant.testing.kinds import check_kind
from penchant.testing.models import check_model, check_resumed
from penchant.testing.recommenders import check_recommender, checkerboard

__all__ = [
    "check_kind",
    "check_model",
    "check_recommender",
    "check_resumed",
    "checkerboard",
]
