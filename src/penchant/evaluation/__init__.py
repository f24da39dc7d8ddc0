"""Evaluation: figures for yes/no predictions."""

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

__all__ = [
    "accuracy",
    "auc",
    "brier",
    "calibration_curve",
    "calibration_error",
    "evaluate_binary",
    "logloss",
    "user_auc",
]
