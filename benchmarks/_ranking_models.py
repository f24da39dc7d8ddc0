"""Models of ``ranking.py`` with the settings that were chosen for them on validation likes.

SETTINGS[case][model]: of EASE, ItemKNN, MF, iALS and LightFM what did best in `GRIDS` by NDCG@100 on the validation
part of fold 0 (``ranking.py --tune``). Mult-VAE's setting is a judgement, its grid was not gone through. Penchant's
preset came from some twenty settings tried by hand; test figures of all five folds of another draw of the same users
were seen meanwhile. For CiteULike-t nothing was tuned.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from _ranking_peers import BPR, IALS, LightFM
from _ranking_sup import DistancesAsAxes

from penchant import Penchant, Recommender, Space
from penchant.baselines import CML, EASE, MF, ItemKNN, MultVAE, Popular, TransCF

__all__ = ["GRIDS", "MODELS", "SETTINGS", "grid", "model"]

Options = Mapping[str, Any]


def _penchant(*, norm: float = 4.0, **options: Any) -> Penchant:
    made = Penchant.preset("ranking")
    space = options.pop("space", made.space)
    return made.set_params(space=Space(dim=space.dim, norm=norm), **options)


MODELS: dict[str, Callable[..., Recommender]] = {
    "penchant": lambda **o: Penchant.preset("ranking").set_params(**o),
    "penchant l2": lambda **o: _penchant(norm=2, **o),
    "penchant sup norm": lambda **o: _penchant(norm=math.inf, **o),
    "penchant sup norm, distances as axes": lambda **o: DistancesAsAxes(model=Penchant.preset("ranking", **o)),
    "popularity": Popular,
    "ItemKNN": ItemKNN,
    "EASE": EASE,
    "MF": MF,
    "Mult-VAE": MultVAE,
    "CML": CML,
    "TransCF": TransCF,
    "iALS (implicit)": IALS,
    "BPR (implicit)": BPR,
    "LightFM": LightFM,
}
"""How each is made, by its name in the results."""

GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "popularity": {},
    "ItemKNN": {"neighbours": (50, 200, 1000), "shrinkage": (0.0, 20.0, 100.0)},
    "EASE": {"penalty": (100.0, 150.0, 200.0, 300.0, 400.0, 600.0)},
    "MF": {"dim": (32, 64), "unobserved": (0.03, 0.1, 0.3), "penalty": (0.003, 0.01, 0.03)},
    "Mult-VAE": {"dim": (64, 200), "hidden": ((200,), (600,)), "beta": (0.0, 0.2)},
    "CML": {"margin": (0.5, 1.0), "negatives": (5, 20), "epochs": (20, 40)},
    "TransCF": {"margin": (0.5, 1.0), "epochs": (20, 40)},
    "iALS (implicit)": {"factors": (32, 64), "regularization": (0.1, 1.0, 5.0), "alpha": (1.0, 5.0, 20.0)},
    "BPR (implicit)": {"factors": (32, 64), "learning_rate": (0.02, 0.05), "regularization": (0.01, 0.05)},
    "LightFM": {"factors": (32, 64), "learning_rate": (0.02, 0.05), "epochs": (10, 30)},
}
"""What is tried for each peer."""

SETTINGS: dict[str, dict[str, Options]] = {
    "SG-100K": {
        "penchant sup norm": {"space": Space(dim=32)},
        "ItemKNN": {"neighbours": 50, "shrinkage": 20.0},
        "EASE": {"penalty": 200.0},
        "MF": {"dim": 64, "unobserved": 0.3, "penalty": 0.01},
        "Mult-VAE": {"dim": 64, "hidden": (200,), "beta": 0.0},
        "iALS (implicit)": {"factors": 32, "regularization": 1.0, "alpha": 5.0},
        "LightFM": {"factors": 64, "learning_rate": 0.02, "epochs": 30},
    },
    "CiteULike-t": {},
}
"""What was chosen, by case and model; the defaults where nothing is said."""


def grid(name: str) -> Iterator[Options]:
    """Every combination of a model's grid."""
    ranges = GRIDS[name]
    return (dict(zip(ranges, values, strict=True)) for values in itertools.product(*ranges.values()))


def model(case: str, name: str) -> Recommender:
    """A model with its settings for a case."""
    return MODELS[name](**SETTINGS[case].get(name, {}))
