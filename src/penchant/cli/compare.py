"""``penchant compare``: models side by side on tables of one's own."""

from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli._options import (
    Flat,
    Interactions,
    Items,
    Json,
    Out,
    Quiet,
    Rng,
    SchemaFile,
    Settings,
    Split,
    Users,
    configured,
    dealt,
    read_tables,
    warn,
)
from penchant.cli._output import check_out, say, show_frame
from penchant.errors import ConfigError

if TYPE_CHECKING:
    from penchant.recommender import Recommender

__all__ = ["compare"]

PENCHANT = "penchant"


def compare(
    schema: SchemaFile,
    users: Users = None,
    items: Items = None,
    interactions: Interactions = None,
    flat: Flat = None,
    models: Annotated[
        str, typer.Option(help="Names with commas between them: penchant, popular, logistic, item-knn, user-knn, ease.")
    ] = "penchant,logistic,item-knn,popular",
    split: Split = "random",
    valid_share: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share to stop and calibrate on.")] = 0.1,
    test_share: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share to judge by.")] = 0.1,
    k: Annotated[list[int] | None, typer.Option("--k", min=1, help="Ranks that count; may be repeated. 10.")] = None,
    settings: Settings = None,
    rng: Rng = 0,
    out: Out = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train models on the same rows and judge them by the same held-out ones: predictions and full rankings.

    AUC, AUC within users, log loss and calibration error over all test rows; recall, NDCG, hit rate and MRR of the
    liked ones among all items that are not in a user's training rows; coverage of the catalogue.

    Example: `penchant compare --schema schema.toml --users users.csv --items items.csv --interactions clicks.csv
    --split cold_users`
    """
    from penchant.evaluation import compare as compared

    check_out(out)
    chosen = _models(models, settings or [], rng)
    tables = read_tables(schema, users, items, interactions, flat)
    warn(tables)
    parts = dealt(tables, split, valid_share, test_share, rng)
    for name, model in chosen.items():
        say(f"training {name}")
        if name == PENCHANT:
            model.fit(parts["train"], parts["valid"], progress=not quiet)  # type: ignore[call-arg]
        else:
            model.fit(parts["train"], parts["valid"])
    figures = compared(chosen, parts["test"], k=k or [10])
    show_frame(figures, title=f"Split {split}: {len(parts['test']):,} test rows", out=out, as_json=as_json)


def _models(names: str, settings: list[str], rng: int) -> "dict[str, Recommender]":
    from penchant.baselines import KINDS

    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name != PENCHANT and name not in KINDS]
    if unknown or not wanted:
        said = f"{unknown[0]!r} is no model" if unknown else "no model given"
        raise ConfigError(f"--models: {said}: one or more of {', '.join([PENCHANT, *KINDS])} expected")
    return {name: configured(None, settings, {"rng": rng}) if name == PENCHANT else KINDS[name]() for name in wanted}
