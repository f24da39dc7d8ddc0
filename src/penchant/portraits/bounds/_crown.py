"""Backward linear bounds of a ReLU network (CROWN) over any sets on which linear forms can be bounded.

A hidden unit z with the range [l, u] lies between two lines where l < 0 < u (elsewhere it is z, or 0),

    α z ≤ max(0, z) ≤ u (z − l) / (u − l)          α = 1 if u > −l else 0

Put in from the last layer to the first, these turn a form of the outputs into a form of the inputs that is nowhere
below it; how far that one reaches is for the set to say. The ranges of hidden units come from the same rule, layer by
layer, and each is met with what interval arithmetic says.

Source: Zhang, Weng, Chen, Hsieh, Daniel 2018, arXiv 1811.00866.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from penchant.errors import ConfigError
from penchant.nets.dropout import Dropout

__all__ = ["SINGLE", "Crown", "InputSets", "ReLUNetwork", "linear_layers"]

SINGLE = 2.0**-23
"""Twice what an operation in single precision adds to its result at most, relatively."""


class InputSets(ABC):
    """p sets of inputs."""

    @abstractmethod
    def maximum(self, forms: Float[Tensor, "#p m n"]) -> Float[Tensor, "p m"]:
        """At least the largest value of each form over each set."""

    @abstractmethod
    def maximum_by_axes(self, forms: Float[Tensor, "1 m n"]) -> Float[Tensor, "p m"]:
        """The same, perhaps larger, for less work: what interval arithmetic would say."""


@dataclass(frozen=True, slots=True)
class ReLUNetwork:
    """y = W_L max(0, … max(0, W_1 x + b_1)) + b_L + S x, in float64."""

    weights: tuple[Float[Tensor, "_ _"], ...]
    """W_1 … W_L, each (outputs, inputs)."""
    biases: tuple[Float[Tensor, " _"], ...]
    """b_1 … b_L."""
    skip: Float[Tensor, "m n"] | None
    """S: what goes past the hidden layers."""

    @property
    def entries(self) -> int:
        """Of the linear forms of its widest layer, downwards and upwards, for one set."""
        return 2 * max(len(weight) for weight in self.weights) * max(weight.shape[1] for weight in self.weights)

    def __call__(self, x: Float[Tensor, "*b n"]) -> Float[Tensor, "*b m"]:
        """The outputs."""
        hidden = x @ self.weights[0].mT + self.biases[0]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            hidden = hidden.clamp(min=0) @ weight.mT + bias
        return hidden if self.skip is None else hidden + x @ self.skip.mT

    def rounding(self, size: Float[Tensor, " n"], error: Float[Tensor, " n"]) -> Float[Tensor, " m"]:
        """How far from the outputs single precision can be at most, in whatever order it adds.

        Arguments:
            size: the largest absolute value of each input.
            error: how far each input may be off itself.

        Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, §3.1.
        """
        skipped = None if self.skip is None else _linear_rounding(self.skip, None, size, error)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            size, error = _linear_rounding(weight, bias, size, error)
        if skipped is None:
            return error
        return error + skipped[1] + SINGLE * (size + skipped[0])


def _linear_rounding(
    weight: Float[Tensor, "m n"], bias: Float[Tensor, " m"] | None, size: Tensor, error: Tensor
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    """Largest absolute values of W x + b, and how far off they may be."""
    weight = weight.abs()
    out = weight @ (size + error)
    if bias is not None:
        out = out + bias.abs()
    return out, weight @ error + (weight.shape[1] + 2) * SINGLE * out


def linear_layers(layers: Iterable[nn.Module], where: str) -> list[nn.Linear]:
    """The linear layers of a ReLU network; dropout counts as off.

    Raises:
        ConfigError: another activation.
    """
    found: list[nn.Linear] = []
    for layer in layers:
        if isinstance(layer, nn.Linear):
            found.append(layer)
        elif not isinstance(layer, nn.ReLU | Dropout):
            raise ConfigError(
                f"certified bounds are made for ReLU, and this model has {type(layer).__name__}: "
                f'train it with {where}.activation = "relu"'
            )
    return found


@dataclass(frozen=True, slots=True)
class _Lines:
    """The two lines of each unit of a layer."""

    upper: Float[Tensor, "p h"]
    """Slope of the line above."""
    height: Float[Tensor, "p h"]
    """Where it meets zero."""
    lower: Float[Tensor, "p h"]
    """Slope of the line below, through the origin."""

    @classmethod
    def over(cls, low: Float[Tensor, "p h"], high: Float[Tensor, "p h"]) -> "_Lines":
        """For units in these ranges."""
        below, above = low.clamp(max=0), high.clamp(min=0)
        upper = above / (above - below).clamp(min=torch.finfo(above.dtype).tiny)
        return cls(upper, -upper * below, (above > -below).to(above.dtype))

    def put(self, forms: Float[Tensor, "#p m h"]) -> tuple[Float[Tensor, "p m h"], Float[Tensor, "p m"]]:
        """A form of the layer's outputs to one of what goes into it, and a constant: together nowhere below it."""
        rising, falling = forms.clamp(min=0), forms.clamp(max=0)
        constant = (rising @ self.height[..., None])[..., 0]
        return rising * self.upper[:, None] + falling * self.lower[:, None], constant


