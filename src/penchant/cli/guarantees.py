"""``penchant guarantees``: what was promised beside what is found."""

from penchant.cli._options import Flat, Interactions, Items, Json, Model, Out, Users, load_model, model_tables
from penchant.cli._output import check_out, show_frame

__all__ = ["guarantees"]


def guarantees(
    model: Model,
    interactions: Interactions = None,
    users: Users = None,
    items: Items = None,
    flat: Flat = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Promises beside what is found on other likes, at 80, 90 and 95 %: likes that lie inside the ball made for this
    recall, and liked values that lie inside the portrait's intervals.

    Users and items are the model's own where no tables are given. The promise is for rows dealt out like the ones the
    model was validated on, and not used in its training.

    Example: `penchant guarantees articles.penchant --interactions later_clicks.csv`
    """
    check_out(out)
    fitted = load_model(model)
    tables = model_tables(fitted, users=users, items=items, interactions=interactions, flat=flat, labelled=True)
    show_frame(fitted.guarantees(tables), title="Promised and found", out=out, as_json=as_json)
