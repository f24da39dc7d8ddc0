"""``penchant related``: the users or items nearest to a user or an item."""

from typing import Annotated

import typer

from penchant.cli._options import Count, Json, Model, Out, load_model, parse_row, side_of
from penchant.cli._output import check_out, show_frame
from penchant.errors import ConfigError

__all__ = ["related"]


def related(
    model: Model,
    user: Annotated[str | None, typer.Option(help="Id of a user.")] = None,
    item: Annotated[str | None, typer.Option(help="Id of an item.")] = None,
    user_row: Annotated[str | None, typer.Option(help="Features of a user in no table, as JSON.")] = None,
    item_row: Annotated[str | None, typer.Option(help="Features of an item in no table, as JSON.")] = None,
    to: Annotated[str, typer.Option(help="What to look for: user or item.")] = "item",
    n: Count = 10,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """The nearest users or items of any user or item: distance is preference, whoever they are.

    Example: `penchant related articles.penchant --user u17 --to user`
    """
    check_out(out)
    if sum(given is not None for given in (user, item, user_row, item_row)) != 1:
        raise ConfigError("give one of --user, --item, --user-row and --item-row")
    fitted = load_model(model)
    frame = fitted.related(
        user=user if user_row is None else parse_row(user_row, "--user-row"),
        item=item if item_row is None else parse_row(item_row, "--item-row"),
        to=side_of(to, "--to"),
        n=n,
    )
    show_frame(frame, title=f"Nearest {to}s", out=out, as_json=as_json)
