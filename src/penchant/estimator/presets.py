"""Named configurations: differences from the constructor's defaults of `Penchant`.

default   the best measured for yes/no prediction (benchmarks/results/label_prediction.json)
seed      the disclosure as meant: plain networks on the scaled features alone, centred hinge, l2 or sup norm
"""

from typing import Any

from penchant.losses import Loss
from penchant.nets import DecoderOptions, EncoderOptions
from penchant.spaces import Space

__all__ = ["PRESETS"]

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "seed": {
        "space": Space(dim=16, norm=2),
        "encoder": EncoderOptions(inputs="vector", hidden=(128, 64), dropout=0.0, wide=False, unseen=0.0),
        "decoder": DecoderOptions(hidden=(64, 128), linear=False),
        "loss": Loss(neck="hinge", margin=0.1, beta=1.0, gamma=0.01, delta=0.0),
        "weight_decay": 0.0,
        "average": 0.0,
    },
}
