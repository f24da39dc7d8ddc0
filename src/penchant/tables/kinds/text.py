"""Free text: which of the terms of the training texts it has, in a few numbers."""

import base64
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float, Float32, Float64

from penchant._spec import Block
from penchant.errors import Problem
from penchant.tables._field import Field
from penchant.tables.kinds._base import UNKNOWN, Counts, Encoded, Kind, cells, first, is_text, odd_objects
from penchant.tables.kinds._terms import splitter

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

__all__ = ["Text", "Weighed"]

_SIZE, _MAX_TERMS = 32, 5_000
"""Numbers a text becomes, and terms that are known, where the field does not say."""
_MOST = 100_000
"""Training texts that are looked at, evenly spread."""
_AT_ONCE = 20_000
"""Texts whose terms are held at a time."""
_COMMON = 0.01
"""Weight of a term that every training text has: hardly any, so that such words are not what a text is about."""
_NOTHING = 1e-6
"""Singular values below this share of the largest, and projections below this share of a text, are rounding."""
_AT_ORIGIN = 1e-3
"""Vectors read back that are shorter say no term."""
_NAMED, _POLE = 5, 2
"""Terms that are read back, and that name each end of an axis."""
_LEAST = 0.2
"""A term is read back that weighs this share of the strongest at least."""
_BETWEEN = " · "


class Weighed(NamedTuple):
    """A term of texts that are read back, beside everyone's."""

    term: str
    """The term."""
    weight: float
    """Its weight in what is read: TF-IDF of a text of length 1, as the axes tell it, at least 0."""
    usual: float
    """Its weight in everyone's, likewise."""


