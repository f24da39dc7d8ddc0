"""Gradient-boosted trees: scikit-learn's HistGradientBoostingClassifier.

gender and occupation are its own categorical features; zip, user and film have more values than its 255 bins
and are given as their mean label, cross-fitted on the training rows (scikit-learn's TargetEncoder); genres
are 19 yes/no columns. The number of trees is the one with the best validation AUC, as the epoch is for the
others.
"""

from dataclasses import dataclass

import numpy as np
from _movielens import Arrays
from _peers import Prediction
from jaxtyping import Float64
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from penchant.evaluation import auc

__all__ = ["TreeSetting", "train_trees"]

_MOST = 255
_TREES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSetting:
    """What is tuned on the validation rows."""

    learning_rate: float = 0.1
    max_leaf_nodes: int = 31
    min_samples_leaf: int = 20
    l2_regularization: float = 0.0
    max_features: float = 1.0
    """Share of the columns that a split may choose from; below 1 the seed matters."""
    smooth: float = 20.0
    """Rows of the overall mean that are mixed into the mean label of a value."""


def train_trees(data: Arrays, setting: TreeSetting, *, seed: int) -> Prediction:
    """Boost up to 1,500 trees; the number with the best validation AUC counts."""
    columns, categorical = _columns(data, setting, seed)
    train, valid, test = data.parts
    model = HistGradientBoostingClassifier(
        learning_rate=setting.learning_rate,
        max_iter=_TREES,
        max_leaf_nodes=setting.max_leaf_nodes,
        min_samples_leaf=setting.min_samples_leaf,
        l2_regularization=setting.l2_regularization,
        max_features=setting.max_features,
        categorical_features=categorical,
        early_stopping=False,
        random_state=seed,
    ).fit(columns[train], data.label[train] > 0.5)
    label = data.label[valid].astype(np.float64)
    figures = [auc(label, p[:, 1]) for p in model.staged_predict_proba(columns[valid])]
    best = int(np.argmax(figures))
    for n, (here, there) in enumerate(
        zip(model.staged_predict_proba(columns[valid]), model.staged_predict_proba(columns[test]), strict=True)
    ):
        if n == best:
            return Prediction(here[:, 1], there[:, 1], n + 1)
    raise AssertionError("no tree was grown")


def _columns(data: Arrays, setting: TreeSetting, seed: int) -> tuple[Float64[np.ndarray, "n c"], list[bool]]:
    """Every field as columns, and which of them are categories."""
    n_train = data.ends[0]
    columns, categorical = [], []
    for name, codes in data.codes.items():
        small = data.sizes[name] <= _MOST
        columns.append(codes.astype(np.float64) if small else _mean_label(codes, data, setting, seed))
        categorical.append(small)
    columns += [values.astype(np.float64) for values in data.numbers.values()]
    genres = np.zeros((len(data.label), data.n_genres + 1))
    np.put_along_axis(genres, data.genres, 1.0, axis=1)
    columns += list(genres[:, 1:].T)
    assert n_train <= len(data.label)
    return np.column_stack(columns), categorical + [False] * (len(columns) - len(categorical))


def _mean_label(codes: np.ndarray, data: Arrays, setting: TreeSetting, seed: int) -> Float64[np.ndarray, " n"]:
    n_train = data.ends[0]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    encoder = TargetEncoder(target_type="binary", smooth=setting.smooth, cv=folds)
    label = data.label[:n_train] > 0.5
    inside = encoder.fit_transform(codes[:n_train, None], label)
    return np.concatenate([inside, encoder.transform(codes[n_train:, None])])[:, 0]
