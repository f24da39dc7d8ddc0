"""The model page: how good it is, whether its probabilities hold, what another threshold would do, what is served."""

from bisect import bisect_right
from typing import Any

from penchant._config import plain
from penchant.estimator.judged import judged_of
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.start import facts_of
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded
from penchant.service.problems import Refused
from penchant.service.questions import told

__all__ = ["add_model"]


def add_model(explorer: Explorer) -> None:
    """The page of the model that is served first."""

    @explorer.page("/model", "model.html")
    async def model(visit: Visit) -> Values:
        loaded, serving = visit.serving.first, visit.serving
        found = await visit.compute(lambda: judged(loaded))
        return {
            "pages": sorted(explorer.pages),
            "served": {**told(visit.service), "before": list(serving.before)},
            "facts": await visit.compute(lambda: facts_of(loaded)),
            "training": training_of(loaded),
            "judged": found,
            "at": None if found is None else at(found["trade_off"], threshold_of(visit, loaded)),
            "inputs": await visit.compute(visit.service.metrics.inputs),
        }


def training_of(loaded: Loaded) -> dict[str, Any]:
    """How it was trained: epochs, the course of the validation figure, the space."""
    fitted = loaded.fitted
    valid = [row["valid"] for row in fitted.history if "valid" in row]
    return {
        "epochs": len(fitted.history),
        "valid": valid,
        "best": None if not valid else valid.index(max(valid)) + 1,
        "space": plain(fitted.model.space),
        "threshold": fitted.calibration.threshold,
        "slope": fitted.calibration.slope,
    }


def judged(loaded: Loaded) -> dict[str, Any] | None:
    """What the held-out pairs say: AUC, calibration, any threshold; None of a model that keeps none."""
    fitted = loaded.fitted
    found = judged_of(fitted.likes)
    if found is None:
        return None
    parts = found.calibration(fitted.calibration)
    n = sum(part["n"] for part in parts)
    return {
        "pairs": float((found.liked + found.other).sum()),
        "likes": float(found.liked.sum()),
        "auc": found.auc() if found.liked.any() and found.other.any() else None,
        "calibration": parts,
        "error": sum(part["n"] / n * abs(part["said"] - part["found"]) for part in parts),
        "trade_off": found.trade_off(),
    }


def threshold_of(visit: Visit, loaded: Loaded) -> float:
    """The threshold that is looked at: the query's, else the model's own.

    Raises: Refused: 422, no distance.
    """
    given = visit.text("threshold")
    try:
        value = float(given) if given else loaded.fitted.calibration.threshold
    except ValueError as error:
        raise Refused(422, "threshold: a number expected.") from error
    if not 0 <= value < float("inf"):
        raise Refused(422, "threshold: a distance of 0 or more expected.")
    return value


def at(curve: dict[str, list[float]], threshold: float) -> dict[str, float]:
    """The figures at a threshold: of the last edge that is not beyond it; nothing is shown before the first."""
    place = bisect_right(curve["threshold"], threshold) - 1
    if place < 0:
        return {"threshold": threshold, "recall": 0.0, "precision": 1.0, "shown": 0.0}
    return {"threshold": threshold, **{name: curve[name][place] for name in ("recall", "precision", "shown")}}
