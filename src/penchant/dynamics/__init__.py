"""Dynamics: interest that moves. A user's point is a belief, moved by likes, dislikes and time, without retraining.

Functions are pure: a belief and an event go in, a belief comes out.
"""

from penchant.dynamics.batch import posterior, posteriors
from penchant.dynamics.belief import Belief, Dynamics, begin, check_points, point
from penchant.dynamics.box import Explained, explained_by, split_interests
from penchant.dynamics.credible import credible_radius
from penchant.dynamics.dislike import Neck, update_dislike, update_ignored, update_like_logistic
from penchant.dynamics.filter import Anchor, InterestFilter, Moved
from penchant.dynamics.fit import Likes, fit_dynamics, fit_segments, marginal_log_likelihood
from penchant.dynamics.generosity import Generosity, begin_generosity, update_generosity
from penchant.dynamics.kalman import log_likelihood, observe_like, predict, update_like
from penchant.dynamics.mixture import (
    Interests,
    InterestsOptions,
    begin_interests,
    observe_interests,
    predict_interests,
)
from penchant.dynamics.segments import Segments
from penchant.dynamics.smoothing import Trajectory, smooth

__all__ = [
    "Anchor",
    "Belief",
    "Dynamics",
    "Explained",
    "Generosity",
    "InterestFilter",
    "Interests",
    "InterestsOptions",
    "Likes",
    "Moved",
    "Neck",
    "Segments",
    "Trajectory",
    "begin",
    "begin_generosity",
    "begin_interests",
    "check_points",
    "credible_radius",
    "explained_by",
    "fit_dynamics",
    "fit_segments",
    "log_likelihood",
    "marginal_log_likelihood",
    "observe_interests",
    "observe_like",
    "point",
    "posterior",
    "posteriors",
    "predict",
    "predict_interests",
    "smooth",
    "split_interests",
    "update_dislike",
    "update_generosity",
    "update_ignored",
    "update_like",
    "update_like_logistic",
]
