"""``penchant interest``: where events have moved a user's interest point, and which way."""

from typing import Annotated

import typer

from penchant.cli._options import AnswerOut, Json, Model, load_model
from penchant.cli._output import check_out, show_answer

__all__ = ["interest"]


def interest(
    model: Model,
    user: Annotated[str, typer.Argument(help="Id of a user, known or with events.")],
    store: Annotated[str, typer.Option(help="Where the events are: sqlite:///events.db, or postgresql://….")],
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """Show how far events have moved a user's point, how sure that is, the way it took, and how many interests it has.

    Example: `penchant interest articles.penchant u17 --store sqlite:///events.db --out u17.html`
    """
    check_out(out, (".html", ".json"))
    show_answer(load_model(model, store).interest(user), out=out, as_json=as_json)
