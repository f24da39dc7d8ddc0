"""What is read out of a fitted space: portraits, audiences, reasons, proofs and promises."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import polars as pl

from penchant._progress import Progress
from penchant.conformal import RecallThreshold, recall_threshold
from penchant.dynamics import Dynamics, Segments
from penchant.dynamics.events import Appended, Event, EventStore, open_store
from penchant.errors import ConfigError
from penchant.estimator.certifying import certify_items, proved_ranges
from penchant.estimator.changing import what_if
from penchant.estimator.explaining import explain_pair
from penchant.estimator.fitted import Fitted, SideName
from penchant.estimator.grouping import group_portrait
from penchant.estimator.mapping import Placement, draw, locate, place
from penchant.estimator.moving import Following, follow, interest, observe
from penchant.estimator.portraying import NO_PORTRAIT_TERM, Reach, portrait, portrait_table
from penchant.estimator.promising import guarantees
from penchant.losses import Loss
from penchant.maps import InterestMap
from penchant.portraits import PROMISED, Explanation, Free, GroupPortrait, Interest, Portrait, Verdict, WhatIf
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["Reader", "Who"]

Who = str | int | Mapping[str, Any]
"""An id, or a row of features of somebody who is in no table."""


class Reader(Recommender):
    """The questions of `Penchant` that are answered by reading its space."""

    loss: Loss
    rng: int
    _fitted: Fitted | None

    def portrait(
        self,
        user: Who,
        *,
        examples: int = 5,
        probability: float | None = None,
        core: float | None = None,
        distance: float | None = None,
        details: bool = True,
        source: Literal["prior", "ball"] = "prior",
    ) -> Portrait:
        """What a user would like, with no candidate items: the user's point read by the item decoder.

        Arguments:
            user: an id, or a row of features of one who is in no table.
            examples: how many real and how many made-up items are shown.
            probability, core, distance: at most one, how far the ball reaches: whatever lies inside is liked with at
                least this probability; it holds this share of the known items; a base distance. None: P ≥ ½.
            details: also the distribution, the kinds of what is liked, and items that do not exist yet (some ten
                times the work).
            source: what the distribution is over: known items by P(liked), or points of the ball that are like items.
        """
        reach = Reach(probability=probability, core=core, distance=distance)
        return self._portrait("user", user, examples, reach, details, source)

    def audience(
        self,
        item: Who,
        *,
        examples: int = 5,
        probability: float | None = None,
        core: float | None = None,
        distance: float | None = None,
        details: bool = True,
        source: Literal["prior", "ball"] = "prior",
    ) -> Portrait:
        """Whom an item is for: its point read by the user decoder. A row of features works before it is published.

        Arguments: as of `portrait`, with the sides exchanged.
        """
        reach = Reach(probability=probability, core=core, distance=distance)
        return self._portrait("item", item, examples, reach, details, source)

    def _portrait(
        self, side: SideName, who: Who, examples: int, reach: Reach, details: bool, source: Literal["prior", "ball"]
    ) -> Portrait:
        return portrait(
            self._check_fitted(), side, who, examples=examples, reach=reach, details=details, source=source,
            trained=self._trained, rng=self.rng,
        )  # fmt: skip

    @property
    def _trained(self) -> bool:
        """Were the decoders shown what is liked?"""
        return self.loss.delta > 0

    def portraits(self, users: Who | Sequence[Who] | None = None, *, side: SideName = "user") -> pl.DataFrame:
        """Typical portraits of many as a table: to segment, to export, as features of another model.

        Arguments:
            users: ids, or rows of features; None: all known ones.
            side: "user" (what they would like), or "item" (their audiences; then ``users`` are items).

        Returns:
            A row each: the key ("row" for rows of features), then a column for each coordinate, ``feature=value`` or
            ``feature``: its calibrated share of what is liked, or its level, in [0, 1].
        """
        fitted = self._check_fitted()
        if not self._trained:
            warnings.warn(NO_PORTRAIT_TERM, UserWarning, stacklevel=2)
        return portrait_table(fitted, side, users)

    def explain(self, user: Who, item: Who, *, only: Sequence[str] | None = None, max_changes: int = 3) -> Explanation:
        """Why a user would like an item or not: the distance by axis, by the item's features and by the user's history,
        and the smallest change of the item that turns the decision.

        Arguments:
            user, item: ids, or rows of features of who or what is in no table.
            only: fields of the item that the change may use; None: all but ids.
            max_changes: how many values it may change at most.
        """
        return explain_pair(self._check_fitted(), user, item, only=only, max_changes=max_changes)

    def certify(
        self,
        user: Who,
        *,
        fixed: Mapping[str, Any] | None = None,
        free: Free | None = None,
        item: Who | None = None,
        pieces: int = 1024,
    ) -> Verdict:
        """Would a user like every item with these features, whatever its other ones are? Proved, not sampled.

        Arguments:
            user: an id, or a row of features.
            fixed: column to value, what is known of the items; one that no training row has counts as such (noted).
            free: columns that may be anything known from the training rows, or columns to what they may be: numbers and
                dates (from, to), others a list of values. None: all that is not fixed.
            item: an id or a row that gives what is neither fixed nor free; without it such columns are missing.
            pieces: how much work to spend at most: pieces of the region that are bounded, up to a millisecond each.

        Raises:
            ConfigError: a column that is both, no such column, a free value that no training row has, or a model of
                which nothing can be proved
                (another activation than ReLU).
        """
        return certify_items(self._check_fitted(), user, item=item, fixed=fixed or {}, free=free, pieces=pieces)

    def ranges(
        self,
        user: Who,
        *,
        side: SideName = "user",
        probability: float | None = None,
        core: float | None = None,
        distance: float | None = None,
        pieces: int = 1,
    ) -> pl.DataFrame:
        """What the decoder says anywhere in a ball: proved ranges beside found ones, before calibration.

        They tell how far a portrait could be off, were the point elsewhere in the ball; near the point (a distance of
        .1, say) they are narrow, in the ball of P ≥ ½ most are open.

        Arguments:
            user: an id or a row; an item for ``side="item"``.
            probability, core, distance: how far the ball reaches, as of `portrait`.
            pieces: the ball is cut into so many parts at most where proved and found ranges are far apart.

        Returns:
            A row a coordinate: feature, value, decoded (at the point), low and high (proved: nowhere outside),
            found_low and found_high (reached), open (wider than a half). All in [0, 1].

        Raises:
            ConfigError: a decoder of which nothing can be proved (another activation than ReLU).
        """
        reach = Reach(probability=probability, core=core, distance=distance)
        return proved_ranges(self._check_fitted(), side, user, reach, pieces)

    def group(
        self,
        users: Sequence[Who] | None = None,
        *,
        where: str | None = None,
        side: SideName = "user",
        probability: float = 0.5,
        examples: int = 5,
    ) -> GroupPortrait:
        """What several would all like, or what divides them; what they would like on the average.

        Arguments:
            users: the members, ids or rows of features.
            where: instead of them, an SQL condition on the user table: everyone with ``"age > 40 and lang = 'zh'"``.
            side: "item" for a group of items: whom all of them are for.
            probability: what a member likes is what is liked with at least this probability.
            examples: how many items are shown: those that the most members would like.

        Raises:
            ConfigError: both or neither of ``users`` and ``where``, nobody, or a probability that no ball reaches.
            UnknownIdError: an id in no table. DataError: a condition or a row that does not fit the table.
        """
        return group_portrait(
            self._check_fitted(),
            side,
            users,
            where,
            probability=probability,
            examples=examples,
            trained=self._trained,
            rng=self.rng,
        )

    def what_if(
        self, user: Who, change: Mapping[str, Any], *, side: SideName = "user", n: int = 10, core: float = 0.1
    ) -> WhatIf:
        """How the portrait, the core and the top items move when features change.

        Arguments:
            user: an id, or a row of features; for ``side="item"`` an item, whose audience moves.
            change: column to new value (None: missing); the history of users too, under its field's name.
            n: how many items of the top before and after are shown.
            core: share of the known items, the nearest, that counts as the core.
        """
        return what_if(self._check_fitted(), side, user, change, n=n, core=core, trained=self._trained, rng=self.rng)

    def guarantees(self, tables: Tables, levels: Sequence[float] = PROMISED) -> pl.DataFrame:
        """What was promised beside what is found on other likes: of users dealt out like the validation rows' users.

        Arguments:
            tables: labelled interactions that were neither trained on nor used for validation.
            levels: promised coverages, of .8, .9 and .95.

        Returns:
            Columns: promise (recall: likes inside the ball of `recall_threshold`; interval: liked values inside the
            portrait's interval), of (what), promised, measured, error, low, high (an interval for the true coverage),
            users, pairs, kept (the promise is kept within sampling error), note (why a promise says nothing).
        """
        return guarantees(self._check_fitted(), tables, levels)

    def recall_threshold(self, recall: float = 0.9) -> RecallThreshold:
        """The distance within which a new user's random like lies with at least this probability.

        It rests on the likes of the validation rows, user by user (`penchant.conformal`); where these are too few, it
        is the diameter and says why.
        """
        fitted: Fitted = self._check_fitted()
        if not 0 < recall < 1:
            raise ConfigError(f"recall = {recall}: a share between 0 and 1 expected")
        likes, diameter = fitted.likes, fitted.model.space.diameter
        return recall_threshold(likes["distance"], likes["user"], 1 - recall, diameter=diameter)

    # ------------------------------------------------------------------ the map

    def map(
        self,
        users: Sequence[str | int] | pl.DataFrame | None = None,
        items: Sequence[str | int] | pl.DataFrame | None = None,
        *,
        method: str = "tsne",
        most: int = 100_000,
        rng: int | None = None,
        threads: int = 1,
        progress: bool | Progress | None = False,
    ) -> InterestMap:
        """Users and items in one picture: who is near in the space is near on the map, as far as a plane can keep it.

        Arguments:
            users, items: ids; None: all known ones; a frame of rows of features: all known ones are laid out, and the
                rows placed among them, without moving them. An empty list leaves a side out.
            method: tsne (the extra ``map``), pca, or umap (the extra ``umap``).
            most: of more users and items so many are drawn at random; the map says so.
            rng: seed; None: the model's own. The same one gives the same map on the same machine, with one thread.
            threads: that may be used.
            progress: as of `fit`.

        Raises:
            ConfigError: no such method, a package that is not installed, nobody to draw. UnknownIdError: an id in no
                table. SpaceError: a distance that is no metric. DataError: rows that do not fit the schema.
        """
        return draw(
            self._check_fitted(),
            users,
            items,
            method=method,
            most=most,
            rng=self.rng if rng is None else rng,
            threads=threads,
            progress=progress,
        )

    def place(self, picture: InterestMap, *, user: Who | None = None, item: Who | None = None) -> Placement:
        """Where a user or an item belongs on a map of this model, and who is in the ball; nobody else moves.

        A known one stays where it is, unless events have moved it since. Others go where those that are nearest to them
        in the space are densest on the map.

        Raises:
            ConfigError: not exactly one of ``user`` and ``item``. UnknownIdError: an id in no table, or a map of
                another model. DataError: a row that does not fit the schema.
        """
        if (user is None) == (item is None):
            raise ConfigError("place: give exactly one of user and item")
        fitted: Fitted = self._check_fitted()
        side: SideName = "item" if user is None else "user"
        return place(fitted, locate(fitted, picture), side, item if user is None else user)

    # ------------------------------------------------------------------ events

    @property
    def dynamics_(self) -> Dynamics:
        """How interest moves with events, by the likes of the validation rows where these have times."""
        return self._check_fitted().dynamics

    @property
    def segments_(self) -> Segments:
        """Whose interest moves otherwise: constants by the value of the column that ``segments`` names."""
        return self._check_fitted().segments

    def follow(self, store: str | EventStore | None = None) -> EventStore:
        """Let events move interest points: from now on users are where the store's events put them.

        Every question about known users by id then starts from the moved point, `recommend` leaves out what they met in
        events, and users in no table can be asked for once they have events. Nothing is retrained.

        Arguments:
            store: a store, or the URL of one (`penchant.dynamics.events.open_store`); None: a file of its own that ends
                with this model.

        Returns:
            The store: to close, export, compact, forget users.

        Raises:
            ConfigError: no such kind of store. StorageError: it cannot be opened.
        """
        return follow(self._check_fitted(), open_store(store) if isinstance(store, str) else store).store

    def observe(self, events: Iterable[Event] | pl.DataFrame) -> Appended:
        """Move interest points by events: each is in the store, once, when this returns.

        Arguments:
            events: of `penchant.dynamics.events.Event`, or a frame of interactions (columns as in the schema; times as
                datetimes or in seconds since 1970; id, kind and weight where there are such columns). Users and items
                need not be known: a new user starts where one stands of whom nothing is known, an unknown item moves
                nothing.

        Raises:
            DataError: events that are refused, every problem at once; nothing was added. StorageError: see the store.
        """
        return observe(self.following, events)

    def interest(self, user: str | int) -> Interest:
        """Where a user's events have moved the interest point: how far, how surely, which way, to how many interests.

        Raises:
            UnknownIdError: an id in no table, without events.
        """
        return interest(self.following, user, trained=self._trained, rng=self.rng)

    @property
    def following(self) -> Following:
        """What moves users by events: the store, and the filter in this model's space (see `follow`)."""
        fitted: Fitted = self._check_fitted()
        if not isinstance(fitted.follower, Following):
            self.follow()
        assert isinstance(fitted.follower, Following), "follow() has set it"
        return fitted.follower
