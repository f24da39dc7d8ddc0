"""Portraits: what a ball of the space says when it is read back into words."""

from penchant.portraits._question import Bound
from penchant.portraits._shown import in_words
from penchant.portraits.details import Details, find_details
from penchant.portraits.explain import Explanation, Pair, explain
from penchant.portraits.freedoms import Free, free_region, known_values
from penchant.portraits.group_portrait import GroupPortrait, Part, liked_more
from penchant.portraits.groups import Group, find_common_taste
from penchant.portraits.interest import Interest
from penchant.portraits.likes import LikedMeans, Likes, liked_means
from penchant.portraits.linear import LinearReading, fit_linear
from penchant.portraits.page import html_page
from penchant.portraits.past import Others, Pairs, Past, past_of
from penchant.portraits.portrait import Portrait
from penchant.portraits.radius import Radius, least_radius, resolve_radius
from penchant.portraits.read import likely_values, read_portrait, usual_words
from penchant.portraits.reading import ENOUGH, PROMISED, Evidence, Reading, fit_reading
from penchant.portraits.verdict import Verdict
from penchant.portraits.what_if import WhatIf, moved_features

__all__ = [
    "ENOUGH",
    "PROMISED",
    "Bound",
    "Details",
    "Evidence",
    "Explanation",
    "Free",
    "Group",
    "GroupPortrait",
    "Interest",
    "LikedMeans",
    "Likes",
    "LinearReading",
    "Others",
    "Pair",
    "Pairs",
    "Part",
    "Past",
    "Portrait",
    "Radius",
    "Reading",
    "Verdict",
    "WhatIf",
    "explain",
    "find_common_taste",
    "find_details",
    "fit_linear",
    "fit_reading",
    "free_region",
    "html_page",
    "in_words",
    "known_values",
    "least_radius",
    "liked_means",
    "liked_more",
    "likely_values",
    "moved_features",
    "past_of",
    "read_portrait",
    "resolve_radius",
    "usual_words",
]
