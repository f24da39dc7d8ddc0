"""``penchant recommend``: the items nearest to users."""

from pathlib import Path
from typing import Annotated

import typer

from penchant.cli._options import Context, Count, Json, Model, Out, Rows, Store, given_rows, load_model, parse_row
from penchant.cli._output import check_out, show_frame
from penchant.errors import ConfigError

__all__ = ["recommend"]


def recommend(
    model: Model,
    users: Annotated[list[str] | None, typer.Argument(help="Ids of known users.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every known user.")] = False,
    row: Rows = None,
    rows: Annotated[Path | None, typer.Option(help="A table of users who are in no table.")] = None,
    n: Count = 10,
    where: Annotated[str | None, typer.Option(help="SQL condition on the item table: \"lang = 'zh'\".")] = None,
    candidates: Annotated[str | None, typer.Option(help="Ids to choose from, with commas between them.")] = None,
    seen: Annotated[bool, typer.Option(help="Keep the items of the user's training rows.")] = False,
    context: Context = None,
    store: Store = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """The nearest items of each user, best first: for known users, or for rows of features.

    Example: `penchant recommend articles.penchant u17 u18 --n 20 --where "lang = 'zh'"`
    """
    check_out(out)
    features = given_rows(row, rows)
    if sum((bool(users), every, bool(features))) != 1:
        raise ConfigError("give ids of users, or --all, or rows of features (--row, --rows), one of the three")
    fitted = load_model(model, store)
    asked = features or (fitted.users_[fitted.schema_.user_id or ""].to_list() if every else users or [])
    frame = fitted.recommend(
        asked,
        n=n,
        exclude_seen=not seen,
        candidates=None if candidates is None else [one.strip() for one in candidates.split(",")],
        where=where,
        context=None if context is None else parse_row(context, "--context"),
    )
    show_frame(frame, title="Recommended", out=out, as_json=as_json)
