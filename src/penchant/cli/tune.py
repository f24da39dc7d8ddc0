"""``penchant tune``: the options that do best on tables of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
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
    Users,
    read_tables,
    warn,
)
from penchant.cli._output import check_out, say, show_frame
from penchant.cli._protocols import (
    PENCHANT,
    Folds,
    Protocol,
    ProtocolOptions,
    TestShare,
    ValidShare,
    chosen,
    made,
)
from penchant.errors import ConfigError
from penchant.storage import write_atomic

if TYPE_CHECKING:
    from penchant.recommender import Recommender
    from penchant.tuning import Axis, Tuned

__all__ = ["tune"]

_SHOWN = 10
"""Of the best trials."""


def tune(
    schema: SchemaFile,
    users: Users = None,
    items: Items = None,
    interactions: Interactions = None,
    flat: Flat = None,
    model: Annotated[str, typer.Option(help="penchant, penchant:PRESET or a baseline, as in `compare`.")] = PENCHANT,
    protocol: Protocol = "random",
    folds: Folds = None,
    fold: Annotated[int, typer.Option(min=0, help="On which fold of the protocol.")] = 0,
    valid_share: ValidShare = None,
    test_share: TestShare = None,
    protocol_option: ProtocolOptions = None,
    figure: Annotated[
        str | None,
        typer.Option(help="What trials are judged by: auc, logloss, ndcg@100, …; else auc or ndcg@100."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="How many in all, those in the study file included.")] = 30,
    timeout: Annotated[float | None, typer.Option(min=0, help="Begin no trial after so many seconds.")] = None,
    search: Annotated[Path | None, typer.Option(help="TOML file of options to try, beside the usual.")] = None,
    study: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps every trial; found there, the study goes on.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of options to start from.")] = None,
    settings: Settings = None,
    rng: Rng = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the best options to this TOML file.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Look for the options that do best on the validation rows; the test rows are not looked at.

    The first trial is the model as it is. Trials that fall behind are broken off. With `--study` the same command goes
    on where it was interrupted. What is found goes into `penchant train --config`; judge it with `penchant compare`.
    Needs optuna: `pip install penchant[tune]`.

    Example: `penchant tune --schema schema.toml --users users.csv --items items.csv --interactions clicks.csv
    --trials 50 --study clicks.db --out best.toml`
    """
    from penchant.tuning import tune as look

    check_out(out, (".toml",))
    asked = chosen(protocol, folds, valid_share, test_share, protocol_option)
    start = made(model, settings or [], rng, config=config, option="--model")
    axes = _search(search, start)
    tables = read_tables(schema, users, items, interactions, flat)
    warn(tables)
    try:
        found = look(
            start, tables, asked, figure=figure, n_trials=trials, timeout=timeout, search=axes, study=study, fold=fold,
            rng=rng, progress=False if quiet else None,
        )  # fmt: skip
    except KeyboardInterrupt:
        if study is not None:
            say(f"the same command goes on from the study in {study}")
        raise
    _show(found, model, out, as_json)


def _search(path: Path | None, model: "Recommender") -> "dict[str, Axis]":
    from penchant.tuning import check_search, read_search, search_of

    usual = search_of(model)
    axes = usual if path is None else read_search(path, usual)
    try:
        check_search(axes, model)
    except ConfigError as error:
        raise ConfigError(f"--search: {error}") from error
    return axes


def _show(found: "Tuned", model: str, out: Path | None, as_json: bool) -> None:
    toml = found.to_toml()
    if out is not None:
        write_atomic(out, f"# {found.figure} = {found.value:.4f} on the validation rows\n{toml}".encode())
    if as_json:
        print(found.to_json())
        return
    best = found.trials.filter(pl.col("state") == "complete")
    less = found.trials.height - best.height
    best = best.sort("value", descending=not found.lower_is_better).head(_SHOWN)
    title = (
        f"{found.figure} on the validation rows: the best of {found.trials.height} trials, {less} of them broken off"
    )
    show_frame(best.drop("state"), title=title, out=None, as_json=False)
    if out is None:
        print("\n" + (toml or "# nothing did better than the options as they are\n"), end="")
    else:
        after = f"next: penchant train --config {out} …" if model.partition(":")[0] == PENCHANT else ""
        say(f"{out} written" + (f"; {after}" if after else ""))
