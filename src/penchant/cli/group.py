"""``penchant group``: what several would all like, or what divides them."""

from typing import Annotated, Any

import typer

from penchant.cli._options import AnswerOut, Examples, Json, Model, Rows, load_model, parse_row, side_of
from penchant.cli._output import check_out, show_answer
from penchant.errors import ConfigError

__all__ = ["group"]


def group(
    model: Model,
    members: Annotated[list[str] | None, typer.Argument(help="Ids of the members.")] = None,
    row: Rows = None,
    where: Annotated[str | None, typer.Option(help="SQL condition instead: \"age > 40 and lang = 'zh'\".")] = None,
    side: Annotated[str, typer.Option(help="What the members are: user or item.")] = "user",
    probability: Annotated[float, typer.Option(help="A member likes what is liked with this probability.")] = 0.5,
    examples: Examples = 5,
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """The portrait of a group, or of a segment: what all of them would like, or "no common taste" and the two best
    sub-groups; what they would like on the average; what the most of them would like.

    Example: `penchant group articles.penchant --where "age > 40"`
    """
    check_out(out, (".html", ".json"))
    if sum((bool(members), bool(row), where is not None)) != 1:
        raise ConfigError("give ids of the members, or --row for each, or --where, one of the three")
    asked: list[Any] | None = [*(members or ()), *(parse_row(text, "--row") for text in row or ())] or None
    answer = load_model(model).group(
        asked,
        where=where,
        side=side_of(side),
        probability=probability,
        examples=examples,
    )
    show_answer(answer, out=out, as_json=as_json)
