"""penchant: learn what a user likes, and read it back.

    tables      what columns mean; reading, checking, encoding to [0, 1] and back; splits, sources, a simulator
    spaces      the bounded box and its uniform metric; balls
    nets        encoders and decoders
    model       the dual auto-encoder
    losses      necks, reconstruction, portrait term, covariance
    training    batches, the loop, checkpoints
    evaluation  figures
    baselines   what it is compared with
    portraits   what a ball says in words
    maps        users and items in one picture
    dynamics    interest that moves: filters, several interests, a durable store of events
    estimator   `Penchant`, which joins them
    pages       pages for people: templates, words, charts
    tuning      options that do best on any protocol
    service     a model behind HTTP, with keys, limits and counts
    testing     the laws every part keeps, for parts of your own

Names are loaded when they are first used, so that importing penchant is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from penchant._version import __version__

if TYPE_CHECKING:
    from penchant.dynamics import Dynamics
    from penchant.errors import PenchantError
    from penchant.estimator import PRESETS, Penchant
    from penchant.evaluation import evaluate_binary, evaluate_protocol
    from penchant.losses import Loss
    from penchant.nets import DecoderOptions, EncoderOptions, Latent
    from penchant.portraits import Portrait
    from penchant.recommender import Recommender
    from penchant.spaces import Ball, GaussianSpace, Space, capacity
    from penchant.tables import (
        SPLITS,
        Field,
        Schema,
        Tables,
        movielens_100k,
        simulate,
        split_cold_items,
        split_cold_users,
        split_per_user,
        split_random,
        split_time,
    )

__all__ = [
    "PRESETS",
    "SPLITS",
    "Ball",
    "DecoderOptions",
    "Dynamics",
    "EncoderOptions",
    "Field",
    "GaussianSpace",
    "Latent",
    "Loss",
    "Penchant",
    "PenchantError",
    "Portrait",
    "Recommender",
    "Schema",
    "Space",
    "Tables",
    "__version__",
    "capacity",
    "evaluate_binary",
    "evaluate_protocol",
    "movielens_100k",
    "simulate",
    "split_cold_items",
    "split_cold_users",
    "split_per_user",
    "split_random",
    "split_time",
]

_ROOMS = {
    "errors": ("PenchantError",),
    "estimator": ("PRESETS", "Penchant"),
    "evaluation": ("evaluate_binary", "evaluate_protocol"),
    "losses": ("Loss",),
    "dynamics": ("Dynamics",),
    "nets": ("DecoderOptions", "EncoderOptions", "Latent"),
    "portraits": ("Portrait",),
    "recommender": ("Recommender",),
    "spaces": ("Ball", "GaussianSpace", "Space", "capacity"),
    "tables": (
        "SPLITS", "Field", "Schema", "Tables", "movielens_100k", "simulate", "split_cold_items", "split_cold_users",
        "split_per_user", "split_random", "split_time",
    ),
}  # fmt: skip

_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'penchant' has no attribute {name!r}")
    value = getattr(import_module(f"penchant.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
