"""Tables: what columns mean, reading and checking them, turning them into numbers in [0, 1] and back into words."""

from penchant.tables._tables import Tables
from penchant.tables.conditions import check_where
from penchant.tables.encoding import EncodedTables, SideEncoder, TablesEncoder
from penchant.tables.history import Histories
from penchant.tables.kinds import KINDS
from penchant.tables.readers import read_frame
from penchant.tables.schema import Field, Schema, Side
from penchant.tables.simulator import Simulation, Truth, simulate
from penchant.tables.sources import movielens_100k
from penchant.tables.splits import (
    SPLITS,
    split_cold_both,
    split_cold_items,
    split_cold_users,
    split_leave_one_out,
    split_per_user,
    split_random,
    split_strong_generalisation,
    split_time,
)
from penchant.tables.vocabulary import Vocabulary

__all__ = [
    "KINDS",
    "SPLITS",
    "EncodedTables",
    "Field",
    "Histories",
    "Schema",
    "Side",
    "SideEncoder",
    "Simulation",
    "Tables",
    "TablesEncoder",
    "Truth",
    "Vocabulary",
    "check_where",
    "movielens_100k",
    "read_frame",
    "simulate",
    "split_cold_both",
    "split_cold_items",
    "split_cold_users",
    "split_leave_one_out",
    "split_per_user",
    "split_random",
    "split_strong_generalisation",
    "split_time",
]
