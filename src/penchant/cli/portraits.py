"""``penchant portraits``: typical portraits of many, as a table."""

from typing import Annotated

import typer

from penchant.cli._options import Json, Model, Out, load_model, side_of
from penchant.cli._output import check_out, show_frame

__all__ = ["portraits"]


def portraits(
    model: Model,
    who: Annotated[list[str] | None, typer.Argument(help="Ids; none: all known ones.")] = None,
    side: Annotated[str, typer.Option(help="Whose: user (what they would like) or item (their audiences).")] = "user",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Typical portraits of many as a table, a column for each value: to segment, to export, for other models.

    Example: `penchant portraits articles.penchant --out portraits.parquet`
    """
    check_out(out)
    frame = load_model(model).portraits(who or None, side=side_of(side))
    show_frame(frame, title=f"Portraits of {frame.height:,} {side}s", out=out, as_json=as_json)
