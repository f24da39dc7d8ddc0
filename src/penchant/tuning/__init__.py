"""Tuning: the options of any recommender, looked for on the validation rows of any protocol (extra ``tune``)."""

from penchant.tuning.search import SEARCHES, Axis, Choices, Range, Search, check_search, read_search, search_of
from penchant.tuning.study import tune
from penchant.tuning.tuned import Tuned

__all__ = [
    "SEARCHES",
    "Axis",
    "Choices",
    "Range",
    "Search",
    "Tuned",
    "check_search",
    "read_search",
    "search_of",
    "tune",
]
