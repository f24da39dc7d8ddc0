"""``penchant portrait``: what a user would like, with no candidate items."""

from typing import Annotated

import typer

from penchant.cli._options import Examples, Json, Model, PortraitOut, load_model, one_asked
from penchant.cli._output import check_out, show_portrait

__all__ = ["portrait"]


def portrait(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="Id of a known user.")] = None,
    row: Annotated[str | None, typer.Option(help="Features of a user who is in no table, as JSON.")] = None,
    examples: Examples = 5,
    out: PortraitOut = None,
    as_json: Json = False,
) -> None:
    """What a user would like, in words: each value beside everyone's, its lift, the nearest real items.

    Example: `penchant portrait articles.penchant --row '{"age": 24, "role": "support"}' --out portrait.html`
    """
    asked = one_asked(user, row, "user")
    check_out(out, (".html", ".json"))
    show_portrait(load_model(model).portrait(asked, examples=examples), out=out, as_json=as_json)
