"""``penchant compare``: models side by side on tables of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from penchant.cli._output import SUFFIXES, check_out, say, show_frame, write_frame
from penchant.cli._protocols import Folds, Protocol, ProtocolOptions, TestShare, ValidShare, chosen, made
from penchant.errors import ConfigError
from penchant.storage import write_atomic

if TYPE_CHECKING:
    from penchant.evaluation import Report
    from penchant.recommender import Recommender

__all__ = ["compare"]

PAGE = ".html"


Models = Annotated[
    str,
    typer.Option(
        help="Names with commas between them: penchant, penchant:PRESET, popular, logistic, item-knn, user-knn, ease, "
        "mf, fm, cml, transcf, mult-vae."
    ),
]
Figures = Annotated[
    str | None,
    typer.Option(
        help="Names with commas between them; else auc, user_auc, logloss, calibration_error, recall (truncated), "
        "ndcg, hit, mrr, coverage."
    ),
]
Negatives = Annotated[
    int | None,
    typer.Option(min=1, help="Rank likes among so many random items only, not among all; the figures then say so."),
]
PageOut = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write to this file: .html with a plot, .json with all, .csv, …")
]


def compare(
    schema: SchemaFile,
    users: Users = None,
    items: Items = None,
    interactions: Interactions = None,
    flat: Flat = None,
    models: Models = "penchant,logistic,item-knn,popular",
    protocol: Protocol = "random",
    folds: Folds = None,
    valid_share: ValidShare = None,
    test_share: TestShare = None,
    protocol_option: ProtocolOptions = None,
    k: Annotated[list[int] | None, typer.Option("--k", min=1, help="Ranks that count; may be repeated. 10.")] = None,
    figures: Figures = None,
    negatives: Negatives = None,
    settings: Settings = None,
    rng: Rng = 0,
    out: PageOut = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train models on the same rows and judge them by the same held-out ones: predictions and full rankings.

    Over all test rows AUC, AUC within users, log loss and calibration error; by user recall (truncated: divided by
    the smaller of k and the likes to be found), NDCG, hit rate and MRR of what the user liked among all items the
    user has not met; coverage of the catalogue; and for each figure whether the best is better than the second by
    more than luck. Models that a protocol asks for what they cannot do are left out and named.

    Example: `penchant compare --schema schema.toml --users users.csv --items items.csv --interactions clicks.csv
    --protocol strong_generalisation --folds 5 --models item-knn,ease,popular --k 20 --out figures.html`
    """
    from penchant.evaluation import USUAL, evaluate_protocol

    check_out(out, (*SUFFIXES, PAGE))
    asked = chosen(protocol, folds, valid_share, test_share, protocol_option)
    compared = _models(models, settings or [], rng)
    names = USUAL if figures is None else _names(figures)
    tables = read_tables(schema, users, items, interactions, flat)
    warn(tables)
    report = evaluate_protocol(
        compared, tables, asked, k=k or [10], figures=names, negatives=negatives, rng=rng,
        progress=False if quiet else None,
    )  # fmt: skip
    for name, why in report.skipped.items():
        say(f"left out: {name}: {why}")
    _show(report, out, as_json)


def _show(report: "Report", out: Path | None, as_json: bool) -> None:
    if out is not None and out.suffix.lower() in (PAGE, ".json"):
        form = report.to_html() if out.suffix.lower() == PAGE else report.to_json()
        write_atomic(out, form.encode())
        say(f"written to {out}")
    elif out is not None:
        write_frame(report.to_frame(), out)
    if as_json:
        print(report.to_json())
    elif out is None:
        show_frame(report.table(), title=report.title, out=None, as_json=False)
        significance = report.significance()
        if significance.height:
            title = "Best and second: mean difference over users with its 95 % interval, p-value of a permutation test"
            show_frame(significance, title=title, out=None, as_json=False)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _models(names: str, settings: list[str], rng: int) -> "dict[str, Recommender]":
    wanted = _names(names)
    if not wanted:
        raise ConfigError("--models: no model given")
    return {name: made(name, settings, rng) for name in wanted}
