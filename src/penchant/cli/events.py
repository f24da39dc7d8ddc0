"""``penchant events``: a store of events, filled, replayed, exported and cleaned from the shell."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli._options import Json, Model, load_model
from penchant.cli._output import say, show_json
from penchant.errors import ConfigError

if TYPE_CHECKING:
    from penchant.dynamics.events import EventStore
    from penchant.estimator.moving import Following

__all__ = ["add", "app", "backup", "compact", "export", "facts", "forget", "replay", "restore"]

StoreUrl = Annotated[str, typer.Option(help="sqlite:///events.db, or postgresql://user:password@host:port/database.")]
_BATCH = 1000

app = typer.Typer(no_args_is_help=True, help="Events that move interest points: add, replay, export, forget.")


@app.callback()
def _group() -> None:
    """Events that move interest points: add, replay, export, forget."""


@app.command()
def add(
    model: Model,
    file: Annotated[Path, typer.Argument(help="Events: user, item, label, time as in the schema; id, kind, weight.")],
    store: StoreUrl,
    as_json: Json = False,
) -> None:
    """Add events and move their users; rows that are there already have no second effect.

    Example: `penchant events add articles.penchant today.csv --store sqlite:///events.db`
    """
    from penchant.tables import read_frame

    fitted, frame = load_model(model, store), read_frame(file)
    found = {"accepted": 0, "duplicates": 0, "conflicts": 0}
    for start in range(0, frame.height, _BATCH):
        done = fitted.observe(frame[start : start + _BATCH])
        found["accepted"] += done.accepted
        found["duplicates"] += len(done.duplicates)
        found["conflicts"] += len(done.conflicts)
    _tell(found, as_json, "{accepted:,} events added, {duplicates:,} were there, {conflicts:,} with other content")


@app.command()
def replay(model: Model, store: StoreUrl, as_json: Json = False) -> None:
    """Make every state again from the log, as after a new model; they come out bit for bit the same.

    Example: `penchant events replay articles.penchant --store sqlite:///events.db`
    """
    following = _following(model, store)
    _tell({"users": following.store.replay(following.filter.apply)}, as_json, "the states of {users:,} users replayed")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A .parquet file: user, item, label, time, weight.")],
    store: StoreUrl,
    as_json: Json = False,
) -> None:
    """Write the log as interactions, for the next training.

    Example: `penchant events export clicks.parquet --store sqlite:///events.db`
    """
    if file.suffix != ".parquet":
        raise ConfigError(f"{file}: a .parquet file expected")
    _tell({"rows": _opened(store).export(file), "file": str(file)}, as_json, "{rows:,} events written to {file}")


@app.command()
def forget(
    users: Annotated[list[str], typer.Argument(help="Ids of users.")],
    store: StoreUrl,
    number: Annotated[bool, typer.Option(help="The ids are whole numbers, not text.")] = False,
    as_json: Json = False,
) -> None:
    """Delete all there is of users, so that their bytes are in no file of the store.

    Example: `penchant events forget u17 u23 --store sqlite:///events.db`
    """
    done = _opened(store).forget(*([int(user) for user in users] if number else users))
    _tell(asdict(done), as_json, "{users:,} users forgotten: {events:,} events, {states:,} states")


@app.command()
def compact(
    model: Model,
    store: StoreUrl,
    days: Annotated[float, typer.Option(min=0, help="Events older than so many days are folded into states.")],
    as_json: Json = False,
) -> None:
    """Fold old events into what states start from, and delete them; states stay as they are.

    Example: `penchant events compact articles.penchant --days 365 --store sqlite:///events.db`
    """
    import time

    following = _following(model, store)
    done = following.store.compact(time.time() - days * 86_400, following.filter.apply)
    _tell({"events": done}, as_json, "{events:,} events folded and deleted")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; an older one is replaced.")],
    store: StoreUrl,
    as_json: Json = False,
) -> None:
    """Copy a store in SQLite as it is now, also while it is served. (PostgreSQL: pg_dump.)

    Example: `penchant events backup copy.db --store sqlite:///events.db`
    """
    from penchant.dynamics.events import backup

    _tell(asdict(backup(store, file)), as_json, "{events:,} events of {users:,} users copied")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A copy made by `penchant events backup`.")],
    store: StoreUrl,
    as_json: Json = False,
) -> None:
    """Put a store back from a copy, where there is none. (PostgreSQL: pg_restore.)

    Example: `penchant events restore copy.db --store sqlite:///events.db`
    """
    from penchant.dynamics.events import restore

    _tell(asdict(restore(file, store)), as_json, "{events:,} events of {users:,} users are back")


@app.command()
def facts(store: StoreUrl, as_json: Json = False) -> None:
    """Say what a store holds.

    Example: `penchant events facts --store sqlite:///events.db`
    """
    _tell(
        asdict(_opened(store).facts()), as_json, "{events:,} events of {users:,} users, the latest at place {offset:,}"
    )


def _opened(store: str) -> "EventStore":
    from penchant.dynamics.events import open_store

    return open_store(store)


def _following(model: Path, store: str) -> "Following":
    return load_model(model, store).following


def _tell(found: dict[str, Any], as_json: bool, words: str) -> None:
    if as_json:
        show_json(found)
    else:
        say(words.format(**found))
