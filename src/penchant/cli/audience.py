"""``penchant audience``: whom an item is for, published or not."""

from typing import Annotated

import typer

from penchant.cli._options import (
    AnswerOut,
    Core,
    Details,
    Distance,
    Examples,
    Json,
    Model,
    Probability,
    Source,
    load_model,
    one_asked,
    source_of,
)
from penchant.cli._output import check_out, show_answer

__all__ = ["audience"]


def audience(
    model: Model,
    item: Annotated[str | None, typer.Argument(help="Id of a known item.")] = None,
    row: Annotated[str | None, typer.Option(help="Features of an item that is in no table, as JSON.")] = None,
    examples: Examples = 5,
    probability: Probability = None,
    core: Core = None,
    distance: Distance = None,
    details: Details = True,
    source: Source = "prior",
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """Whom an item is for, in words: each value beside everyone's, its lift, the kinds of users, the nearest real ones.

    Example: `penchant audience articles.penchant --row '{"lang": "zh", "tags": ["patch notes"]}'`
    """
    asked = one_asked(item, row, "item")
    check_out(out, (".html", ".json"))
    answer = load_model(model).audience(
        asked,
        examples=examples,
        probability=probability,
        core=core,
        distance=distance,
        details=details,
        source=source_of(source),
    )
    show_answer(answer, out=out, as_json=as_json)
