"""``penchant audience``: whom an item is for, published or not."""

from typing import Annotated

import typer

from penchant.cli._options import Examples, Json, Model, PortraitOut, load_model, one_asked
from penchant.cli._output import check_out, show_portrait

__all__ = ["audience"]


def audience(
    model: Model,
    item: Annotated[str | None, typer.Argument(help="Id of a known item.")] = None,
    row: Annotated[str | None, typer.Option(help="Features of an item that is in no table, as JSON.")] = None,
    examples: Examples = 5,
    out: PortraitOut = None,
    as_json: Json = False,
) -> None:
    """Whom an item is for, in words: each value beside everyone's, its lift, the nearest real users.

    Example: `penchant audience articles.penchant --row '{"lang": "zh", "tags": ["patch notes"]}'`
    """
    asked = one_asked(item, row, "item")
    check_out(out, (".html", ".json"))
    show_portrait(load_model(model).audience(asked, examples=examples), out=out, as_json=as_json)
