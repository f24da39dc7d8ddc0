"""``penchant explain``: why a user would like an item, or would not."""

from typing import Annotated

import typer

from penchant.cli._options import AnswerOut, Json, Model, load_model, one_asked
from penchant.cli._output import check_out, show_answer

__all__ = ["explain"]


def explain(
    model: Model,
    user: Annotated[str | None, typer.Option(help="Id of a user.")] = None,
    item: Annotated[str | None, typer.Option(help="Id of an item.")] = None,
    user_row: Annotated[str | None, typer.Option(help="Features of a user in no table, as JSON.")] = None,
    item_row: Annotated[str | None, typer.Option(help="Features of an item in no table, as JSON.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A column of the item that may change to turn the decision. All but ids.")
    ] = None,
    max_changes: Annotated[int, typer.Option(min=1, help="How many values may change together.")] = 3,
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """Why a user would like an item or not: what brings it closer, what pushes it away, which past likes matter, and
    the smallest change of the item that turns the decision.

    Example: `penchant explain articles.penchant --user u17 --item a9 --only lang --only year`
    """
    asked = one_asked(user, user_row, "user", "--user", "--user-row")
    about = one_asked(item, item_row, "item", "--item", "--item-row")
    check_out(out, (".html", ".json"))
    show_answer(load_model(model).explain(asked, about, only=only, max_changes=max_changes), out=out, as_json=as_json)
