"""``penchant train``: tables to a model directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli._options import (
    Flat,
    Interactions,
    Items,
    Json,
    Quiet,
    Rng,
    SchemaFile,
    Settings,
    Split,
    Users,
    configured,
    dealt,
    gone_on_from,
    read_tables,
    warn,
)
from penchant.cli._output import check_out, say, show_json, write_frame
from penchant.errors import DataError, Problem
from penchant.storage import check_replaceable

if TYPE_CHECKING:
    from penchant.estimator import Penchant
    from penchant.tables import Tables

__all__ = ["train"]

_WARM_START = (
    "A model to go on from, on later rows and in the same space; the tables need hold those only who appear in them. "
    "Its options hold where no others are given."
)


def train(
    schema: SchemaFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model directory; an older model there is replaced.")],
    users: Users = None,
    items: Items = None,
    interactions: Interactions = None,
    flat: Flat = None,
    valid: Annotated[
        Path | None, typer.Option(help="Interactions to stop and calibrate on; else a share of all is split off.")
    ] = None,
    split: Split = "random",
    valid_share: Annotated[float, typer.Option(min=0, max=0.9, help="Share to stop and calibrate on.")] = 0.1,
    test_share: Annotated[float, typer.Option(min=0, max=0.9, help="Share to put aside and judge by at the end.")] = 0,
    test_out: Annotated[Path | None, typer.Option(help="Write the rows put aside to this file.")] = None,
    preset: Annotated[str | None, typer.Option(help="Named configuration to start from: default or seed.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of options (docs/configuration.md).")] = None,
    settings: Settings = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many; training stops by itself.")] = None,
    rng: Rng = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, … or auto.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder for a checkpoint after each epoch; found there, training goes on.")
    ] = None,
    warm_start: Annotated[Path | None, typer.Option(help=_WARM_START)] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Learn the space and write the model. Nothing is written before all of it is there.

    Example: `penchant train --schema schema.toml --users users.csv --items items.csv --interactions clicks.csv
    --out articles.penchant`
    """
    check_replaceable(out)
    check_out(test_out, option="--test-out")
    given = {"preset": preset, "rng": rng, "epochs": epochs, "device": device}
    model = _model(warm_start, config, settings or [], {name: v for name, v in given.items() if v is not None})
    tables = read_tables(schema, users, items, interactions, flat)
    warn(tables)
    if valid is not None:
        valid_share = 0
    parts = dealt(tables, split, valid_share, test_share, rng)
    held_out = parts["valid"] if valid is None else _validation(tables, valid)
    warm = warm_start is not None
    try:
        model.fit(parts["train"], held_out, checkpoint=checkpoint, progress=not quiet, warm_start=warm)
    except KeyboardInterrupt:
        if checkpoint is not None:
            say(f"the same command goes on from the checkpoint in {checkpoint}")
        raise
    model.save(out)
    if test_out is not None and parts["test"] is not None:
        write_frame(parts["test"].interactions, test_out)
    _report(model, parts, held_out, out, as_json)


def _model(warm_start: Path | None, config: Path | None, settings: list[str], given: dict[str, Any]) -> "Penchant":
    if warm_start is None:
        return configured(config, settings, given)
    return gone_on_from(warm_start, config, settings, given)


def _validation(tables: "Tables", path: Path) -> "Tables":
    from penchant.tables import Tables

    return Tables.read(tables.schema, users=tables.users, items=tables.items, interactions=path)


def _report(model: "Penchant", parts: dict[str, Any], held_out: Any, out: Path, as_json: bool) -> None:
    figures: dict[str, Any] = {"model": str(out), "epochs": model.history_.height, "threshold": model.threshold_}
    if held_out is not None:
        figures["valid_auc"] = model.history_["valid"].max()
    if parts["test"] is not None:
        figures["test_auc"] = _test_auc(model, parts["test"])
    if model.drift_ is not None:
        figures["drift"] = model.drift_.config()
    if as_json:
        show_json(figures)
        return
    said = {"valid_auc": "validation AUC", "test_auc": "test AUC"}
    shown = ", ".join(f"{said[name]} {figures[name]:.4f}" for name in said if figures.get(name) is not None)
    say(
        f"{out} written: {figures['epochs']} epochs, threshold {model.threshold_:.3f}" + (f", {shown}" if shown else "")
    )
    if model.drift_ is not None:
        wandered = f"users {model.drift_.users:.3f} and items {model.drift_.items:.3f} from where they were, on average"
        say(f"{wandered}; {model.drift_.decisions:.1%} of decisions changed")
    say(f"next: penchant recommend {out} ID · penchant portrait {out} ID · penchant info {out}")


def _test_auc(model: "Penchant", test: "Tables") -> float | None:
    try:
        return model.score(test)
    except DataError as error:
        problem: Problem = error.problems[0]
        say(f"warning: the rows put aside cannot be judged: {problem.message}")
        return None
