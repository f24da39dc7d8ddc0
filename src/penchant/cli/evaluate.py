"""``penchant evaluate``: how good a model is on interactions it has not seen."""

import polars as pl

from penchant.cli._options import Flat, Interactions, Items, Json, Model, Out, Users, load_model, model_tables
from penchant.cli._output import check_out, show_frame, show_json, write_frame

__all__ = ["evaluate"]


def evaluate(
    model: Model,
    interactions: Interactions = None,
    users: Users = None,
    items: Items = None,
    flat: Flat = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Figures on labelled interactions: AUC, AUC within users, log loss, accuracy, Brier score, calibration error.

    Users and items are the model's own where no tables are given.

    Example: `penchant evaluate articles.penchant --interactions later_clicks.csv`
    """
    from penchant.evaluation import evaluate_binary

    check_out(out)
    fitted = load_model(model)
    tables = model_tables(fitted, users=users, items=items, interactions=interactions, flat=flat, labelled=True)
    probability = fitted.predict_proba(tables)["probability"].to_numpy()
    label = tables.interactions[tables.schema.label].to_numpy()
    figures = evaluate_binary(label, probability, tables.interactions[tables.schema.user].to_numpy())
    frame = pl.DataFrame({"figure": list(figures), "value": list(figures.values())})
    if out is not None:
        write_frame(frame, out)
    if as_json:
        show_json({"rows": len(tables), **figures})
    elif out is None:
        show_frame(frame, title=f"{model} on {len(tables):,} interactions", out=None, as_json=False)
