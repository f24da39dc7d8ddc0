"""All that `Penchant` learns, in one place: what a model directory holds."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant import storage
from penchant._config import plain
from penchant._spec import Features
from penchant.calibration import Calibration
from penchant.dynamics import Dynamics, Segments
from penchant.errors import CorruptModelError
from penchant.estimator.drift import Drift
from penchant.model import DualAutoencoder
from penchant.nets import as_tensors
from penchant.portraits import Reading, usual_words
from penchant.spaces import PreparedPoints
from penchant.tables import Histories, Schema, SideEncoder, TablesEncoder, Vocabulary
from penchant.training import encode_all

__all__ = ["SIDES", "Fitted", "Follower", "Known", "SideName", "other_side", "read_encoder", "read_fitted"]

SideName = Literal["user", "item"]

_HISTORY = "history.parquet"
_KEPT = 1 << 24
"""Numbers of portrait vectors kept a side: 64 MiB."""
_PROBES = 32
"""Points of the other side by which a search is laid out."""

SIDES: tuple[SideName, SideName] = ("user", "item")


def other_side(side: SideName) -> SideName:
    """The opposite side."""
    return "item" if side == "user" else "user"


@dataclass
class Known:
    """The known rows of a side: who can be asked for by id, and who can be found."""

    frame: pl.DataFrame
    """The table as it was given, key column included."""
    vocabulary: Vocabulary
    """Key to row number."""
    points: Float[Tensor, "n k"]
    """Their points, row by row."""


class Follower(Protocol):
    """Users as events move them."""

    def points(self, users: Sequence[Any]) -> dict[Any, Float[np.ndarray, " k"]]:
        """Where those users are who have events, known or not."""
        ...

    def shifts(self, users: Sequence[Any]) -> Float[np.ndarray, " n"]:
        """By how much each one's own threshold is above the model's; 0 without events."""
        ...

    def items(self, user: Any) -> list[Any]:
        """The items of a user's events."""
        ...


