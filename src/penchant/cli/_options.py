"""What verbs ask for: their shared options, and tables, models and rows from them.

Nothing heavy is imported before it is needed, so that ``--help`` is quick.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from penchant.cli._output import say
from penchant.errors import ConfigError

if TYPE_CHECKING:
    from penchant.estimator import Penchant
    from penchant.tables import Tables

__all__ = [
    "AnswerOut",
    "Context",
    "Core",
    "Count",
    "Details",
    "Distance",
    "Examples",
    "Flat",
    "Interactions",
    "Items",
    "Json",
    "Model",
    "Out",
    "Probability",
    "Quiet",
    "Rng",
    "Rows",
    "SchemaFile",
    "Settings",
    "Source",
    "Split",
    "Store",
    "Users",
    "configured",
    "dealt",
    "given_rows",
    "load_model",
    "model_tables",
    "one_asked",
    "one_of",
    "parse_row",
    "read_tables",
    "side_of",
    "source_of",
    "toml_value",
    "warn",
]

_Word = TypeVar("_Word", bound=str)

_FORMS = "CSV, TSV, Parquet, Arrow, JSON or NDJSON"

SchemaFile = Annotated[Path, typer.Option("--schema", "-s", help="schema.toml: what the columns mean.")]
Users = Annotated[Path | None, typer.Option(help=f"The user table: {_FORMS}.")]
Items = Annotated[Path | None, typer.Option(help=f"The item table: {_FORMS}.")]
Interactions = Annotated[Path | None, typer.Option(help=f"The interactions: {_FORMS}.")]
Flat = Annotated[Path | None, typer.Option(help="One flat table instead of the three: user, item, label in each row.")]
Model = Annotated[Path, typer.Argument(help="A model directory, as `penchant train` writes it.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file: .csv, .parquet, .arrow, .json, …")]
AnswerOut = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file: .html or .json.")]
Examples = Annotated[int, typer.Option(min=1, help="How many real ones to show.")]
Probability = Annotated[
    float | None, typer.Option(help="The ball's reach: whatever lies inside is liked with this probability.")
]
Core = Annotated[float | None, typer.Option(help="The ball's reach: it holds this share of the known ones.")]
Distance = Annotated[float | None, typer.Option(help="The ball's reach: a distance.")]
Details = Annotated[bool, typer.Option(help="The distribution, the kinds of what is liked, ones not yet there.")]
Source = Annotated[
    str,
    typer.Option(help="Details over known ones by P(liked): prior; over points of the ball that are like rows: ball."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Rng = Annotated[int, typer.Option(help="The seed: the same one gives the same result on the same machine.")]
Count = Annotated[int, typer.Option("--n", "-n", min=1, help="How many.")]
Split = Annotated[str, typer.Option(help="How rows are split off: random, per_user, time, cold_users or cold_items.")]
Store = Annotated[
    str | None, typer.Option(help="Events that move users: sqlite:///events.db, or postgresql://… (penchant events).")
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="One option, e.g. loss.delta=3. May be repeated.")]
Rows = Annotated[
    list[str] | None,
    typer.Option("--row", help="Features of one who is in no table, as JSON: '{\"age\": 24}'. May be repeated."),
]
Context = Annotated[str | None, typer.Option(help="The situation (context columns), as JSON: '{\"hour\": 8}'.")]


def read_tables(
    schema: Path, users: Path | None, items: Path | None, interactions: Path | None, flat: Path | None
) -> "Tables":
    """The tables that the options name, checked.

    Raises:
        DataError: every problem found. ConfigError: neither a flat table nor users and items.
    """
    from penchant.tables import Schema, Tables

    if flat is None and (users is None or items is None):
        raise ConfigError("give --users, --items and --interactions, or one table with --flat")
    return Tables.read(Schema.read(schema), users=users, items=items, interactions=interactions, flat=flat)


def load_model(path: Path, store: str | None = None) -> "Penchant":
    """The model in a directory, its users moved by the events of a store where one is named.

    Raises: StorageError: none there, altered, or of a later version; a store that cannot be opened.
    """
    from penchant.estimator import Penchant

    model = Penchant.load(path)
    if store is not None:
        model.follow(store)
    return model


def model_tables(
    model: "Penchant",
    *,
    users: Path | None,
    items: Path | None,
    interactions: Path | None,
    flat: Path | None,
    labelled: bool,
) -> "Tables":
    """Interactions for a model: with its own users and items where no other tables are given.

    Raises:
        DataError: every problem found. ConfigError: no interactions.
    """
    from dataclasses import replace

    from penchant.tables import Tables, read_frame

    schema = model.schema_
    if flat is not None:
        there = read_frame(flat, columns=[schema.user_id or "", schema.item_id or ""]).columns
        if schema.user_id not in there:  # its keys were made up when it was trained, and are again
            schema = replace(schema, user_id=None)
        if schema.item_id not in there:
            schema = replace(schema, item_id=None)
        return Tables.read(schema, users=users, items=items, interactions=interactions, flat=flat, labelled=labelled)
    if interactions is None:
        raise ConfigError("give the pairs with --interactions, or one table with --flat")
    own = {"users": model.users_ if users is None else users, "items": model.items_ if items is None else items}
    return Tables.read(schema, **own, interactions=interactions, labelled=labelled)


def parse_row(text: str, option: str) -> dict[str, Any]:
    """A JSON object from the command line.

    Raises:
        ConfigError: not JSON, or no object.
    """
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{option} {text!r}: JSON expected ({error.msg} at {error.pos})") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{option} {text!r}: a JSON object expected, {{column: value, …}}")
    return row


def given_rows(rows: list[str] | None, file: Path | None) -> list[dict[str, Any]]:
    """Rows of features from ``--row`` and from a file."""
    from penchant.tables import read_frame

    found = [parse_row(text, "--row") for text in rows or ()]
    if file is not None:
        found += read_frame(file).to_dicts()
    return found


def one_asked(key: str | None, row: str | None, what: str, key_option: str = "", row_option: str = "--row") -> Any:
    """The one that a question is about: an id, or a row of features.

    Raises:
        ConfigError: both or neither.
    """
    if (key is None) == (row is None):
        named = f" ({key_option})" if key_option else ""
        raise ConfigError(f"give the {what}'s id{named}, or its features with {row_option}, one of the two")
    return key if row is None else parse_row(row, row_option)


def one_of(word: str, known: tuple[_Word, ...], option: str) -> _Word:
    """The known word that an option gives.

    Raises:
        ConfigError: another one.
    """
    for one in known:
        if word == one:
            return one
    raise ConfigError(f"{option} {word}: {' or '.join(known)} expected")


def side_of(word: str, option: str = "--side") -> Literal["user", "item"]:
    """Which side is meant; see `one_of`."""
    return one_of(word, ("user", "item"), option)


def source_of(word: str) -> Literal["prior", "ball"]:
    """What the details of a portrait are over; see `one_of`."""
    return one_of(word, ("prior", "ball"), "--source")


def warn(tables: "Tables") -> None:
    """Say what is odd about tables, on standard error."""
    for problem in tables.warnings:
        say(f"warning: {problem}")


def configured(config: Path | None, settings: list[str], given: Mapping[str, Any]) -> "Penchant":
    """A model from the preset, then the file, then ``--set``, then options of their own: later ones win.

    Raises:
        ConfigError: a file that is no TOML, an unknown option or a wrong value.
    """
    from penchant.estimator import Penchant

    return Penchant.from_config({**_said(config, settings), **given})


def gone_on_from(path: Path, config: Path | None, settings: list[str], given: Mapping[str, Any]) -> "Penchant":
    """A fitted model, with its options changed by the file, then ``--set``, then options of their own.

    Raises:
        ConfigError: see `configured`; also a preset, as the model has options of its own. StorageError: no model.
    """
    from penchant._config import plain
    from penchant.estimator import Penchant

    fitted, changes = load_model(path), {**_said(config, settings), **given}
    if "preset" in changes:
        raise ConfigError("--warm-start and a preset: the model has options of its own. Leave the preset out")
    options = plain(fitted.get_params(deep=False))
    for name, value in changes.items():
        grouped = isinstance(value, dict) and isinstance(options.get(name), dict)
        options[name] = {**options[name], **value} if grouped else value
    return fitted.set_params(**Penchant.from_config(options).get_params(deep=False))


def _said(config: Path | None, settings: list[str]) -> dict[str, Any]:
    """The file's options, changed by ``--set``."""
    options: dict[str, Any] = {}
    if config is not None:
        try:
            options = tomllib.loads(config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"--config {config}: cannot be read as TOML ({error})") from error
    for setting in settings:
        _set(options, setting)
    return options


