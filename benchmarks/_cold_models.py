"""Models of ``cold_start.py`` by case, of yes and no and of rankings."""

from _ranking_models import model
from _ranking_peers import LightFM

from penchant import Penchant, Recommender
from penchant.baselines import FM, LogisticRegression, Popular

__all__ = ["models"]


def models(case: str) -> dict[str, Recommender]:
    """Each by its name in the results."""
    if case == "CiteULike-t cold items":
        return {
            "penchant": model("CiteULike-t", "penchant"),
            "LightFM": LightFM(by_past=False),
            "popularity": Popular(),
        }
    return {
        "penchant": Penchant(),
        "penchant ranking": Penchant.preset("ranking"),
        "FM": FM(),
        "logistic regression": LogisticRegression(),
        "LightFM": LightFM(by_past=False),
        "LightFM logistic": LightFM(by_past=False, loss="logistic"),
        "popularity": Popular(),
    }
