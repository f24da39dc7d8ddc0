"""``penchant evaluate``: how good a model is on interactions it has not seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from penchant.cli._options import Flat, Interactions, Items, Json, Model, Out, Users, load_model, model_tables
from penchant.cli._output import check_out, show_frame, show_json, write_frame

if TYPE_CHECKING:
    from penchant.estimator import Penchant
    from penchant.tables import Tables

__all__ = ["evaluate"]

_RANKED = ("recall", "precision", "ndcg", "map", "mrr", "hit", "coverage")


def evaluate(
    model: Model,
    interactions: Interactions = None,
    users: Users = None,
    items: Items = None,
    flat: Flat = None,
    ranking: Annotated[bool, typer.Option("--ranking", help="Rankings of all items too, at k = 10.")] = False,
    k: Annotated[list[int] | None, typer.Option("--k", min=1, help="Ranks that count; may be repeated.")] = None,
    given: Annotated[
        Path | None,
        typer.Option(help="Their earlier interactions: rank for them as for new users who bring this past along."),
    ] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Figures on labelled interactions: AUC, AUC within users, log loss, accuracy, Brier score, calibration error.

    With `--ranking` or `--k` also full rankings of what each user has not met: recall (truncated), precision, NDCG,
    MAP, MRR, hit rate, coverage. With `--given` these alone, for users who were not in the training rows and bring
    their past. Users and items are the model's own where no tables are given.

    Example: `penchant evaluate articles.penchant --interactions later_clicks.csv --k 10 --k 50`
    """
    from penchant.evaluation import evaluate_binary

    check_out(out)
    fitted = load_model(model)
    tables = model_tables(fitted, users=users, items=items, interactions=interactions, flat=flat, labelled=True)
    figures: dict[str, float] = {}
    if given is None:
        probability = fitted.predict_proba(tables)["probability"].to_numpy()
        label = tables.interactions[tables.schema.label].to_numpy()
        figures |= evaluate_binary(label, probability, tables.interactions[tables.schema.user].to_numpy())
    if ranking or k or given is not None:
        told = None if given is None else _told(fitted, tables, given)
        figures |= _rankings(fitted, tables, told, k or [10])
    frame = pl.DataFrame({"figure": list(figures), "value": list(figures.values())})
    if out is not None:
        write_frame(frame, out)
    if as_json:
        show_json({"rows": len(tables), **figures})
    elif out is None:
        show_frame(frame, title=f"{model} on {len(tables):,} interactions", out=None, as_json=False)


def _told(fitted: "Penchant", tables: "Tables", path: Path) -> "Tables":
    """What is known of the users beside the model's own tables."""
    from penchant.tables import Tables

    return Tables.read(fitted.schema_, users=tables.users, items=tables.items, interactions=path)


def _rankings(fitted: "Penchant", tables: "Tables", given: "Tables | None", k: list[int]) -> dict[str, float]:
    """Figures of full rankings. Raises: DataError: nothing is liked; a pair is both given and to be found."""
    from penchant.evaluation import Question, Task, judge

    nothing = tables.with_interactions(tables.interactions.clear())
    task = Task(train=nothing, test=tables, given=given)
    return judge(fitted, Question.of(task), k=k, figures=_RANKED).figures