def _set(options: dict[str, Any], setting: str) -> None:
    """One ``group.name=value`` into nested options; a value is TOML, and text where it is none."""
    name, equals, text = setting.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"--set {setting!r}: name=value expected, e.g. loss.delta=3")
    *groups, last = name.strip().split(".")
    for group in groups:
        options = options.setdefault(group, {})
        if not isinstance(options, dict):
            raise ConfigError(f"--set {setting!r}: {group} is no group of options")
    options[last] = toml_value(text)


def toml_value(text: str) -> Any:
    """A value as TOML, and text where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def dealt(tables: "Tables", split: str, valid: float, test: float, rng: int) -> dict[str, Any]:
    """The training rows, and those split off where a share is asked for."""
    from penchant.tables import SPLITS

    if split not in SPLITS:
        raise ConfigError(f"--split {split}: one of {', '.join(SPLITS)} expected")
    if valid + test >= 1:
        raise ConfigError(f"--valid-share {valid} and --test-share {test} leave nothing to train on")
    shares = {"train": 1 - valid - test, "valid": valid, "test": test}
    wanted = [name for name, share in shares.items() if share > 0]
    parts = SPLITS[split](tables, [shares[name] for name in wanted], rng=rng) if len(wanted) > 1 else (tables,)
    return {"valid": None, "test": None} | dict(zip(wanted, parts, strict=True))
