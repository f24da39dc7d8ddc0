"""The peers of label prediction that are of torch-rechub 0.9.0: LR, FM, DeepFM, AutoInt, DCN.

Numbers are cut into bins at quantiles of the training rows, as all of these models want categories; genres
are the mean of their vectors. Training is torch-rechub's: binary cross-entropy, Adam with L2 decay, the epoch
with the best validation AUC. What each peer was tuned to stands in `_settings.py`.
"""

import copy
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from _movielens import Arrays
from jaxtyping import Float, Float64, Int64
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from penchant.evaluation import auc

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch-rechub 0.9.0 is not free of warnings at import
    from torch_rechub.basic.features import SequenceFeature, SparseFeature
    from torch_rechub.basic.initializers import RandomNormal
    from torch_rechub.basic.layers import FM, LR, EmbeddingLayer
    from torch_rechub.models.ranking import DCN, AutoInt, DeepFM

__all__ = ["NEURAL", "Prediction", "Setting", "build", "calibrated", "inputs", "train_neural"]

NEURAL = ("LR", "FM", "DeepFM", "AutoInt", "DCN")
_GENRES = "genres"
_EPOCHS = 60
_PATIENCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is tuned on the validation rows."""

    embed_dim: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    """L2, added to the gradient by Adam, as torch-rechub's trainer does."""
    dropout: float = 0.2
    bins: int = 200
    """Bins of the timestamp; age and year have 20."""
    hidden: tuple[int, ...] = (256, 128)
    init: float = 1e-4
    """Standard deviation of the embeddings at the start; 1e-4 is torch-rechub's own."""
    layers: int = 3
    """Interacting layers of AutoInt, cross layers of DCN."""
    average: float = 0.0
    """Decay of a running average of the weights, as penchant's; 0: none, as in torch-rechub."""


class Prediction(NamedTuple):
    """What a model says of the held-out rows, and how long it was trained."""

    valid: Float64[np.ndarray, " n_valid"]
    test: Float64[np.ndarray, " n_test"]
    epochs: int


class _LR(nn.Module):
    """One weight a value: σ(b + Σ w)."""

    def __init__(self, features: list[SparseFeature | SequenceFeature]) -> None:
        super().__init__()
        self.features = features
        self.embedding = EmbeddingLayer(features)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x: dict[str, Tensor]) -> Float[Tensor, " b"]:
        return torch.sigmoid(self.embedding(x, self.features, squeeze_dim=True).sum(1) + self.bias)


class _FM(nn.Module):
    """torch-rechub's DeepFM without its deep part: linear and second-order terms."""

    def __init__(self, features: list[SparseFeature | SequenceFeature]) -> None:
        super().__init__()
        self.features = features
        self.embedding = EmbeddingLayer(features)
        self.linear = LR(sum(feature.embed_dim for feature in features))
        self.fm = FM(reduce_sum=True)

    def forward(self, x: dict[str, Tensor]) -> Float[Tensor, " b"]:
        vectors = self.embedding(x, self.features, squeeze_dim=False)
        return torch.sigmoid((self.linear(vectors.flatten(start_dim=1)) + self.fm(vectors)).squeeze(1))


def inputs(data: Arrays, bins: int) -> dict[str, Int64[np.ndarray, "n ..."]]:
    """Columns of codes by name, as torch-rechub takes them."""
    n_train = data.ends[0]
    columns = dict(data.codes)
    for name, values in data.numbers.items():
        columns[name] = _binned(values, n_train, bins if name == "timestamp" else 20)
    return {**columns, _GENRES: data.genres}


def _binned(values: Float[np.ndarray, " n"], n_train: int, bins: int) -> Int64[np.ndarray, " n"]:
    """0 where missing, else the bin from 1."""
    edges = np.unique(np.nanquantile(values[:n_train], np.linspace(0, 1, bins + 1)[1:-1]))
    codes = 1 + np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), 0, codes).astype(np.int64)


