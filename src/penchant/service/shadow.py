"""The second model in the shadow: asked as the first was, compared, counted, and not heard."""

import json
from typing import Any

from prometheus_client import Counter

from penchant.service.batching import Batcher

__all__ = ["agreement", "compare"]


async def compare(batcher: Batcher[Any, bytes], asked: Any, answer: bytes, counts: Counter) -> None:
    """Ask, and count how the answers agree; an error of the second model is counted and nothing more."""
    try:
        other = await batcher.ask(asked)
    except Exception:
        counts.labels("failed").inc()
        return
    counts.labels(agreement(answer, other)).inc()


def agreement(one: bytes, other: bytes) -> str:
    """How two answers agree: same, most (at least half of the items, or of the decisions), or other."""
    mine, its = (_said(json.loads(text)) for text in (one, other))
    if mine == its:
        return "same"
    if mine and isinstance(mine[0], bool):
        shared = sum(a == b for a, b in zip(mine, its, strict=True))
    else:
        shared = len(set(mine) & set(its))
    return "most" if 2 * shared >= max(len(mine), len(its)) else "other"


def _said(content: dict[str, Any]) -> list[Any]:
    """What an answer comes to: its items in order, or its decisions."""
    if "items" in content:
        return [item["item"] for item in content["items"]]
    return [prediction["liked"] for prediction in content["predictions"]]