@dataclass
class Fitted:
    """The learned state of a `Penchant`."""

    schema: Schema
    encoder: TablesEncoder
    model: DualAutoencoder
    calibration: Calibration
    known: dict[SideName, Known]
    seen: pl.DataFrame
    """Pairs of the training rows: columns user and item, row numbers of ``known``, in order, and liked (the last label
    of a pair that was met several times)."""
    population: dict[SideName, Float[np.ndarray, " width"]]
    """Mean portrait vector of each side over the liked training pairs."""
    history: list[dict[str, float]]
    """One row an epoch."""
    device: torch.device
    readings: dict[SideName, Reading]
    """How portraits of each side are read: items by what users like, users by who likes an item."""
    likes: dict[str, Float[np.ndarray, " n"]]
    """Held-out likes: ``distance`` and ``user`` (a number a user); empty where nothing was held out. Beside them what
    the held-out pairs say of any threshold (`penchant.estimator.judged`)."""
    dynamics: Dynamics = field(default_factory=Dynamics)
    """How interest points move with events."""
    segments: Segments = field(default_factory=Segments)
    """Users whose interest moves otherwise."""
    ancestors: tuple[tuple[str, float], ...] = ()
    """Fingerprints of the spaces this one grew from by warm starts, the first one first, and the variance per axis that
    items have wandered since (`Drift.variance`, summed): points there mean the same here, up to that."""
    drift: Drift | None = None
    """How far the space wandered in the last warm start; None: it was fitted anew."""
    follower: Follower | None = None
    """Asked where users are who have events; not saved."""
    _vectors: dict[SideName, Float[np.ndarray, "n width"]] = field(default_factory=dict, repr=False)
    """See `vectors`."""
    _prepared: dict[SideName, PreparedPoints] = field(default_factory=dict, repr=False)
    """See `prepare`."""
    _usual: dict[SideName, dict[str, str]] = field(default_factory=dict, repr=False)
    """See `usual`."""

    def key(self, side: SideName) -> str:
        """Name of the column that names a side in results: as in the interactions."""
        return self.schema.user if side == "user" else self.schema.item

    def name_column(self, side: SideName) -> str | None:
        """The display column of a side, where the schema has one."""
        return self.schema.user_name if side == "user" else self.schema.item_name

    def side_encoder(self, side: SideName) -> SideEncoder:
        """What encodes a side's columns."""
        return self.encoder.user if side == "user" else self.encoder.item

    def encoded(self, side: SideName, frame: pl.DataFrame, keys: pl.Series) -> Features:
        """Rows of a side's table, users with the history of their keys."""
        return self.encoder.encode_users(frame, keys) if side == "user" else self.encoder.item.encode(frame)

    def encoded_rows(self, side: SideName, rows: Int[np.ndarray, " n"]) -> Features:
        """Known rows of a side, by number."""
        known = self.known[side]
        return self.encoded(side, known.frame[rows], known.vocabulary.ids.gather(rows))

    def points(self, side: SideName, rows: Int[np.ndarray, " n"]) -> Float[Tensor, "n k"]:
        """Points of known rows, by number."""
        points = self.known[side].points
        return points[torch.as_tensor(rows, device=points.device)]

    def usual(self, side: SideName) -> dict[str, str]:
        """The most typical value of each feature over all likes, in words; kept once asked for."""
        if side not in self._usual:
            self._usual[side] = usual_words(self.side_encoder(side), self.population[side])
        return self._usual[side]

    def prepare(self) -> None:
        """Lay the points out for many searches: half a second for 100,000, and `topk` is many times as fast."""
        for side in SIDES:
            probes = self.known[other_side(side)].points
            some = probes[:: max(1, len(probes) // _PROBES)]
            self._prepared[side] = self.model.space.prepared(self.known[side].points, probes=some)

    def topk(
        self, side: SideName, queries: Float[Tensor, "q k"], n: int, exclude: Sequence[Int[Tensor, " _"]] | None = None
    ) -> tuple[Float[Tensor, "q _n"], Int[Tensor, "q _n"]]:
        """The known rows of a side that are nearest to points; see `BaseSpace.topk`."""
        points, prepared = self.known[side].points, self._prepared.get(side)
        if prepared is not None and prepared.points is points:
            return prepared.topk(queries, n, exclude=exclude)
        return self.model.space.topk(queries, points, n, exclude=exclude)

    def names(self, side: SideName, rows: Int[np.ndarray, " n"]) -> pl.Series:
        """What people read of known rows: the display column where there is one, else the keys."""
        known, name = self.known[side], self.name_column(side)
        return (known.vocabulary.ids if name is None else known.frame[name]).gather(rows)

    def vectors(self, side: SideName, rows: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n width"]:
        """Portrait vectors of known rows, NaN where unknown; all of a side are kept once asked for, where they fit."""
        frame, encoder = self.known[side].frame, self.side_encoder(side)
        if len(frame) * encoder.layout.width > _KEPT:
            return encoder.portrait(encoder.encode(frame[rows]))
        if side not in self._vectors:
            self._vectors[side] = encoder.portrait(encoder.encode(frame))
        return self._vectors[side][rows]

    def encode(self, side: SideName, features: Features) -> Float[np.ndarray, "n k"]:
        """Points of encoded rows; a user's situation is taken as missing."""
        return encode_all(self.model, side, features, self.device).cpu().numpy()

    @torch.no_grad()
    def decode(self, side: SideName, points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n width"]:
        """Read points with a side's decoder, in (0, 1)."""
        return self.model.decode(side, torch.as_tensor(points, device=self.device)).cpu().numpy()

    @torch.no_grad()
    def encode_users(self, features: Features, context: Features | None) -> Float[Tensor, "n k"]:
        """Points of encoded users, row j in situation j (None: missing)."""
        if context is None:
            return encode_all(self.model, "user", features, self.device)
        return self.model.encode_users(as_tensors(features, self.device), as_tensors(context, self.device))

    def place(self, side: SideName, frame: pl.DataFrame, key: str) -> Known:
        """Encode a table of a side and remember it."""
        points = encode_all(self.model, side, self.encoded(side, frame, frame[key]), self.device)
        return Known(frame, Vocabulary(frame[key], what=side), points)

    def save(self, path: str | Path, params: dict[str, Any]) -> None:
        """Write the model directory; ``params`` are the estimator's."""
        calibration = {"threshold": self.calibration.threshold, "slope": self.calibration.slope}
        points = {side: self.known[side].points for side in SIDES}
        histories = self.encoder.histories
        storage.write_directory(
            path,
            tensors={
                "weights": {n: t.detach().cpu().contiguous() for n, t in self.model.state_dict().items()},
                "points": {side: t.cpu().contiguous() for side, t in points.items()},
                "population": {side: np.ascontiguousarray(v) for side, v in self.population.items()},
                "likes": self.likes,
                **{f"reading_{of}": _contiguous(reading.state()) for of, reading in self.readings.items()},
            },
            json={
                "config": plain(params),
                "encoder": self.encoder.state(),
                "fitted": {
                    "calibration": calibration,
                    "history": self.history,
                    "cap": plain(self.model.space.cap),
                    "dynamics": plain(self.dynamics.config()),
                    "segments": plain(self.segments.config()),
                    "ancestors": [list(one) for one in self.ancestors],
                    "drift": None if self.drift is None else self.drift.config(),
                },
            },
            blobs={
                "schema.toml": self.schema.to_toml().encode(),
                "users.parquet": _parquet(self.known["user"].frame),
                "items.parquet": _parquet(self.known["item"].frame),
                "seen.parquet": _parquet(self.seen),
                **({} if histories is None else {_HISTORY: _parquet(histories.frame())}),
            },
        )


def read_encoder(contents: storage.Contents, schema: Schema) -> TablesEncoder:
    """The encoder of a model directory, with the histories of its users."""
    histories = None
    if schema.history is not None:
        users, items = (
            Vocabulary(pl.read_parquet(io.BytesIO(contents.blobs[name]), columns=[key])[key], what=what)
            for name, key, what in (
                ("users.parquet", schema.user_id or "", "user"),
                ("items.parquet", schema.item_id or "", "item"),
            )
        )
        past = pl.read_parquet(io.BytesIO(contents.blobs[_HISTORY]))
        histories = Histories.from_frame(schema.history, users, items, past)
    return TablesEncoder.from_state(schema, contents.json["encoder"], histories)


def read_fitted(
    path: str | Path,
    contents: storage.Contents,
    model: DualAutoencoder,
    schema: Schema,
    encoder: TablesEncoder,
    device: torch.device,
) -> Fitted:
    """Put the parts of a model directory together; ``model`` is built, its weights are filled in here.

    Raises:
        CorruptModelError: weights that do not fit the configuration, or points that do not fit the tables.
    """
    frames: dict[SideName, pl.DataFrame] = {
        "user": pl.read_parquet(io.BytesIO(contents.blobs["users.parquet"])),
        "item": pl.read_parquet(io.BytesIO(contents.blobs["items.parquet"])),
    }
    weights = {name: torch.tensor(t) for name, t in contents.tensors["weights"].items()}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CorruptModelError(f"{path}: the weights do not fit the configuration ({error})") from error
    known: dict[SideName, Known] = {}
    for side in SIDES:
        points = torch.tensor(contents.tensors["points"][side], device=device)
        if len(points) != len(frames[side]):
            raise CorruptModelError(f"{path}: {len(points)} points for {len(frames[side])} {side}s")
        key = schema.user_id if side == "user" else schema.item_id
        known[side] = Known(frames[side], Vocabulary(frames[side][key or ""], what=side), points)
    facts = contents.json["fitted"]
    return Fitted(
        schema=schema,
        encoder=encoder,
        model=model.to(device).eval(),
        calibration=Calibration(**facts["calibration"]),
        known=known,
        seen=pl.read_parquet(io.BytesIO(contents.blobs["seen.parquet"])),
        population={side: np.asarray(contents.tensors["population"][side]) for side in SIDES},
        history=facts["history"],
        device=device,
        readings={of: Reading.from_state(model.layout(of), contents.tensors[f"reading_{of}"]) for of in SIDES},
        likes=dict(contents.tensors["likes"]),
        dynamics=Dynamics.from_config(facts.get("dynamics", {})),
        segments=Segments.from_config(facts.get("segments", {})),
        ancestors=tuple((name, float(variance)) for name, variance in facts.get("ancestors", ())),
        drift=Drift(**facts["drift"]) if facts.get("drift") else None,
    )


def _contiguous(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.array(array, order="C") for name, array in state.items()}  # keeps single numbers single


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
