"""``penchant info``: what a model is."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from penchant.cli._options import Json, Model, load_model
from penchant.cli._output import show_frame, show_json

if TYPE_CHECKING:
    from penchant.dynamics import Dynamics
    from penchant.estimator import Penchant

__all__ = ["info"]


def info(model: Model, as_json: Json = False) -> None:
    """Say what a model directory holds: sizes, space, threshold, training, options. All checksums are verified.

    Example: `penchant info articles.penchant --json`
    """
    from penchant import storage
    from penchant._config import plain

    fitted, manifest = load_model(model), storage.read_manifest(model)
    facts: dict[str, Any] = {
        "model": str(model),
        "written_by": manifest["penchant"],
        "format": manifest["format"],
        "bytes": sum(file["size"] for file in manifest["files"].values()),
        "users": fitted.users_.height,
        "items": fitted.items_.height,
        "user_features": [field.name for field in fitted.schema_.side("user")],
        "item_features": [field.name for field in fitted.schema_.side("item")],
        "context": [field.name for field in fitted.schema_.side("context")],
        "parameters": sum(p.numel() for p in fitted.module_.parameters()),
        "threshold": fitted.threshold_,
        "cap": plain(fitted.space_.cap),
        "epochs": fitted.history_.height,
        "valid_auc": fitted.history_["valid"].max() if "valid" in fitted.history_.columns else None,
        **_movement(fitted),
    }
    config = plain(fitted.get_params(deep=False))
    if as_json:
        show_json({**facts, "config": config, "history": fitted.history_.to_dicts()})
        return
    shown = {name: _text(value) for name, value in facts.items()}
    show_frame(
        pl.DataFrame({"": list(shown), "value": list(shown.values())}), title=str(model), out=None, as_json=False
    )
    options = {f"{name}.{k}" if k else name: _text(v) for name, value in config.items() for k, v in _fields(value)}
    show_frame(
        pl.DataFrame({"option": list(options), "value": list(options.values())}),
        title="Options",
        out=None,
        as_json=False,
    )


def _movement(fitted: "Penchant") -> dict[str, Any]:
    """How interest moves (the mean over axes), and how far the space wandered where it grew from another one."""
    facts = {f"interest_{name}": value for name, value in _constants(fitted.dynamics_).items()}
    segments = fitted.segments_
    if segments.column is not None:
        facts[f"interest_by_{segments.column}"] = {v: _constants(one) for v, one in segments.constants.items()}
    if fitted.drift_ is not None:
        facts["drift"] = fitted.drift_.config()
    return facts


def _constants(dynamics: "Dynamics") -> dict[str, Any]:
    """Noises as means over axes, and days."""
    from penchant._config import plain

    means = {name: float(np.mean(getattr(dynamics, name))) for name in ("process", "observation", "prior")}
    return {**means, "half_life": plain(dynamics.half_life)}


def _fields(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else [("", value)]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} {_text(one)}" for name, one in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)
