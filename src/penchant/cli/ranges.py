"""``penchant ranges``: what the decoder says anywhere in a ball, proved."""

from typing import Annotated

import typer

from penchant.cli._options import Core, Distance, Json, Model, Out, Probability, load_model, one_asked, side_of
from penchant.cli._output import check_out, show_frame

__all__ = ["ranges"]


def ranges(
    model: Model,
    who: Annotated[str | None, typer.Argument(help="Id of a known user (or item: --side item).")] = None,
    row: Annotated[str | None, typer.Option(help="Features of one who is in no table, as JSON.")] = None,
    side: Annotated[str, typer.Option(help="Whose ball: user or item.")] = "user",
    probability: Probability = None,
    core: Core = None,
    distance: Distance = None,
    pieces: Annotated[int, typer.Option(min=1, help="Into so many parts the ball is cut at most.")] = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """What the decoder says anywhere in a ball: proved ranges beside found ones, feature by feature.

    Example: `penchant ranges articles.penchant u17 --distance 0.1`
    """
    check_out(out)
    asked = one_asked(who, row, side)
    frame = load_model(model).ranges(
        asked,
        side=side_of(side),
        probability=probability,
        core=core,
        distance=distance,
        pieces=pieces,
    )
    show_frame(frame, title="Proved and found ranges", out=out, as_json=as_json)
