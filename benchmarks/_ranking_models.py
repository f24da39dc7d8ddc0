"""Models of ``ranking.py`` by name, with the settings that were chosen for them (`_ranking_settings.py`)."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from _ranking_cornac import VAECF, CornacBPR
from _ranking_peers import BPR, IALS, LightFM
from _ranking_settings import SETTINGS
from _ranking_sup import DistancesAsAxes

from penchant import Penchant, Recommender, Space
from penchant.baselines import CML, EASE, MF, ItemKNN, MultVAE, Popular, TransCF

__all__ = ["MODELS", "OURS", "model"]

OURS = "penchant"


def _penchant(norm: float, options: Mapping[str, Any]) -> Penchant:
    """The preset with these options; its space has this norm, and as many axes as theirs."""
    rest = dict(options)
    dim = rest.pop("space", Penchant.preset("ranking").space).dim
    return Penchant.preset("ranking", **{**rest, "space": Space(dim=dim, norm=norm)})


MODELS: dict[str, Callable[..., Recommender]] = {
    "penchant": lambda **o: _penchant(4, o),
    "penchant l2": lambda **o: _penchant(2, o),
    "penchant sup norm": lambda **o: _penchant(math.inf, o),
    "penchant sup norm, distances as axes": lambda **o: DistancesAsAxes(model=_penchant(4, o)),
    "popularity": Popular,
    "ItemKNN": ItemKNN,
    "EASE": EASE,
    "MF": MF,
    "Mult-VAE": MultVAE,
    "CML": CML,
    "TransCF": TransCF,
    "iALS (implicit)": IALS,
    "BPR (implicit)": BPR,
    "BPR (cornac)": CornacBPR,
    "VAECF (cornac)": VAECF,
    "LightFM": LightFM,
}
"""How each is made, by its name in the results."""


def model(case: str, name: str, **tried: Any) -> Recommender:
    """A model with its settings for a case, some of them ``tried`` anew; variants of penchant share penchant's."""
    chosen = SETTINGS[case]
    shared = chosen.get(OURS, {}) if name.startswith(OURS) else {}
    return MODELS[name](**{**shared, **chosen.get(name, {}), **tried})