def build(name: str, columns: dict[str, Int64[np.ndarray, "n ..."]], data: Arrays, setting: Setting) -> nn.Module:
    """An untrained peer."""
    dim = 1 if name == "LR" else setting.embed_dim
    start = RandomNormal(0, setting.init)
    features: list[SparseFeature | SequenceFeature] = []
    for column, codes in columns.items():
        if column == _GENRES:
            size = data.n_genres + 1
            options = {"embed_dim": dim, "pooling": "mean", "padding_idx": 0, "initializer": start}
            features.append(SequenceFeature(column, size, **options))
        else:
            size = data.sizes.get(column, int(codes.max()) + 1)
            features.append(SparseFeature(column, size, embed_dim=dim, initializer=start))
    mlp = {"dims": list(setting.hidden), "dropout": setting.dropout, "activation": "relu"}
    if name == "LR":
        return _LR(features)
    if name == "FM":
        return _FM(features)
    if name == "DeepFM":
        return DeepFM(features, features, mlp)
    if name == "AutoInt":
        return AutoInt(features, [], num_layers=setting.layers, num_heads=2, dropout=0.0, mlp_params=mlp)
    if name == "DCN":
        return DCN(features, setting.layers, mlp)
    raise ValueError(f"peer {name!r}: one of {', '.join(NEURAL)} expected")


def train_neural(name: str, data: Arrays, setting: Setting, *, seed: int, batch_size: int = 1024) -> Prediction:
    """Train a peer; the epoch with the best validation AUC counts."""
    torch.manual_seed(seed)
    columns = inputs(data, setting.bins)
    module = build(name, columns, data, setting)
    tensors = {column: torch.tensor(codes) for column, codes in columns.items()}
    label = torch.tensor(data.label)
    train, valid, test = data.parts
    optimiser = torch.optim.Adam(module.parameters(), lr=setting.learning_rate, weight_decay=setting.weight_decay)
    kept = copy.deepcopy(module) if setting.average else module
    order = torch.Generator().manual_seed(seed)
    best, best_epoch, said, step = -1.0, -1, Prediction(np.empty(0), np.empty(0), 0), 0
    for epoch in range(_EPOCHS):
        module.train()
        for rows in torch.randperm(train.stop, generator=order).split(batch_size):
            probability = module({column: codes[rows] for column, codes in tensors.items()})
            loss = nn.functional.binary_cross_entropy(probability, label[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
            if setting.average:
                _follow(kept, module, min(setting.average, step / (step + 10)))
        here = _predict(kept, tensors, valid)
        figure = auc(data.label[valid].astype(np.float64), here)
        if figure > best:
            best, best_epoch = figure, epoch
            said = Prediction(here, _predict(kept, tensors, test), epoch + 1)
        elif epoch - best_epoch >= _PATIENCE:
            break
    return said


@torch.no_grad()
def _follow(kept: nn.Module, module: nn.Module, decay: float) -> None:
    torch._foreach_lerp_(list(kept.parameters()), list(module.parameters()), 1 - decay)
    for ours, theirs in zip(kept.buffers(), module.buffers(), strict=True):
        ours.copy_(theirs)


@torch.no_grad()
def _predict(module: nn.Module, tensors: dict[str, Tensor], rows: slice) -> Float64[np.ndarray, " n"]:
    module.eval()
    probability: Tensor = module({column: codes[rows] for column, codes in tensors.items()})
    return probability.double().numpy()


def calibrated(said: Prediction, label_valid: Float[np.ndarray, " n_valid"]) -> Prediction:
    """Slope and intercept on the logit fitted on the validation rows, as penchant's are; ranks stay."""
    valid, test = (np.log(p / (1 - p))[:, None] for p in (np.clip(q, 1e-7, 1 - 1e-7) for q in said[:2]))
    fitted = LogisticRegression(C=np.inf).fit(valid, label_valid > 0.5)
    return replace_probabilities(said, fitted.predict_proba(valid)[:, 1], fitted.predict_proba(test)[:, 1])


def replace_probabilities(said: Prediction, valid: np.ndarray, test: np.ndarray) -> Prediction:
    return said._replace(valid=valid, test=test)
