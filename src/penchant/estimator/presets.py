"""Named configurations: differences from the constructor's defaults of `Penchant`.

default   the best measured for yes/no prediction (benchmarks/results/label_prediction.json)
seed      the disclosure as meant: plain networks on the scaled features alone, centred hinge, l2 or sup norm
ranking   what is liked on top of the catalogue, from likes alone: wide, shallow encoders (each id, earlier item and
          feature adds its own vector inside the bound) and a softmax over all items; best with a field of kind history
sequential  what is liked next: ranking's shallow encoders and softmax, users' histories read in order of time
wide_deep  the default with crosses of fields, which ``encoder.crosses`` names
variational  the default with Gaussians for points, which say how sure they are
"""

from typing import Any

from penchant.losses import Loss
from penchant.nets import DecoderOptions, EncoderOptions, Latent
from penchant.spaces import GaussianSpace, Space

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
    "ranking": {
        "space": Space(dim=200, norm=4),
        "encoder": EncoderOptions(hidden=()),
        "loss": Loss(neck="softmax", gamma=1.0),
        "scale": 20.0,
        "batch_size": 512,
        "weight_decay": 0.3,
        "patience": 3,
    },
    "sequential": {
        "space": Space(dim=128, norm=2),
        "encoder": EncoderOptions(kind="attention", hidden=(), dropout=0.2),
        "loss": Loss(neck="softmax", gamma=1.0),
        "scale": 20.0,
        "batch_size": 512,
        "batch_by": "user",
        "weight_decay": 0.3,
        "patience": 3,
    },
    "wide_deep": {"encoder": EncoderOptions(kind="wide_deep")},
    "variational": {
        "space": GaussianSpace(dim=128, metric="wasserstein"),
        "latent": Latent(kind="variational"),
    },
}
