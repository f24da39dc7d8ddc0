"""What the peers were tuned to: found by `_tuning.py` on the validation rows of AutoInt-100K, with seed 0.

``python benchmarks/label_prediction.py --tune`` runs the same search again.
"""

from _peers import Setting
from _trees import TreeSetting

__all__ = ["setting", "tree_setting"]

_NEURAL: dict[str, dict[str, Setting]] = {
    "fields": {
        "LR": Setting(learning_rate=0.005, bins=500),
        "FM": Setting(embed_dim=64, learning_rate=0.005, weight_decay=5e-05, bins=500, init=0.01, average=0.99),
        "DeepFM": Setting(learning_rate=0.005, average=0.99),
        "AutoInt": Setting(learning_rate=0.0005, average=0.99),
        "DCN": Setting(learning_rate=0.002, weight_decay=1e-06, average=0.99),
    },
    "ids": {
        "LR": Setting(learning_rate=0.005, bins=500),
        "FM": Setting(embed_dim=128, weight_decay=5e-05, bins=500, average=0.99),
        "DeepFM": Setting(learning_rate=0.002, weight_decay=5e-05, init=0.01, average=0.99),
        "AutoInt": Setting(learning_rate=0.00025, weight_decay=0.0, layers=2, average=0.99),
        "DCN": Setting(learning_rate=0.0005, weight_decay=5e-05, dropout=0.5, average=0.99),
    },
}
_TREES: dict[str, TreeSetting] = {
    "fields": TreeSetting(learning_rate=0.05, smooth=5.0),
    "ids": TreeSetting(learning_rate=0.05, max_leaf_nodes=63, l2_regularization=1.0, max_features=0.3, smooth=5.0),
}


def setting(model: str, variant: str) -> Setting:
    """The setting of a torch-rechub model in the variant fields or ids."""
    return _NEURAL[variant].get(model, Setting())


def tree_setting(variant: str) -> TreeSetting:
    """The setting of the boosted trees in the variant fields or ids."""
    return _TREES[variant]
