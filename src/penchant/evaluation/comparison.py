"""Models side by side: the same held-out rows, the same figures, one table."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from penchant.errors import ConfigError, DataError, Problem
from penchant.evaluation.beyond import coverage
from penchant.evaluation.binary import evaluate_binary
from penchant.evaluation.lists import Lists, lists_from_frames
from penchant.evaluation.ranking import evaluate_ranking
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["compare", "evaluate_recommender", "recommended_lists"]

_BINARY = ("auc", "user_auc", "logloss", "calibration_error")
_RANKING = ("recall", "ndcg", "hit", "mrr")


def compare(
    models: Mapping[str, Recommender], test: Tables, *, k: int | Sequence[int] = 10, figures: Sequence[str] = _RANKING
) -> pl.DataFrame:
    """A row a model with all its figures on the same held-out rows; see `evaluate_recommender`.

    Arguments:
        models: fitted ones, by the name they are shown under; at least one.
        test, k, figures: as of `evaluate_recommender`.

    Returns:
        Columns: model, then a figure each.

    Raises:
        ConfigError: no models. DataError: as `evaluate_recommender`.
    """
    if not models:
        raise ConfigError("models are empty: at least one expected")
    rows = [{"model": name, **evaluate_recommender(m, test, k=k, figures=figures)} for name, m in models.items()]
    return pl.DataFrame(rows)


def evaluate_recommender(
    model: Recommender, test: Tables, *, k: int | Sequence[int] = 10, figures: Sequence[str] = _RANKING
) -> dict[str, float]:
    """Figures of yes/no predictions and of rankings on held-out interactions.

    Predictions: AUC, AUC within users, log loss and calibration error over all rows, where there are both labels.
    Rankings: every known item that is not in the user's training rows competes (full ranking), the user's liked rows
    are to be on top; means over users with liked rows, and the share of the catalogue that is shown to anybody.

    Arguments:
        model: fitted; knows the users and items of ``test``.
        test: labelled interactions that were not trained on.
        k: ranks that count, one number or several.
        figures: names in `penchant.evaluation.RANKING`; none: predictions alone.

    Raises:
        DataError: no rows.
    """
    if not len(test):
        raise DataError([Problem("interactions", "there is no row to evaluate")])
    label = test.interactions[test.schema.label].to_numpy()
    found: dict[str, float] = {}
    if len(np.unique(label)) > 1:
        users = test.interactions[test.schema.user].to_numpy()
        every = evaluate_binary(label, model.predict_proba(test)["probability"].to_numpy(), users)
        found |= {name: every[name] for name in _BINARY}
    if figures and label.any():
        cuts = np.atleast_1d(k).tolist()
        lists = recommended_lists(model, test, n=max(cuts))
        found |= evaluate_ranking(lists, k=cuts, figures=figures)
        found |= {f"coverage@{cut}": coverage(lists.ranked, test.items.height, cut) for cut in cuts}
    return found


def recommended_lists(model: Recommender, test: Tables, *, n: int) -> Lists:
    """The ``n`` best items of every user with liked rows in ``test``, beside these rows."""
    schema = test.schema
    liked = test.interactions.filter(test.interactions[schema.label] == 1)
    users = liked[schema.user].unique(maintain_order=True).to_list()
    recommended = model.recommend(users, n=n)
    return lists_from_frames(recommended, liked, user=schema.user, item=schema.item, ranks=n, catalogue=test.item_ids)
