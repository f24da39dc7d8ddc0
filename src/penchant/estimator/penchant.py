"""`Penchant`: joins the rooms below, computes nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Float

import penchant.estimator.queries as queries
from penchant import storage
from penchant._config import from_plain, unknown_option
from penchant._progress import Progress, make_progress
from penchant.calibration import Calibration
from penchant.errors import ConfigError
from penchant.estimator.drift import Drift
from penchant.estimator.fitted import Fitted, SideName, read_encoder, read_fitted
from penchant.estimator.fitting import fit_penchant
from penchant.estimator.moving import Following, follow_on
from penchant.estimator.presets import PRESETS
from penchant.estimator.reader import Reader, Who
from penchant.estimator.uncertain import uncertainty
from penchant.evaluation import auc
from penchant.losses import Loss
from penchant.model import DualAutoencoder
from penchant.nets import DecoderOptions, EncoderOptions, Latent
from penchant.spaces import KINDS as SPACES
from penchant.spaces import BaseSpace, Space
from penchant.tables import Schema, Tables, TablesEncoder
from penchant.training import TrainingOptions, WarmStart

__all__ = ["Penchant"]

_CHOSEN: dict[str, Mapping[str, type[Any]]] = {"space": SPACES}
"""Groups of options of which there are several kinds."""
_AS = {"item_encoder": "encoder"}
"""Groups that may be None, and then are as another one; what a table of such a group does not name is as there, too."""


class Penchant(Reader):
    """Users and items in one metric space: predict, rank, relate, and read back what is liked.

    Every option has a measured default (docs/configuration.md). After `fit`, ``history_``, ``threshold_`` and
    ``space_`` tell what was learned. Results are polars frames whose key columns are named as in the interactions.

    Example:
        >>> from penchant import Penchant, simulate, split_random
        >>> tables = simulate(n_users=60, n_items=40, n_interactions=1500, rng=1).tables
        >>> train, valid, test = split_random(tables, rng=1)
        >>> model = Penchant(epochs=2, rng=1).fit(train, valid)
        >>> model.predict_proba(test).columns[-1]
        'probability'
    """

    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = True
    personal: ClassVar[bool] = True

    def __init__(
        self,
        *,
        space: BaseSpace = Space(),
        encoder: EncoderOptions = EncoderOptions(),
        item_encoder: EncoderOptions | None = None,
        decoder: DecoderOptions = DecoderOptions(),
        latent: Latent = Latent(),
        loss: Loss = Loss(),
        threshold: float = 0.5,
        scale: float = 10.0,
        epochs: int = 100,
        batch_size: int = 1024,
        batch_by: Literal["pair", "user"] = "pair",
        learning_rate: float = 2e-3,
        weight_decay: float = 0.3,
        schedule: Literal["constant", "cosine"] = "constant",
        patience: int = 4,
        average: float = 0.99,
        threads: int = 1,
        warm: WarmStart = WarmStart(),
        segments: str | None = None,
        rng: int = 0,
        device: str = "auto",
    ) -> None:
        """Store the options; nothing is computed.

        Arguments:
            space: the metric space: axes, norm, cap.
            encoder, decoder: the networks of both sides.
            item_encoder: the items' network; None: as ``encoder``, of whose crosses each side has its own.
            latent: what points are while they are learned: places, Gaussians, or places that are kept still.
            loss: the neck and the weights of the terms.
            threshold: p at the start, a distance; learned by the logistic neck.
            scale: τ at the start; learned by the logistic neck.
            epochs, batch_size, batch_by, learning_rate, weight_decay, schedule, patience, average, threads: see
                `TrainingOptions`.
            warm: how a fit goes on from an earlier one.
            segments: a column of the users, of kind category or binary: interest of users with the same value moves
                alike (`follow`), by constants of their own where 200 likes of the validation rows tell them.
            rng: one seed; the same seed gives the same model on the same machine.
            device: "cpu", "cuda", … or "auto".
        """
        self.space, self.encoder, self.item_encoder = space, encoder, item_encoder
        self.decoder, self.latent, self.loss, self.batch_by = decoder, latent, loss, batch_by
        self.threshold, self.scale = threshold, scale
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.weight_decay, self.schedule, self.patience = weight_decay, schedule, patience
        self.average, self.threads, self.warm, self.segments = average, threads, warm, segments
        self.rng, self.device = rng, device
        self._fitted: Fitted | None = None

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """A named configuration (`PRESETS`), with changes in the manner of `set_params`.

        Raises:
            ConfigError: no such preset or option.
        """
        if name not in PRESETS:
            raise ConfigError(f"preset {name!r}: one of {', '.join(PRESETS)} expected")
        return cls(**PRESETS[name]).set_params(**changes)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """From plain values, as a TOML file gives them; ``preset`` names where to start from.

        Raises:
            ConfigError: unknown options and wrong values, each with what was expected.
        """
        model = cls.preset(str(config.get("preset", "default")))
        current = model.get_params(deep=False)
        for name, value in sorted(config.items(), key=lambda option: option[0] in _AS):
            if name == "preset":
                continue
            if name not in current:
                raise ConfigError(unknown_option(name, list(current), "config"))
            if name in _AS and current[name] is None and value is not None:
                current[name] = getattr(model, _AS[name])
            absent = name in _AS and value is None
            chosen = None if absent else from_plain(current[name], value, name, _CHOSEN.get(name))
            setattr(model, name, chosen)
        return model

    @property
    def training_options(self) -> TrainingOptions:
        """The training loop's part of the options, checked."""
        return TrainingOptions(**{field.name: getattr(self, field.name) for field in fields(TrainingOptions)})

    # ------------------------------------------------------------------ learning

    def fit(
        self,
        train: Tables,
        valid: Tables | None = None,
        *,
        given: Tables | None = None,
        checkpoint: str | PathLike[str] | None = None,
        progress: bool | Progress | None = False,
        warm_start: bool = False,
    ) -> Self:
        """Learn the space.

        Arguments:
            train: what is learned from; scaling and vocabularies are fitted on these rows only.
            valid: stops the training, chooses the epoch and calibrates the probabilities. Without it all epochs are
                run, the last is kept, and the threshold is the neck's own (a ranking neck's is calibrated on training
                likes and too sure of them). Judged by AUC, with a ranking neck by NDCG@100.
            given: rows that are known of users but not learned from, such as what users of ``valid`` liked earlier who
                are in no training row: they join the histories and are left out of rankings.
            checkpoint: folder for a checkpoint after each epoch; found there, training goes on to the same bits.
            progress: True or a `Progress` to show it, None to show it on a terminal only.
            warm_start: go on from what was learned, on later rows, in the same space. The tables need hold those only
                who appear in these rows; whoever and whatever was known before stays known, with the past and the
                features it had. New values of columns are added, scales stay. Known users and items are drawn to their
                old points (``warm``), and `drift_` says how far they wandered. Threshold, what is promised and how
                interest moves are found out anew on ``valid``. Who is followed by events is followed on.

        Raises:
            NotFittedError: a warm start of nothing.
            DataError: one label only, in ``train`` or ``valid``, with a pointwise neck; no likes with a ranking one.
            ConfigError: an option outside its range; a checkpoint of another configuration; a warm start with other
                columns, or another space, than before.
        """
        shown = make_progress(progress)
        folder = None if checkpoint is None else Path(checkpoint)
        start: Fitted | None = self._check_fitted() if warm_start else None
        fitted = fit_penchant(self, train, valid, folder, shown, given, start)
        if start is not None and isinstance(start.follower, Following):
            follow_on(fitted, start.follower)
        self._fitted = fitted
        return self

    @property
    def history_(self) -> pl.DataFrame:
        """One row an epoch: mean terms of the loss, validation AUC (with a ranking neck NDCG@100)."""
        return pl.DataFrame(self._check_fitted().history)

    @property
    def threshold_(self) -> float:
        """The distance up to which a pair is liked: the radius of a ball."""
        return self._check_fitted().calibration.threshold

    @property
    def calibration_(self) -> Calibration:
        """Distance to probability."""
        return self._check_fitted().calibration

    @property
    def drift_(self) -> Drift | None:
        """How far the space wandered in the last warm start; None: it was fitted anew."""
        return self._check_fitted().drift

    @property
    def space_(self) -> BaseSpace:
        """The space, its cap settled."""
        return self._check_fitted().model.space

    @property
    def schema_(self) -> Schema:
        """The schema of the tables it was fitted on."""
        return self._check_fitted().schema

    @property
    def users_(self) -> pl.DataFrame:
        """The known users: the table it was fitted on."""
        return self._check_fitted().known["user"].frame

    @property
    def items_(self) -> pl.DataFrame:
        """The known items: the table it was fitted on."""
        return self._check_fitted().known["item"].frame

    @property
    def module_(self) -> DualAutoencoder:
        """The networks."""
        return self._check_fitted().model

    # ------------------------------------------------------------------ pairs

    def distance(self, pairs: Tables | pl.DataFrame) -> pl.DataFrame:
        """Distance of each pair in [0, cap], in order: Tables of any users and items, or a frame of known pairs.

        Raises:
            UnknownIdError: a frame names an id in no table; give `Tables` that hold its row of features.
        """
        fitted = self._check_fitted()
        found, cap = queries.distances(fitted, pairs), fitted.model.space.cap
        capped = np.minimum(found.base, cap) if isinstance(cap, float) else found.base
        return found.keys.with_columns(distance=capped)

    def predict_proba(self, tables: Tables | pl.DataFrame) -> pl.DataFrame:
        """P(liked) of each pair, calibrated on the validation rows, in order; see `distance` for what can be asked."""
        fitted = self._check_fitted()
        found = queries.distances(fitted, tables)
        return found.keys.with_columns(probability=fitted.calibration.probability(found.base - found.shift))

    def predict(self, tables: Tables | pl.DataFrame) -> pl.DataFrame:
        """Yes or no for each pair, in order, with its distance: liked where that is at most ``threshold_`` (users with
        events have a threshold of their own, see `follow`)."""
        fitted = self._check_fitted()
        found, calibration = queries.distances(fitted, tables), fitted.calibration
        by = found.base - found.shift
        return found.keys.with_columns(
            liked=by <= calibration.threshold, probability=calibration.probability(by), distance=found.base
        )

    def score(self, tables: Tables) -> float:
        """AUC on these interactions."""
        probability = self.predict_proba(tables)["probability"].to_numpy()
        return auc(tables.interactions[tables.schema.label].to_numpy().astype(np.float64), probability)

    # ------------------------------------------------------------------ sets

    def recommend(
        self,
        users: Who | Sequence[Who],
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
        where: str | None = None,
        context: Mapping[str, Any] | None = None,
        attitude: str = "mean",
    ) -> pl.DataFrame:
        """The ``n`` items nearest to each user, the nearest first.

        Arguments:
            users: ids, or rows of features of users who are in no table, one or many.
            n: how many for each user; fewer where not so many are left.
            exclude_seen: leave out the items of the user's training rows, or of the past that a row brings along.
            candidates: ids of the items to choose from; None: all known items.
            where: an SQL condition on the item table's columns, e.g. ``"lang = 'zh' and year > 2020"``.
            context: the situation, as a row of context columns; what it does not name is taken as missing.
            attitude: with variational latents: "optimistic" takes the standard deviation of a distance, as the user's
                place is not sure, off it (what may well be liked comes first), "pessimistic" adds it (what surely is).

        Returns:
            Columns: the user's key ("row", counted from 0, for rows of features), rank from 1, the item's key, its name
            where the schema has one, score = P(liked) at what is ranked by, distance, inside (the user's ball); with an
            attitude also deviation, of the distance.

        Raises:
            UnknownIdError: an id in no table, with the way to ask by features.
            DataError: a row, a condition or a context that does not fit the schema.
        """
        return queries.recommend(
            self._check_fitted(),
            users,
            n=n,
            exclude_seen=exclude_seen,
            candidates=candidates,
            where=where,
            context=context,
            attitude=attitude,
        )

    def related(
        self, *, user: Who | None = None, item: Who | None = None, to: SideName = "item", n: int = 10
    ) -> pl.DataFrame:
        """The ``n`` users or items nearest to a user or an item, the nearest first, itself left out.

        Returns:
            Columns: key, name where there is one, distance, and probability of a like for a user and an item.

        Raises:
            ConfigError: not exactly one of ``user`` and ``item``; ``to`` is no side.
            UnknownIdError: an id in no table.
        """
        return queries.related(self._check_fitted(), user=user, item=item, to=to, n=n)

    # ------------------------------------------------------------------ points

    def encode(self, side: SideName, who: Who | Sequence[Who]) -> Float[np.ndarray, "n k"]:
        """Points of users or items, by id or from rows of features, in [-1, 1]^k (tanh) or [0, 1]^k (sigmoid)."""
        return queries.resolve(self._check_fitted(), side, who).points.cpu().numpy()

    def uncertainty(self, side: SideName, who: Who | Sequence[Who]) -> pl.DataFrame:
        """How sure it is where users or items lie, by id or from rows of features (variational latents).

        Returns:
            Columns: key, sigma (root mean square over the axes of a place's standard deviations, in units of the box),
            deviation (of the distance to a known one of the other side, at most 1,000 of them: root mean square).

        Raises:
            ConfigError: a model whose points do not say.
        """
        return uncertainty(self._check_fitted(), side, who)

    # ------------------------------------------------------------------ files

    def save(self, path: str | PathLike[str]) -> None:
        """Write a model directory: weights, schema, tables, checksums; no code. Written beside, then renamed.

        It holds the user and item tables, so that ids can be asked for: keep it as safe as those.
        """
        self._check_fitted().save(Path(path), self.get_params(deep=False))

    @classmethod
    def load(cls, path: str | PathLike[str], *, device: str = "auto") -> Self:
        """Read a model directory; it predicts as the saved model did, bit for bit on the same machine.

        Raises:
            CorruptModelError: a file is missing, truncated or altered.
            NewerFormatError: written by a later version.
        """
        contents = storage.read_directory(Path(path))
        model = cls.from_config(contents.json["config"]).set_params(device=device)
        schema = Schema.from_toml(contents.blobs["schema.toml"].decode(), "schema.toml")
        encoder = read_encoder(contents, schema)
        cap = contents.json["fitted"]["cap"]
        module = model.build_module(encoder, replace(model.space, cap=cap))
        model._fitted = read_fitted(Path(path), contents, module, schema, encoder, model.torch_device)
        return model

    def build_module(self, encoder: TablesEncoder, space: BaseSpace | None = None) -> DualAutoencoder:
        """The networks for these encoded tables, with random weights."""
        past = encoder.histories
        return DualAutoencoder(
            user=encoder.user.layout, item=encoder.item.layout, context=encoder.context.layout,
            n_items=None if past is None else len(past.items),
            half_life=None if past is None else past.field.half_life,
            space=space or self.space, encoder=self.encoder, item_encoder=self.item_encoder, decoder=self.decoder,
            latent=self.latent, threshold=self.threshold, scale=self.scale, learn_neck=self.loss.neck == "logistic",
        )  # fmt: skip

    @property
    def torch_device(self) -> torch.device:
        """The device that ``device`` means here."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)
