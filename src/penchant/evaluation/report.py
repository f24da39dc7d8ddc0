"""What came out of a protocol: a table with spread and intervals, who is best and whether that was luck, a page."""

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float

from penchant.errors import ConfigError
from penchant.evaluation.judging import LOWER_IS_BETTER, is_judged
from penchant.evaluation.significance import Comparison, compare_paired, mean_interval

__all__ = ["Report"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """Figures of models on the folds of one protocol."""

    protocol: str
    """Its name."""
    words: str
    """What is held out, and what competes."""
    folds: tuple[int, ...]
    """Which folds were run."""
    values: pl.DataFrame
    """model, fold, figure, value."""
    users: pl.DataFrame
    """model, fold, user, figure, value: of the figures that each user has."""
    seconds: pl.DataFrame
    """model, fold, fit, judge: for information; it depends on the machine and on what else runs there."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Models that were left out, and why."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How it was run: sizes of the tables, seed, options of the models."""

    @property
    def title(self) -> str:
        """The protocol in a line."""
        folds = f", {len(self.folds)} folds" if len(self.folds) > 1 else ""
        return f"{self.protocol}{folds}: {self.words}"

    @property
    def models(self) -> list[str]:
        """Those that were judged, in the order given."""
        return self.values["model"].unique(maintain_order=True).to_list()

    def to_frame(self) -> pl.DataFrame:
        """A row for each model and figure.

        Returns:
            Columns: model, figure, value, spread, low, high. Of a figure that users have, ``value`` is the mean over
            users (each one's mean over the folds first) and ``low`` … ``high`` hold 95 % of the means of users drawn
            anew; of another, ``value`` is the mean over the folds, ``low`` and ``high`` the least and the largest (null
            for one fold). ``spread`` is the standard deviation over folds, null for one fold.
        """
        rows = []
        for (model, figure), part in self.values.group_by(["model", "figure"], maintain_order=True):
            own = self.of_users(str(model), str(figure))["value"].to_numpy()
            rows.append((model, figure, *_summary(part["value"].to_numpy(), own)))
        numbers = dict.fromkeys(("value", "spread", "low", "high"), pl.Float64)
        kinds = {"model": pl.String, "figure": pl.String, **numbers}
        return pl.DataFrame(rows, schema=kinds, orient="row")

    def table(self) -> pl.DataFrame:
        """A row a model, a column a figure, and the seconds of a fit."""
        wide = self.to_frame().pivot(on="figure", index="model", values="value", maintain_order=True)
        fit = self.seconds.group_by("model").agg(pl.col("fit").mean().round(1).alias("seconds"))
        return wide.join(fit, on="model", how="left", maintain_order="left")

    def of_users(self, model: str, figure: str) -> pl.DataFrame:
        """One figure of a model by user: user and value, the mean over the folds; users in order."""
        rows = self.users.filter((pl.col("model") == model) & (pl.col("figure") == figure))
        return rows.group_by("user").agg(pl.col("value").mean()).sort("user")

    def compare(self, a: str, b: str, figure: str, *, rng: int = 0) -> Comparison:
        """Is one model better than another, or was it luck? On the users who have the figure from both.

        Raises:
            ConfigError: no such model, or a figure that users do not have each.
        """
        for model in (a, b):
            if model not in self.models:
                raise ConfigError(f"model {model!r}: one of {', '.join(self.models)} expected")
        both = self.of_users(a, figure).join(self.of_users(b, figure), on="user", how="inner", suffix="_b")
        if not both.height:
            known = self.users["figure"].unique(maintain_order=True).to_list()
            raise ConfigError(
                f"figure {figure!r}: one that users have each expected: {', '.join(known) or 'none is there'}"
            )
        return compare_paired(both["value"].to_numpy(), both["value_b"].to_numpy(), rng=rng)

    def significance(self) -> pl.DataFrame:
        """For each figure that users have: the best model, the second, and whether the difference is more than luck.

        Returns:
            Columns: figure, best, second, difference, low, high, p_value, users (see `Comparison`); none for figures
            of which more is not better, nor with fewer than two models or users.
        """
        rows = []
        own = self.users["figure"].unique(maintain_order=True).to_list() if len(self.models) > 1 else []
        for figure in filter(is_judged, own):
            best, second = self._best_two(figure)
            if self.of_users(best, figure).height > 1:
                found = self.compare(best, second, figure)
                rows.append((figure, best, second, found.difference, found.low, found.high, found.p_value, found.n))
        kinds = {"figure": pl.String, "best": pl.String, "second": pl.String}
        numbers = dict.fromkeys(("difference", "low", "high", "p_value"), pl.Float64)
        return pl.DataFrame(rows, schema={**kinds, **numbers, "users": pl.Int64}, orient="row")

    def _best_two(self, figure: str) -> tuple[str, str]:
        worse = figure.partition("@")[0] in LOWER_IS_BETTER
        means = {model: float(self.of_users(model, figure)["value"].mean() or 0.0) for model in self.models}  # type: ignore[arg-type]
        best, second, *_ = sorted(means, key=lambda model: means[model], reverse=not worse)
        return best, second

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "protocol": self.protocol,
            "words": self.words,
            "folds": list(self.folds),
            "figures": _plain(self.to_frame()),
            "significance": _plain(self.significance()),
            "by_fold": _plain(self.values),
            "seconds": _plain(self.seconds),
            "skipped": dict(self.skipped),
            **self.facts,
        }

    def to_json(self) -> str:
        """The JSON form; NaN as null."""
        return json.dumps(self.to_dict(), ensure_ascii=False, default=str, allow_nan=False)

    def to_html(self) -> str:
        """A page with the figures and their intervals drawn, and the tables; it opens without a network."""
        from plotly.offline import get_plotlyjs

        from penchant.evaluation._drawing import drawn
        from penchant.portraits import html_page

        skipped = "".join(f"<p class='soft'>{html.escape(f'{m}: {why}')}</p>" for m, why in self.skipped.items())
        body = (
            f"<h1>{html.escape(self.protocol.replace('_', ' '))}</h1><p>{html.escape(self.title)}.</p>{skipped}"
            f"{drawn(self.to_frame(), self.models)}<h2>Figures</h2>{_table(self.table())}"
            f"<h2>Best and second</h2>{_table(self.significance())}"
        )
        return html_page(f"penchant: {self.protocol}", body, head=f"<script>{get_plotlyjs()}</script>")


def _summary(
    by_fold: Float[np.ndarray, " folds"], own: Float[np.ndarray, " users"]
) -> tuple[float, float | None, float | None, float | None]:
    """Value, spread, low and high, see `Report.to_frame`."""
    several = len(by_fold) > 1
    spread = float(by_fold.std(ddof=1)) if several else None
    if len(own):
        return float(own.mean()), spread, *mean_interval(own)
    ends = (float(by_fold.min()), float(by_fold.max())) if several else (None, None)
    return float(by_fold.mean()), spread, *ends


def _plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows; what is no finite number as None."""
    whole = frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name, kind in frame.schema.items() if kind.is_float()
    )
    return whole.to_dicts()


def _table(frame: pl.DataFrame) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in frame.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in frame.iter_rows())
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<td class='number'>{value:.4f}</td>" if math.isfinite(value) else "<td class='number'>–</td>"
    return f"<td>{'–' if value is None else html.escape(str(value))}</td>"
