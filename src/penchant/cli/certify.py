"""``penchant certify``: decisions that hold whatever the rest of an item is."""

from typing import Annotated, Any

import typer

from penchant.cli._options import AnswerOut, Json, Model, load_model, one_asked, parse_row
from penchant.cli._output import check_out, show_answer
from penchant.errors import ConfigError

__all__ = ["certify"]


def certify(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="Id of a known user.")] = None,
    row: Annotated[str | None, typer.Option(help="Features of a user who is in no table, as JSON.")] = None,
    fixed: Annotated[str | None, typer.Option(help='What is known of the items, as JSON: \'{"lang": "zh"}\'.')] = None,
    free: Annotated[
        list[str] | None,
        typer.Option(
            help="A column that may be anything known; may be repeated. Or JSON with what it may be: "
            "'{\"year\": [1990, 1999]}'. All that is not fixed."
        ),
    ] = None,
    item: Annotated[str | None, typer.Option(help="Id of an item that gives what is neither fixed nor free.")] = None,
    pieces: Annotated[int, typer.Option(min=1, help="How much work to spend, up to a millisecond each.")] = 1024,
    out: AnswerOut = None,
    as_json: Json = False,
) -> None:
    """Would a user like every item with these features, whatever its other ones are? Proved, not sampled: liked, not
    liked, or it depends (with the nearest and the farthest item).

    Example: `penchant certify articles.penchant u17 --fixed '{"lang": "zh"}' --free length --free tags`
    """
    asked = one_asked(user, row, "user")
    check_out(out, (".html", ".json"))
    known = None if fixed is None else parse_row(fixed, "--fixed")
    verdict = load_model(model).certify(asked, fixed=known, free=_free(free), item=item, pieces=pieces)
    show_answer(verdict, out=out, as_json=as_json)


def _free(words: list[str] | None) -> Any:
    if not words or not any(word.lstrip().startswith("{") for word in words):
        return words or None
    if len(words) > 1:
        raise ConfigError("--free: one JSON object, or names of columns, not both")
    return parse_row(words[0], "--free")
