"""``penchant what-if``: how a portrait moves when features change."""

from typing import Annotated

import typer

from penchant.cli._options import AnswerOut, Count, Json, Model, load_model, one_asked, parse_row, side_of
from penchant.cli._output import check_out, show_answer

__all__ = ["what_if"]


def what_if(
    model: Model,
    who: Annotated[str | None, typer.Argument(help="Id of a known user (or item: --side item).")] = None,
    change: Annotated[str, typer.Option(help="What changes, as JSON: '{\"age\": 18}'; null: missing.")] = "{}",
    row: Annotated[str | None, typer.Option(help="Features of one who is in no table, as JSON.")] = None,
    side: Annotated[str, typer.Option(help="Whose features: user or item.")] = "user",
    n: Count = 10,
    core: Annotated[float, typer.Option(help="Share of the known ones, the nearest, that is the core.")] = 0.1,
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """Change features and see the portrait, the core and the top move; nothing is stored.

    Example: `penchant what-if articles.penchant u17 --change '{"age": 18, "role": "healer"}'`
    """
    check_out(out, (".html", ".json"))
    asked, changed = one_asked(who, row, side), parse_row(change, "--change")
    answer = load_model(model).what_if(asked, changed, side=side_of(side), n=n, core=core)
    show_answer(answer, out=out, as_json=as_json)