class Crown:
    """A network on p sets: the ranges of its hidden units once, then bounds of any forms of its outputs."""

    def __init__(self, network: ReLUNetwork, inputs: InputSets) -> None:
        self.network, self.inputs = network, inputs
        self.ranges: list[tuple[Float[Tensor, "p h"], Float[Tensor, "p h"]]] = []
        """Of each hidden layer's units, before their ReLU."""
        self._lines: list[_Lines] = []
        for layer in range(len(network.weights) - 1):
            self.ranges.append(self._range(layer))
            self._lines.append(_Lines.over(*self.ranges[-1]))

    def outputs(self) -> tuple[Float[Tensor, "p m"], Float[Tensor, "p m"]]:
        """Lower and upper bounds of every output, at least as narrow as interval arithmetic's."""
        return self._range(len(self.network.weights) - 1, self.network.skip)

    def maximum(self, forms: Float[Tensor, "#p j m"]) -> Float[Tensor, "p j"]:
        """Upper bounds of forms of the outputs."""
        above, constant = self.above(forms)
        return self.inputs.maximum(above) + constant

    def above(self, forms: Float[Tensor, "#p j m"]) -> tuple[Float[Tensor, "#p j n"], Float[Tensor, "#p j"]]:
        """Forms of the inputs and constants that together are nowhere below forms of the outputs."""
        last, skip = len(self.network.weights) - 1, self.network.skip
        above, constant = self._back(forms @ self.network.weights[last], last)
        constant = constant + forms @ self.network.biases[last]
        return above if skip is None else above + forms @ skip, constant

    def _back(
        self, forms: Float[Tensor, "#p m h"], layer: int
    ) -> tuple[Float[Tensor, "#p m n"], Float[Tensor, "#p m"]]:
        """The same for forms of what goes into a layer."""
        constant = forms.new_zeros(len(forms), forms.shape[1])
        for number in reversed(range(layer)):
            forms, more = self._lines[number].put(forms)
            constant = constant + more + forms @ self.network.biases[number]
            forms = forms @ self.network.weights[number]
        return forms, constant

    def _range(self, layer: int, skip: Float[Tensor, "m n"] | None = None) -> tuple[Tensor, Tensor]:
        """Bounds of a layer's outputs: the narrower ones of CROWN and interval arithmetic."""
        weight, bias = self.network.weights[layer], self.network.biases[layer]
        past = None if skip is None else torch.cat([-skip, skip])[None]
        forms, constant = self._back(torch.cat([-weight, weight])[None], layer)  # how far down, and how far up
        reach = self.inputs.maximum(forms if past is None else forms + past) + constant
        m = len(weight)
        low, high = bias - reach[:, :m], bias + reach[:, m:]
        if self.ranges:
            below, above = (end.clamp(min=0) for end in self.ranges[-1])
            middle, half = (below + above) / 2, (above - below) / 2
            centre, spread = middle @ weight.mT + bias, half @ weight.abs().mT
            above = below = spread
            if past is not None:
                more = self.inputs.maximum_by_axes(past)
                below, above = spread + more[:, :m], spread + more[:, m:]
            high, low = torch.minimum(high, centre + above), torch.maximum(low, centre - below)
        return low, torch.maximum(low, high)  # a unit that is constant, and its rounding
