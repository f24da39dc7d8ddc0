"""Interval arithmetic of a stack of layers: simple, differentiable, wider than it need be.

    y = W x + b on [c − h, c + h]:  [W c + b − |W| h, W c + b + |W| h];  an activation: between its values at the ends

Proofs use tighter bounds (`penchant.portraits.bounds`); this is their cross-check, and a penalty on it while training
makes a model easier to prove things about.

Source: Gowal et al. 2018, arXiv 1810.12715.
"""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from penchant._spec import Features
from penchant.errors import ConfigError
from penchant.nets.dropout import Dropout
from penchant.nets.features import take
from penchant.nets.mlp import MLPEncoder, is_plain
from penchant.nets.vertices import Vertices, input_columns, read_offsets, vertices_of, with_field

__all__ = ["interval_bounds", "interval_width"]

_RISING = (nn.ReLU, nn.Tanh, nn.Sigmoid)
_DIPS: dict[type[nn.Module], float] = {nn.GELU: -0.7517915246935645, nn.SiLU: -1.2784645427610738}
"""Where an activation that falls first and then rises has its lowest point."""


def interval_bounds(
    layers: Iterable[nn.Module], low: Float[Tensor, "*n i"], high: Float[Tensor, "*n i"]
) -> tuple[Float[Tensor, "*n o"], Float[Tensor, "*n o"]]:
    """Bounds of what layers make of any inputs between two corners; dropout counts as off.

    Raises:
        ConfigError: a layer of which it is not known where it rises.
    """
    for layer in layers:
        if isinstance(layer, nn.Linear):
            middle, half = layer((low + high) / 2), (high - low) / 2 @ layer.weight.abs().mT
            low, high = middle - half, middle + half
        elif isinstance(layer, _RISING):
            low, high = layer(low), layer(high)
        elif type(layer) in _DIPS:
            dip = torch.full_like(low, _DIPS[type(layer)])
            lowest = layer(torch.minimum(torch.maximum(dip, low), high))
            low, high = lowest, torch.maximum(layer(low), layer(high))
        elif not isinstance(layer, Dropout):
            raise ConfigError(f"interval_bounds: {type(layer).__name__} is no layer whose bounds are known")
    return low, high


def interval_width(
    encoder: MLPEncoder, features: Features, field: str, *, bound: Callable[[Tensor], Tensor] | None = None
) -> Float[Tensor, " n"]:
    """How wide, by interval arithmetic, each row's point becomes when one field may take any of its known values.

    The mean over the axes. Differentiable: as a small term of a loss, for another field in each batch, it trains an
    encoder about which more can be proved.

    Arguments:
        encoder: of a side without situations and histories: the items'.
        features: n rows.
        field: the name of the field that is freed.
        bound: the space's bound, for widths of points; without it, of what is bounded.

    Raises:
        ConfigError: no such field, one without known values, or an encoder of another side.
    """
    block = next((b for b in encoder.layout.blocks if b.name == field), None)
    if block is None:
        names = ", ".join(b.name for b in encoder.layout.blocks)
        raise ConfigError(f"interval_width: {field!r} is no field of this encoder: one of {names} expected")
    if encoder.context_layout is not None or encoder.catalogue is not None:
        raise ConfigError("interval_width: an encoder of items expected, this one reads situations or histories")
    if not is_plain(encoder):
        raise ConfigError(
            f"interval_width: an MLPEncoder expected, {type(encoder).__name__} adds what has no bounds here"
        )
    corners = vertices_of(encoder, block)
    inputs, wide = encoder.fields(with_field(features, encoder.layout, block, corners.base))
    deep, more = read_offsets(
        encoder, take(features, features.codes.new_zeros(1)), block, corners.values, corners.base, encoder.fields
    )
    pre = encoder.first(inputs)
    least, most = _ends(deep @ encoder.first.weight[:, input_columns(encoder)[field]].mT, corners)
    low, high = interval_bounds(encoder.rest, pre + least, pre + most)
    if wide is not None and more is not None:
        least, most = _ends(more, corners)
        low, high = low + wide + least, high + wide + most
    return (high - low if bound is None else bound(high) - bound(low)).mean(-1)


def _ends(offsets: Float[Tensor, "v h"], corners: Vertices) -> tuple[Float[Tensor, " h"], Float[Tensor, " h"]]:
    """The least and the most that a field adds to each unit."""
    if corners.form in ("sum", "axes"):
        return offsets.clamp(max=0).sum(0), offsets.clamp(min=0).sum(0)
    return offsets.amin(0).clamp(max=0), offsets.amax(0).clamp(min=0)  # the base value adds nothing
