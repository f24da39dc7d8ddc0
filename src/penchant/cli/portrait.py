"""``penchant portrait``: what a user would like, with no candidate items."""

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
    Store,
    load_model,
    one_asked,
    source_of,
)
from penchant.cli._output import check_out, show_answer

__all__ = ["portrait"]


def portrait(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="Id of a known user.")] = None,
    row: Annotated[str | None, typer.Option(help="Features of a user who is in no table, as JSON.")] = None,
    examples: Examples = 5,
    probability: Probability = None,
    core: Core = None,
    distance: Distance = None,
    details: Details = True,
    source: Source = "prior",
    store: Store = None,
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """What a user would like, in words: each value beside everyone's, its lift, what nine of ten likes are, the kinds
    of what is liked, items that do not exist yet, the nearest real ones.

    Example: `penchant portrait articles.penchant --row '{"age": 24, "role": "support"}' --core 0.1 --out portrait.html`
    """
    asked = one_asked(user, row, "user")
    check_out(out, (".html", ".json"))
    answer = load_model(model, store).portrait(
        asked,
        examples=examples,
        probability=probability,
        core=core,
        distance=distance,
        details=details,
        source=source_of(source),
    )
    show_answer(answer, out=out, as_json=as_json)
