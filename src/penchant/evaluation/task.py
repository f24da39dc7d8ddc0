"""What a protocol asks of a model: what it learns from, what is to be found, and what may be told meanwhile."""

from dataclasses import dataclass, replace

import polars as pl

from penchant.errors import ConfigError, DataError, Problem
from penchant.tables import Tables

__all__ = ["Task", "pairs_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """One fold of a protocol; checked when made, so that none leaks.

    All tables share users and items: whom and what there is, is known; who liked what, is not.

    Raises:
        DataError: the test rows hold no like; a pair of the test or validation rows is among the training rows or the
            given ones; a user of whom rows are given is learned from.
    """

    train: Tables
    """What is learned from."""
    test: Tables
    """What is judged by: its likes are to be found."""
    valid: Tables | None = None
    """What training is stopped by; None: nothing is held out for that."""
    given: Tables | None = None
    """What is known of the validation and test users without being learned from; None: nothing beyond ``train``."""
    held_out_items: bool = False
    """Are the items to be ranked those of the part alone? Else all items are."""
    fold: int = 0
    """Which fold this is."""
    words: str = ""
    """What is held out, and what competes, in words."""

    def __post_init__(self) -> None:
        if not (self.test.interactions[self.test.schema.label] == 1).any():
            message = f"{self._where}no like is held out among {len(self.test):,} test rows: nothing to find"
            raise DataError([Problem("interactions", message, fix="Hold out a larger share, or give more rows")])
        for part, tables in (("test", self.test), ("validation", self.valid)):
            for other, known in (("training", self.train), ("given", self.given)):
                if tables is not None and known is not None:
                    self._refuse_pairs(part, tables, other, known)
        if self.given is not None:
            self._refuse_users(self.given)

    @property
    def _where(self) -> str:
        return f"fold {self.fold}: " if self.words else ""

    def candidates(self) -> pl.Series | None:
        """Ids of the items that are ranked for the test; None: all."""
        return self.test.interactions[self.test.schema.item].unique().sort() if self.held_out_items else None

    def known(self) -> pl.DataFrame:
        """Pairs that are no answer in the test, beside those trained on: the validation rows, and what was given."""
        keys = [self.train.schema.user, self.train.schema.item]
        parts = [self.test.interactions.select(keys).clear()]
        parts += [part.interactions.select(keys) for part in (self.valid, self.given) if part is not None]
        return pl.concat(parts).unique()

    def validation(self) -> "Task":
        """The same task judged by its validation rows: the test rows are not in it.

        Raises: ConfigError: there are none.
        """
        if self.valid is None:
            raise ConfigError("this task has no validation rows: give the protocol a share for them")
        return replace(self, test=self.valid, valid=None, given=self.given_of(self.valid))

    def given_of(self, part: Tables) -> Tables | None:
        """What is given of the users of ``part``; None: nothing is given of anybody."""
        if self.given is None:
            return None
        users = part.interactions[part.schema.user].unique()
        rows = self.given.interactions
        return self.given.with_interactions(rows.filter(rows[part.schema.user].is_in(users.implode())))

    def _refuse_pairs(self, part: str, tables: Tables, other: str, known: Tables) -> None:
        schema = tables.schema
        both = pairs_of(tables).join(pairs_of(known), on=[schema.user, schema.item], how="semi")
        if both.height:
            user, item = both.row(0)
            more = f" (and {both.height - 1:,} more)" if both.height > 1 else ""
            message = f"{self._where}the pair {user!r}, {item!r}{more} is among the {part} and the {other} rows"
            fix = "Leave it out of one of them: a model that has seen the answer proves nothing"
            raise DataError([Problem("interactions", message, fix=fix)])

    def _refuse_users(self, given: Tables) -> None:
        column = given.schema.user
        both = set(given.interactions[column].unique()) & set(self.train.interactions[column].unique())
        if both:
            message = f"{self._where}user {min(both)!r} is learned from, and rows of that user are given"
            raise DataError([Problem("interactions", message, column, fix="Hold users out whole")])


def pairs_of(tables: Tables) -> pl.DataFrame:
    """The user and item keys of the interactions, each pair once."""
    return tables.interactions.select(tables.schema.user, tables.schema.item).unique(maintain_order=True)
