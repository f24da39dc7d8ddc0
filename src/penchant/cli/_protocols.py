"""Options that say by which protocol models are judged, and which models: shared by ``compare`` and ``tune``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli._options import configured, toml_value
from penchant.errors import ConfigError

if TYPE_CHECKING:
    from penchant.evaluation import BaseProtocol
    from penchant.recommender import Recommender

__all__ = ["PENCHANT", "Folds", "Protocol", "ProtocolOptions", "TestShare", "ValidShare", "chosen", "made"]

PENCHANT = "penchant"

Protocol = Annotated[
    str,
    typer.Option(
        help="What is held out: random, per_user, leave_one_out, time, strong_generalisation, cold_users, cold_items "
        "or cold_both."
    ),
]
Folds = Annotated[int | None, typer.Option(min=1, help="How often: 1, or 5 for strong_generalisation.")]
ValidShare = Annotated[
    float | None, typer.Option(min=0, max=0.9, help="Share to stop and calibrate on: 0.1, or 0.2 for cold_both.")
]
TestShare = Annotated[
    float | None, typer.Option(min=0.01, max=0.9, help="Share to judge by: 0.1, or 0.2 for cold_both.")
]
ProtocolOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol-option",
        help="One more: given=0.8 or least=5 (strong_generalisation), by_time=true (leave_one_out), among=all (cold "
        "items). May be repeated.",
    ),
]


def chosen(
    name: str, folds: int | None, valid_share: float | None, test_share: float | None, options: list[str] | None
) -> "BaseProtocol":
    """The protocol that the options name.

    Raises:
        ConfigError: no such protocol, an option it does not have, or a value outside its range.
    """
    from penchant.evaluation import make_protocol

    named = {"folds": folds, "valid": valid_share, "test": test_share}
    given = {key: value for key, value in named.items() if value is not None}
    for option in options or ():
        key, equals, text = option.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--protocol-option {option!r}: name=value expected, e.g. given=0.8")
        given[key.strip()] = toml_value(text)
    return make_protocol(name, given)


def made(
    name: str, settings: list[str], rng: int, *, config: Path | None = None, option: str = "--models"
) -> "Recommender":
    """An unfitted model by name: ``penchant``, ``penchant:PRESET`` or a baseline; the others concern penchant alone.

    Raises:
        ConfigError: no such model, preset or option.
    """
    from penchant.baselines import KINDS

    family, _, preset = name.partition(":")
    if family == PENCHANT:
        return configured(config, settings, {"rng": rng, **({"preset": preset} if preset else {})})
    if name not in KINDS:
        raise ConfigError(f"{option}: {name!r} is no model: one of {', '.join([PENCHANT, *KINDS])} expected")
    model = KINDS[name]()
    return model.set_params(rng=rng) if "rng" in model.get_params(deep=False) else model
