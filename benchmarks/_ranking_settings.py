"""What is tried for each model of ``ranking.py``, and what was chosen on validation likes alone.

So many settings (`TRIALS`) are drawn at random from each model's space (the whole space where that is no larger), each
learned once and judged by NDCG@100 on the validation likes of fold 0, seed 0: ``python benchmarks/ranking.py --tune``.
SG-100K: penchant's space lies around the preset, which came from trials by hand on validation likes, with test figures
of another draw of the same users in sight. CiteULike-t: penchant's twelve settings were tried by hand, one change after
the other; MF had seven and VAECF, which takes minutes, one. ItemKNN's is the second best, by .0001.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from penchant import Space
from penchant._random import generator

__all__ = ["SETTINGS", "SPACES", "TRIALS", "drawn"]

TRIALS = 12
"""Settings tried for each model."""

Options = Mapping[str, Any]
_Space = dict[str, tuple[Any, ...]]

_SMALL: dict[str, _Space] = {
    "penchant": {
        "learning_rate": (1e-3, 2e-3),
        "weight_decay": (0.1, 0.3, 0.5),
        "encoder__history_dropout": (0.15, 0.3, 0.5),
        "loss__gamma": (0.0, 1.0, 10.0),
    },
    "ItemKNN": {"neighbours": (50, 200, 1000), "shrinkage": (0.0, 20.0, 100.0)},
    "EASE": {"penalty": (50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 500.0, 600.0, 800.0, 1000.0)},
    "MF": {"dim": (32, 64), "unobserved": (0.03, 0.1, 0.3), "penalty": (0.003, 0.01, 0.03)},
    "Mult-VAE": {"dim": (64, 200), "hidden": ((200,), (600,)), "beta": (0.0, 0.2), "dropout": (0.3, 0.5)},
    "CML": {"margin": (0.5, 1.0), "negatives": (5, 20), "epochs": (20, 40), "covariance": (10.0, 100.0)},
    "TransCF": {"margin": (0.5, 1.0), "negatives": (5, 20), "epochs": (20, 40), "neighbourhood": (0.01, 0.1)},
    "iALS (implicit)": {"factors": (32, 64), "regularization": (0.1, 1.0, 5.0), "alpha": (1.0, 5.0, 20.0)},
    "BPR (implicit)": {"factors": (32, 64), "learning_rate": (0.02, 0.05, 0.1), "regularization": (0.01, 0.03, 0.1)},
    "BPR (cornac)": {"factors": (32, 64), "learning_rate": (0.01, 0.03, 0.1), "regularization": (0.001, 0.01, 0.03)},
    "VAECF (cornac)": {"dim": (64, 200), "hidden": (200, 600), "beta": (0.0, 0.2, 1.0), "epochs": (20, 50)},
    "LightFM": {"factors": (32, 64), "learning_rate": (0.02, 0.05), "epochs": (10, 30), "alpha": (1e-6, 1e-5)},
}
_LARGE: dict[str, _Space] = {
    "ItemKNN": _SMALL["ItemKNN"],
    "MF": {"dim": (64, 128), "unobserved": (0.001, 0.003, 0.01), "penalty": (0.01, 0.03, 0.1)},
    "Mult-VAE": {"dim": (64,), "hidden": ((200,),), "batch_size": (500,), "beta": (0.0, 0.2), "dropout": (0.5, 0.7)},
    "CML": {"dim": (64, 128), "margin": (0.5, 1.0), "negatives": (5, 20), "learning_rate": (0.1, 0.2, 0.4)},
    "TransCF": {"dim": (64, 128), "negatives": (5, 20), "learning_rate": (0.05, 0.2), "neighbourhood": (0.01, 0.1)},
    "iALS (implicit)": {"factors": (64, 128), "regularization": (1.0, 5.0, 20.0), "alpha": (5.0, 20.0, 80.0)},
    "BPR (implicit)": {"factors": (64, 128), "learning_rate": (0.02, 0.05, 0.1), "regularization": (0.01, 0.03, 0.1)},
    "BPR (cornac)": {"factors": (64, 128), "learning_rate": (0.01, 0.03, 0.1), "regularization": (0.001, 0.01, 0.03)},
    "VAECF (cornac)": {"dim": (64,), "hidden": (200,), "beta": (0.0, 0.2), "epochs": (20, 50)},
    "LightFM": {
        "factors": (64, 128), "learning_rate": (0.01, 0.02, 0.05), "epochs": (20, 60), "alpha": (1e-6, 1e-5),
        "by_past": (True, False),
    },
}  # fmt: skip
SPACES: dict[str, dict[str, _Space]] = {"SG-100K": _SMALL, "CiteULike-t": _LARGE}
"""By case and model: options and the values each may take."""

SETTINGS: dict[str, dict[str, Options]] = {
    "SG-100K": {
        "penchant sup norm": {"space": Space(dim=32)},
        "ItemKNN": {"neighbours": 50, "shrinkage": 20.0},
        "EASE": {"penalty": 250.0},
        "MF": {"dim": 64, "unobserved": 0.3, "penalty": 0.01},
        "Mult-VAE": {"dim": 64, "hidden": (200,), "beta": 0.0, "dropout": 0.5},
        "iALS (implicit)": {"factors": 32, "regularization": 1.0, "alpha": 5.0},
        "BPR (implicit)": {"factors": 32, "learning_rate": 0.02, "regularization": 0.03},
        "BPR (cornac)": {"factors": 64, "learning_rate": 0.01, "regularization": 0.001},
        "VAECF (cornac)": {"dim": 64, "hidden": 200, "beta": 0.2, "epochs": 50},
        "CML": {"margin": 1.0, "negatives": 5, "epochs": 40, "covariance": 100.0},
        "TransCF": {"margin": 0.5, "negatives": 20, "epochs": 20, "neighbourhood": 0.01},
        "LightFM": {"factors": 64, "learning_rate": 0.02, "epochs": 30},
    },
    "CiteULike-t": {
        "penchant": {
            "space": Space(dim=200), "encoder__unseen": 0.2, "loss__negatives": "uniform", "loss__beta": 0.0,
            "loss__delta": 0.0, "batch_size": 1024, "epochs": 30,
        },
        "penchant sup norm": {"space": Space(dim=32)},
        "CML": {"dim": 128, "margin": 1.0, "negatives": 20, "learning_rate": 0.1},
        "TransCF": {"dim": 128, "negatives": 5, "learning_rate": 0.2, "neighbourhood": 0.01},
        "iALS (implicit)": {"factors": 128, "regularization": 20.0, "alpha": 80.0},
        "BPR (implicit)": {"factors": 128, "learning_rate": 0.1, "regularization": 0.03},
        "BPR (cornac)": {"factors": 128, "learning_rate": 0.1, "regularization": 0.03},
        "MF": {"dim": 128, "unobserved": 0.001, "penalty": 0.01},
        "ItemKNN": {"neighbours": 200, "shrinkage": 20.0},
        "LightFM": {"factors": 128, "learning_rate": 0.01, "epochs": 60, "alpha": 1e-5, "by_past": True},
        "VAECF (cornac)": {"dim": 64, "hidden": 200, "beta": 0.2, "epochs": 20},
    },
}  # fmt: skip
"""What was chosen, by case and model; the defaults where nothing is said."""


def drawn(case: str, name: str) -> list[dict[str, Any]]:
    """The settings that are tried: different ones, the same at every call."""
    space = SPACES[case].get(name, {})
    every = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    if len(every) <= TRIALS:
        return every
    rows = generator(0, "trials", name).choice(len(every), TRIALS, replace=False)
    return [every[row] for row in sorted(rows.tolist())]
