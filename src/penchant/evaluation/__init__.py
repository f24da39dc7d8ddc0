"""Evaluation: figures for yes/no predictions and for top-n lists, beyond accuracy too, and whether they differ."""

from penchant.evaluation.beyond import coverage, evaluate_beyond, gini, intra_list_distance, novelty
from penchant.evaluation.binary import (
    accuracy,
    auc,
    brier,
    calibration_curve,
    calibration_error,
    evaluate_binary,
    logloss,
    user_auc,
)
from penchant.evaluation.comparison import compare, evaluate_recommender, recommended_lists
from penchant.evaluation.lists import Lists, lists_from_frames
from penchant.evaluation.ranking import (
    RANKING,
    average_precision,
    evaluate_ranking,
    evaluate_users,
    hit_rate,
    ndcg,
    plain_recall,
    precision,
    recall,
    reciprocal_rank,
)
from penchant.evaluation.significance import Comparison, compare_paired

__all__ = [
    "RANKING",
    "Comparison",
    "Lists",
    "accuracy",
    "auc",
    "average_precision",
    "brier",
    "calibration_curve",
    "calibration_error",
    "compare",
    "compare_paired",
    "coverage",
    "evaluate_beyond",
    "evaluate_binary",
    "evaluate_ranking",
    "evaluate_recommender",
    "evaluate_users",
    "gini",
    "hit_rate",
    "intra_list_distance",
    "lists_from_frames",
    "logloss",
    "ndcg",
    "novelty",
    "plain_recall",
    "precision",
    "recall",
    "reciprocal_rank",
    "recommended_lists",
    "user_auc",
]
