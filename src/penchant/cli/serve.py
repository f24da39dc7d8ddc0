"""``penchant serve``: a model behind HTTP."""

from pathlib import Path
from typing import Annotated, Any

import typer

from penchant.cli._output import say, show_json
from penchant.errors import ConfigError

__all__ = ["serve"]

MISSING = "the service needs packages that are not installed: pip install penchant[serve]"


def serve(
    model: Annotated[str | None, typer.Argument(help="A model directory; may be in the settings instead.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings (docs/service.md).")] = None,
    check: Annotated[bool, typer.Option("--check", help="Say the settings, load all, and end.")] = False,
    store: Annotated[
        str | None, typer.Option(help="Events that move users: sqlite:///events.db, or postgresql://…")
    ] = None,
    models: Annotated[str | None, typer.Option(help="Folder of models that may be switched to while serving.")] = None,
    maps: Annotated[str | None, typer.Option(help="Folder where drawn maps are kept.")] = None,
    second: Annotated[str | None, typer.Option(help="A second model, for a share of the users or the shadow.")] = None,
    share: Annotated[float | None, typer.Option(help="Share of the users whom the second model answers.")] = None,
    shadow: Annotated[bool | None, typer.Option("--shadow/--no-shadow", help="Only compare the second model.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; others than loopback need keys.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes, each with its own copy of the model.")] = None,
    keys: Annotated[str | None, typer.Option(help="File of API keys (penchant keys).")] = None,
    audit: Annotated[str | None, typer.Option(help="File for administrators' actions, a JSON line each.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second of a key, where its record says none.")] = None,
    otlp: Annotated[str | None, typer.Option(help="OpenTelemetry collector for spans: http://host:4318.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve a model over HTTP, on loopback unless told otherwise. A flag wins over the environment (PENCHANT_PORT, …),
    that over the file, that over the default.

    Example: `penchant serve articles.penchant --store sqlite:///events.db --port 8000`
    """
    flags: dict[str, Any] = {
        "model": model, "store": store, "models": models, "maps": maps, "second": second, "share": share,
        "shadow": shadow, "host": host, "port": port, "workers": workers, "keys": keys, "audit": audit, "rate": rate,
        "otlp": otlp, "log_level": log_level,
    }  # fmt: skip
    try:
        from penchant.service import read_settings
        from penchant.service.running import run
        from penchant.service.service import Service
    except ImportError as error:
        raise ConfigError(MISSING) from error
    settings = read_settings(flags, file=config)
    if not settings.model:
        raise ConfigError("give a model directory: penchant serve MODEL")
    if check:
        show_json(settings.shown())
        service = Service(settings)
        say(f"sound: {service.models.serving.first.name}, version {service.models.serving.first.version}")
        service.close()
        return
    run(settings)