@dataclass(frozen=True)
class Text(Kind):
    """Latent semantic analysis: terms weighed by how rare they are, projected on the axes along which texts differ.

        w(t, x) = (1 + log tf(t, x)) · (0.01 + log((1 + n) / (1 + df(t))))      tf: times in x; df: texts that have t
        z(x) = V w(x) / |V w(x)|                                                V: right singular vectors of all w / |w|

    Each axis is scaled to [0, 1] over its range in the training texts, the axis' 0 included. A null is missing. A text
    without any term (empty, blank, "?!") is at the origin: it is known to say nothing. A text that has terms of which
    none is known is unseen, and read as missing.

    What is read back are the strongest terms, V'z: a text is not kept word for word.

    Source: Deerwester, Dumais, Furnas, Landauer, Harshman, Indexing by latent semantic analysis, JASIS 41 (1990); the
    singular vectors: Halko, Martinsson, Tropp 2011, arXiv 0909.4061, by scikit-learn.
    """

    form = "dense"
    lossy: ClassVar[bool] = True

    terms: tuple[str, ...]
    """The known terms, in order."""
    idf: tuple[float, ...]
    """What each weighs by its rarity."""
    axes: bytes
    """V: (size, terms) float32, little-endian, row by row; each row points to where its largest entry is positive."""
    low: tuple[float, ...]
    """Least training value of each axis, at most 0."""
    high: tuple[float, ...]
    """Greatest training value of each axis, at least 0."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Text":
        """Learn terms, axes and ranges from at most 100,000 of the training texts, evenly spread."""
        texts = _texts(column).drop_nulls()
        texts = texts.gather_every(max(1, -(-len(texts) // _MOST)))
        terms, counted = _counted(texts, field)
        if not terms:
            return cls(field, (), (), b"", (), ())
        documents = np.bincount(counted.indices, minlength=len(terms))
        idf = _COMMON + np.log((1 + len(texts)) / (1 + documents))
        axes = _singular(_weighed(counted, idf), field.size or _SIZE).astype("<f4")
        found = cls(field, terms, tuple(idf.tolist()), axes.tobytes(), (0.0,) * len(axes), (0.0,) * len(axes))
        points = found._points(texts)
        low, high = (end.reduce(points, axis=0, initial=0.0).tolist() for end in (np.fmin, np.fmax))
        return replace(found, low=tuple(low), high=tuple(high))

    def extended(self, column: pl.Series) -> "Text":
        """The same, as terms that were not known say nothing on the axes; without any known term, as if fitted now."""
        return self if self.terms else Text.fit(self.field, column)

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are no text."""
        if column.dtype == pl.Object:
            return odd_objects(table, column, (str,), "text", "Give text in all rows")
        if is_text(column) or column.dtype == pl.Null:
            return []
        present = column.is_not_null().to_numpy()
        got = f"{column.dtype} such as {first(column, present)}"
        return cells(table, column, present, f"text expected, got {got}", "Set another kind, or cast it to text")

    def block(self) -> Block:
        """As many numbers as there are axes."""
        return Block(self.field.name, "dense", len(self.low), len(self.low), "square")

    def encode(self, column: pl.Series) -> Encoded:
        """(n, size) in [0, 1]; NaN where missing, or where no term is known."""
        points, low, high = self._points(_texts(column)), np.array(self.low), np.array(self.high)
        return ((np.clip(points, low, high) - low) / np.where(high > low, high - low, 1.0)).astype(np.float32)

    def counts(self, column: pl.Series) -> Counts:
        """Missing rows, rows of unknown terms only, and rows beyond the training texts along some axis."""
        texts = _texts(column)
        points, missing = self._points(texts), texts.is_null().to_numpy()
        unseen = np.isnan(points).any(axis=1) & ~missing
        with np.errstate(invalid="ignore"):
            outside = ((points < np.array(self.low)) | (points > np.array(self.high))).any(axis=1)
        if not self.terms:
            unseen[~missing] = [bool(self._split(text)) for text in texts.drop_nulls()]
        return Counts(int(missing.sum()), int(unseen.sum()), int(outside.sum()))

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """The numbers themselves."""
        assert isinstance(encoded, np.ndarray)
        return encoded

    def labels(self) -> tuple[str, ...]:
        """The heading with the number of the axis, and the terms at both ends: "text[1]: oven, flour – boss, raid"."""
        return self._labels

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """The strongest terms, "guide · boss · raid"; an empty text where there are none."""
        missing = np.isnan(portrait).any(axis=1) if self.low else np.ones(len(portrait), dtype=bool)
        rows = zip(portrait, missing, strict=True)
        found = [None if gone else _BETWEEN.join(self._strongest(row)) for row, gone in rows]
        return pl.Series(self.field.name, found, dtype=pl.String)

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The strongest terms."""
        if not self.low or np.isnan(value).any():
            return UNKNOWN
        return ", ".join(self._strongest(value)) or "none"

    def telling(
        self, value: Float[np.ndarray, " width"], usual: Float[np.ndarray, " width"], most: int = 8
    ) -> list[Weighed]:
        """The terms of a portrait that weigh more than usual, the largest difference first; none where NaN."""
        if not self.low or np.isnan(value).any() or np.isnan(usual).any():
            return []
        mine, others = np.maximum(self._weights(value), 0.0), np.maximum(self._weights(usual), 0.0)
        order = np.argsort(others - mine, kind="stable")[:most]
        return [Weighed(self.terms[j], float(mine[j]), float(others[j])) for j in order if mine[j] > others[j]]

    def state(self) -> dict[str, Any]:
        """Terms, weights and ranges; the axes in base64."""
        axes = base64.b64encode(self.axes).decode()
        return {"terms": [*self.terms], "idf": [*self.idf], "axes": axes, "low": [*self.low], "high": [*self.high]}

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Text":
        """The kind that gave this state."""
        axes = base64.b64decode(state["axes"], validate=True)
        idf, low, high = (tuple(map(float, state[name])) for name in ("idf", "low", "high"))
        terms = tuple(map(str, state["terms"]))
        if not (len(terms) == len(idf) and len(low) == len(high) and len(axes) == 4 * len(low) * len(terms)):
            raise ValueError("terms, weights and axes do not fit one another")
        return cls(field, terms, idf, axes, low, high)

    @cached_property
    def _axes(self) -> Float64[np.ndarray, "size terms"]:
        return np.frombuffer(self.axes, dtype="<f4").reshape(len(self.low), len(self.terms)).astype(np.float64)

    @cached_property
    def _counter(self) -> "CountVectorizer":
        return _counter(self.field, {term: place for place, term in enumerate(self.terms)})

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple(f"{self.field.heading}[{j}]: {self._ends(axis)}" for j, axis in enumerate(self._axes))

    def _ends(self, axis: Float64[np.ndarray, " terms"]) -> str:
        order = np.argsort(axis, kind="stable")
        low, high = order[:_POLE], order[::-1][:_POLE]
        ends = (", ".join(self.terms[j] for j in end if sign * axis[j] > 0) for sign, end in ((-1, low), (1, high)))
        return " – ".join(filter(None, ends))

    def _split(self, text: str) -> list[str]:
        return splitter(self.field.analyzer)(text)

    def _points(self, texts: pl.Series) -> Float64[np.ndarray, "n size"]:
        """Each text on the unit sphere, or at the origin; NaN where null or unseen. Rows do not know of one another."""
        points = np.full((len(texts), len(self.low)), np.nan)
        present = np.flatnonzero(texts.is_not_null().to_numpy()) if self.low else np.zeros(0, dtype=np.int64)
        for start in range(0, len(present), _AT_ONCE):
            rows = present[start : start + _AT_ONCE]
            points[rows] = self._projected(texts.gather(rows).to_list())
        return points

    def _projected(self, texts: list[str]) -> Float64[np.ndarray, "n size"]:
        weights = _weighed(self._counter.transform(texts), np.array(self.idf))
        points = np.asarray(weights @ self._axes.T)
        length = np.sqrt(np.square(points).sum(axis=1, keepdims=True))
        points = np.where(length > _NOTHING, points / np.maximum(length, _NOTHING), 0.0)
        for row in np.flatnonzero(np.diff(weights.indptr) == 0):
            if self._split(texts[row]):
                points[row] = np.nan
        return points

    def _weights(self, value: Float[np.ndarray, " width"]) -> Float64[np.ndarray, " terms"]:
        """What each term weighs in a portrait; below 0 where texts like it lack the term."""
        u = np.clip(value.astype(np.float64), 0.0, 1.0)
        low, high = np.array(self.low), np.array(self.high)
        z = low + u * (high - low)
        return z @ self._axes if float(np.square(z).sum()) > _AT_ORIGIN**2 else np.zeros(len(self.terms))

    def _strongest(self, value: Float[np.ndarray, " width"]) -> list[str]:
        weights = self._weights(value)
        near = np.sort(np.argpartition(-weights, min(_NAMED, len(weights) - 1))[:_NAMED])  # sorting all is slow
        order = near[np.argsort(-weights[near], kind="stable")]
        least = max(_LEAST * float(weights[order[0]]), 0.0)
        return [self.terms[j] for j in order if weights[j] > 0 and weights[j] >= least]


def _texts(column: pl.Series) -> pl.Series:
    """The column as text, however it is stored."""
    if column.dtype == pl.Object:
        return pl.Series(column.name, [None if o is None else str(o) for o in column.to_list()], dtype=pl.String)
    return column.cast(pl.String)


def _counter(field: Field, vocabulary: dict[str, int] | None = None) -> "CountVectorizer":
    from sklearn.feature_extraction.text import CountVectorizer  # a second and more to import

    return CountVectorizer(analyzer=splitter(field.analyzer), vocabulary=vocabulary)


def _counted(texts: pl.Series, field: Field) -> tuple[tuple[str, ...], "csr_matrix"]:
    """The terms that the most texts have, in order, and how often each text has them."""
    from scipy.sparse import csr_matrix

    counter = _counter(field)
    try:
        counted = counter.fit_transform(texts.to_list())
    except ValueError:  # scikit-learn's word for texts without a term
        return (), csr_matrix((len(texts), 0))
    documents = np.bincount(counted.indices, minlength=counted.shape[1])
    order = np.argsort(-documents, kind="stable")  # ties by term
    kept = np.sort(order[documents[order] >= field.min_count][: field.max_terms or _MAX_TERMS])
    return tuple(counter.get_feature_names_out()[kept].tolist()), counted[:, kept]


def _weighed(counted: "csr_matrix", idf: Float64[np.ndarray, " terms"]) -> "csr_matrix":
    """Counts to TF-IDF; rows that have a term of length 1."""
    from sklearn.preprocessing import normalize

    weights = counted.astype(np.float64)
    weights.data = (1 + np.log(weights.data)) * idf[weights.indices]
    return normalize(weights, copy=False) if weights.shape[0] else weights


def _singular(weights: "csr_matrix", size: int) -> Float64[np.ndarray, "size terms"]:
    """The right singular vectors of the largest singular values; two at least, so that nobody takes it for a number."""
    from sklearn.utils.extmath import randomized_svd

    _, values, axes = randomized_svd(weights, min(size, *weights.shape), random_state=0)
    axes = axes[values > _NOTHING * max(values.max(initial=0.0), _NOTHING)]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    return axes if len(axes) > 1 else np.pad(axes, ((0, 2 - len(axes)), (0, 0)))
