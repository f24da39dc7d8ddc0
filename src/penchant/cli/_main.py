"""The app with its verbs, and what becomes of errors: 0 all is well, 1 the data or a model is wrong, 2 the usage is."""

import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from penchant import __version__
from penchant.cli import (
    audience,
    certify,
    check,
    compare,
    demo,
    evaluate,
    events,
    explain,
    group,
    guarantees,
    info,
    interest,
    keys,
    map,
    portrait,
    portraits,
    predict,
    ranges,
    recommend,
    related,
    schema,
    serve,
    train,
    tune,
    what_if,
)
from penchant.errors import ConfigError, DataError, PenchantError

__all__ = ["app", "main"]

EXIT_DATA, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="penchant",
    help="Learn what a user likes: one metric space for users and items that can be read back as portraits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(schema.app, name="schema")
app.add_typer(events.app, name="events")
app.add_typer(keys.app, name="keys")
for _verb in (
    demo.demo, check.check, train.train, tune.tune, compare.compare, evaluate.evaluate, predict.predict,
    recommend.recommend, related.related, portrait.portrait, portraits.portraits, audience.audience,
    group.group, explain.explain, certify.certify, ranges.ranges, what_if.what_if, guarantees.guarantees,
    interest.interest, map.map, info.info, serve.serve,
):  # fmt: skip
    app.command(_verb.__name__.replace("_", "-"))(_verb)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"penchant {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it.")] = False,
) -> None:
    """Learn what a user likes: one metric space for users and items that can be read back as portraits."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the shell; ends with SystemExit.

    Arguments:
        arguments: the words after ``penchant``; None: the process's own.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    before = warnings.showwarning
    warnings.showwarning = _warn
    try:
        app(words, prog_name="penchant")
    except ConfigError as error:
        _fail(error, words, EXIT_USAGE)
    except PenchantError as error:
        _fail(error, words, EXIT_DATA)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader has seen enough; Python would complain of it once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    finally:
        warnings.showwarning = before


def _fail(error: PenchantError, words: list[str], code: int) -> None:
    """Say an error on stderr: a sentence, or one JSON object where JSON was asked for."""
    if "--json" in words:
        content: dict[str, Any] = {"error": type(error).__name__, "message": str(error)}
        if isinstance(error, DataError):
            content["problems"] = [asdict(problem) for problem in error.problems]
        print(json.dumps(content, ensure_ascii=False), file=sys.stderr)
    else:
        print(f"error: {error}", file=sys.stderr)
    sys.exit(code)


def _warn(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    print(f"warning: {message}", file=sys.stderr)
