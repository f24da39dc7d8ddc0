"""Small maps in the form penchant.map/1, with names that try to break out of a page."""

import base64
from typing import Any

import numpy as np

__all__ = ["HOSTILE", "picture"]

HOSTILE = (
    'a"b\'c', "</script><script>window.broken = 1</script>", "<img src=x onerror=window.broken=1>", "a.json",
    "x/y?z&w#v", "\u202egnp.exe", "שלום עולם", "مرحبا", "👩\u200d👧 🎉", "=HYPERLINK(1)", "{{ 7 * 7 }}", "{n}",
    "__proto__", "constructor", " ", "<!--", "]]>", "&amp;", "\u2028line", "很长" * 200,
)  # fmt: skip
"""Ids and names that somebody may have."""


def _packed(values: Any, kind: str) -> str:
    return base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()


def picture(n: int = 60, *, clusters: int = 3, words: int = 4, model: str = "0123456789ab") -> dict[str, Any]:
    """A map of n points, every third a user; the first items have hostile ids and labels."""
    rng = np.random.default_rng(5)
    side = np.arange(n) % 3 == 2
    cluster = np.arange(n) % (clusters + 1) - 1
    x, y = 3 * np.cos(cluster) + 0.3 * rng.normal(size=n), 3 * np.sin(cluster) + 0.3 * rng.normal(size=n)
    ids: list[str | int] = [HOSTILE[i] if i < len(HOSTILE) else i for i in range(n)]
    named = [
        {"name": f"{HOSTILE[c % len(HOSTILE)]} · <b>{c}</b>", "size": int((cluster == c).sum()), "x": 3 * np.cos(c),
         "y": 3 * np.sin(c), "traits": [{"column": "topic", "value": "</td>", "share": 0.75, "elsewhere": 0.25}]}
        for c in range(clusters)
    ]  # fmt: skip
    length = np.where(side, np.nan, np.arange(n) * 1.5)
    topics = [f"<i>{HOSTILE[w % len(HOSTILE)]}</i> {w}" for w in range(words)]
    return {
        "form": "penchant.map/1", "model": model, "metric": {"norm": 2.0, "cap": 1.0, "threshold": 0.4},
        "method": "pca", "n": n, "x": _packed(x, "<f4"), "y": _packed(y, "<f4"), "side": _packed(side, "u1"),
        "ids": ids, "labels": [f"name of {one}" if k % 2 else str(one) for k, one in enumerate(ids)],
        "cluster": _packed(cluster, "<i2"), "clusters": named,
        "columns": [
            {"name": "</option>", "side": "item", "kind": "category", "words": topics,
             "values": _packed(np.where(side, -1, np.arange(n) % max(1, words)), "<i2")},
            {"name": "length", "side": "item", "kind": "number", "values": _packed(length, "<f4"), "low": 0.0,
             "high": float(np.nanmax(length, initial=0.0)), "unit": "words"},
        ],
        "quality": {"trustworthiness": 0.9, "trustworthiness_of_openTSNE": None, "knn_preservation": 0.4, "k": 15,
                    "sampled": n},
        "placed": 0, "notes": ["A <note>."],
    }  # fmt: skip
