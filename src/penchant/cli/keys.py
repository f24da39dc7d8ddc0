"""``penchant keys``: the keys of a service, made, listed and revoked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli._options import Json
from penchant.cli._output import say, show_json
from penchant.cli.serve import MISSING
from penchant.errors import ConfigError

if TYPE_CHECKING:
    from penchant.service.keys import KeyFile

__all__ = ["add", "app", "list_", "revoke"]

File = Annotated[Path, typer.Argument(help="The file of keys; it holds hashes, no keys.")]
Name = Annotated[str, typer.Argument(help="The key's id: lower-case letters, digits, hyphens.")]

app = typer.Typer(no_args_is_help=True, help="Keys of `penchant serve`: add, list, revoke.")


@app.callback()
def _group() -> None:
    """Keys of `penchant serve`: add, list, revoke."""


@app.command()
def add(
    file: File,
    name: Name,
    scope: Annotated[list[str] | None, typer.Option(help="read, events or admin. May be repeated.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends to hold: 2027-01-31, or with a time and zone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key, say it once, and keep its hash. A running service knows it within a second.

    Example: `penchant keys add keys.json shop-front --scope read --scope events --rate 50`
    """
    record, key = _key_file(file, new=True).add(name, scope or ["read"], rate=rate, expires=expires)
    if as_json:
        show_json({"id": record.id, "key": key, "scopes": record.scopes, "expires": record.expires})
        return
    print(key)
    say(f"The key of {name}, said this once. Give it as: Authorization: Bearer <key>")


@app.command("list")
def list_(file: File, as_json: Json = False) -> None:
    """Say which keys there are, without the keys.

    Example: `penchant keys list keys.json`
    """
    rows: list[dict[str, Any]] = [
        {"id": one.id, "scopes": list(one.scopes), "rate": one.rate, "expires": one.expires, "created": one.created}
        for one in _key_file(file).records
    ]
    if as_json:
        show_json(rows)
        return
    for row in rows:
        rate = "any rate" if row["rate"] is None else f"{row['rate']:g}/s"
        print(f"{row['id']}: {', '.join(row['scopes'])}; {rate}; until {row['expires'] or 'revoked'}")


@app.command()
def revoke(file: File, name: Name) -> None:
    """Take a key away. A running service knows within a second.

    Example: `penchant keys revoke keys.json shop-front`
    """
    _key_file(file).revoke(name)
    say(f"{name} is revoked")


def _key_file(path: Path, *, new: bool = False) -> "KeyFile":
    """The file. Raises: ConfigError: the service is not installed. StorageError: it is no file of keys."""
    try:
        from penchant.service.keys import KeyFile
    except ImportError as error:
        raise ConfigError(MISSING) from error
    return KeyFile.create(path) if new else KeyFile(path)
