"""Models of ``cold_start.py`` by case, of yes and no and of rankings.

Users by age, gender and occupation alone say little and are soon learned by heart: penchant's fewer bins and stronger
dropout are the best of 26 settings on validation labels of six splits of other users. The others' settings are theirs
(logistic regression's and popularity's penalties: the best of three there).
"""

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
            "LightFM tuned": model("CiteULike-t", "LightFM"),
            "popularity": Popular(),
        }
    few = {"encoder__bins": 5, "encoder__dropout": 0.5} if case == "ml-100k cold users" else {}
    return {
        "penchant": Penchant().set_params(**few),
        "penchant ranking": Penchant.preset("ranking"),
        "FM": FM(),
        "logistic regression": LogisticRegression(),
        "LightFM": LightFM(by_past=False),
        "LightFM logistic": LightFM(by_past=False, loss="logistic"),
        "popularity": Popular(),
    }
