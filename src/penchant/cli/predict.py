"""``penchant predict``: will these users like these items?"""

from penchant.cli._options import Flat, Interactions, Items, Json, Model, Out, Users, load_model, model_tables
from penchant.cli._output import check_out, show_frame

__all__ = ["predict"]


def predict(
    model: Model,
    interactions: Interactions = None,
    users: Users = None,
    items: Items = None,
    flat: Flat = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Yes or no, probability and distance for each pair, in the order of the rows. Labels are not needed.

    Users and items are the model's own where no tables are given; tables may hold ones it has never seen.

    Example: `penchant predict articles.penchant --interactions pairs.csv --out predictions.parquet`
    """
    check_out(out)
    fitted = load_model(model)
    tables = model_tables(fitted, users=users, items=items, interactions=interactions, flat=flat, labelled=False)
    show_frame(fitted.predict(tables), title=f"{len(tables):,} pairs", out=out, as_json=as_json)
