"""How the peers' settings in `_settings.py` were found: ``python benchmarks/label_prediction.py --tune``.

One axis after the other, in the order below, with the best so far of the others: from where an axis stands
upwards as long as that helps, else downwards. One seed; the validation AUC alone decides (the test rows are
never looked at), and a step must win more than a fifth of a thousandth.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from _movielens import Arrays
from _peers import Setting, train_neural
from _trees import TreeSetting, train_trees

from penchant.evaluation import auc

__all__ = ["AXES", "TREE_AXES", "tune_neural", "tune_trees"]

AXES: dict[str, tuple[Any, ...]] = {
    "learning_rate": (2.5e-4, 5e-4, 1e-3, 2e-3, 5e-3),
    "weight_decay": (0.0, 1e-6, 1e-5, 5e-5, 2e-4),
    "embed_dim": (4, 8, 16, 32, 64, 128),
    "dropout": (0.0, 0.2, 0.5),
    "bins": (20, 50, 100, 200, 500),
    "init": (1e-4, 1e-2),
    "layers": (1, 2, 3),
    "average": (0.0, 0.99),
}
TREE_AXES: dict[str, tuple[Any, ...]] = {
    "learning_rate": (0.02, 0.05, 0.1, 0.2),
    "max_leaf_nodes": (15, 31, 63, 127, 255),
    "min_samples_leaf": (5, 20, 50, 100),
    "l2_regularization": (0.0, 1.0, 10.0),
    "max_features": (0.3, 0.6, 1.0),
    "smooth": (2.0, 5.0, 20.0, 50.0),
}
_BY = 0.0002

_NO_AXIS = {
    "LR": ("embed_dim", "dropout", "layers"),
    "FM": ("dropout", "layers"),
    "DeepFM": ("layers",),
}
"""What a peer does not have."""

_S = TypeVar("_S", Setting, TreeSetting)


def tune_neural(name: str, data: Arrays, start: Setting = Setting()) -> Iterator[tuple[Setting, float]]:
    """Every setting of a torch-rechub model that is tried, with its validation AUC; at the end the best."""
    axes = {axis: values for axis, values in AXES.items() if axis not in _NO_AXIS.get(name, ())}

    def judge(tried: Setting) -> float:
        return _figure(data, train_neural(name, data, tried, seed=0).valid)

    return _climb(start, axes, judge)


def tune_trees(data: Arrays, start: TreeSetting = TreeSetting()) -> Iterator[tuple[TreeSetting, float]]:
    """As `tune_neural`, for the boosted trees."""
    return _climb(start, TREE_AXES, lambda setting: _figure(data, train_trees(data, setting, seed=0).valid))


def _figure(data: Arrays, probability: np.ndarray) -> float:
    return auc(data.label[data.parts[1]].astype(np.float64), probability)


def _climb(best: _S, axes: Mapping[str, Sequence[Any]], judge: Callable[[_S], float]) -> Iterator[tuple[_S, float]]:
    figure = judge(best)
    yield best, figure
    for axis, values in axes.items():
        here = values.index(getattr(best, axis))
        for way in (values[here + 1 :], values[:here][::-1]):
            moved = False
            for value in way:
                tried = replace(best, **{axis: value})
                found = judge(tried)
                yield tried, found
                if found <= figure + _BY:
                    break
                best, figure, moved = tried, found, True
            if moved:
                break
    yield best, figure
