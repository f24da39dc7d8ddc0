"""The dual auto-encoder: two encoders, two decoders, one space."""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant._spec import Features, Layout
from penchant.errors import ConfigError
from penchant.nets import KINDS, BaseEncoder, Catalogue, DecoderOptions, EncoderOptions, MLPDecoder, vectorise
from penchant.spaces import BaseSpace

__all__ = ["DualAutoencoder"]

_NO_FIELDS = Layout(())


class DualAutoencoder(nn.Module):
    """Users and items as points of one bounded metric space, and the way back.

        e_u = bound(f_u(v_u, situation)),  e_i = bound(f_i(v_i)),  v̂_u = g_u(e),  v̂_i = g_i(e)

    ``n_items``: rows of the catalogue of histories, where users have one.
    ``threshold`` p and ``scale`` τ of the neck live here too; whether they learn is the loss's choice.

    Source: the disclosure, §3.4–3.5.
    """

    def __init__(
        self,
        *,
        user: Layout,
        item: Layout,
        context: Layout = _NO_FIELDS,
        n_items: int | None = None,
        space: BaseSpace,
        encoder: EncoderOptions,
        decoder: DecoderOptions,
        threshold: float = 0.5,
        scale: float = 10.0,
        learn_neck: bool = True,
    ) -> None:
        super().__init__()
        if not 0 < threshold < space.diameter:
            raise ConfigError(
                f"threshold = {threshold}: a distance between 0 and the diameter {space.diameter} expected"
            )
        if scale <= 0:
            raise ConfigError(f"scale = {scale}: a number above 0 expected")
        if encoder.kind not in KINDS:
            raise ConfigError(f"encoder.kind = {encoder.kind!r}: one of {', '.join(KINDS)} expected")
        for side, layout in (("user", user), ("item", item)):
            if encoder.inputs == "vector" and not layout.width:
                raise ConfigError(
                    f"encoder.inputs = 'vector' needs a {side} column that is no id: nothing else is scaled"
                )
        self.space = space
        self.user_layout, self.item_layout, self.context_layout = user, item, context
        catalogue = None if n_items is None else Catalogue(n_items, item.width)
        self.user_encoder: BaseEncoder = KINDS[encoder.kind](user, space.dim, encoder, context, catalogue)
        self.item_encoder: BaseEncoder = KINDS[encoder.kind](item, space.dim, encoder)
        self.user_decoder = MLPDecoder(space.dim, user.width, decoder)
        self.item_decoder = MLPDecoder(space.dim, item.width, decoder)
        self.threshold = nn.Parameter(torch.tensor(float(threshold)), requires_grad=learn_neck)
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)), requires_grad=learn_neck)

    @property
    def scale(self) -> Float[Tensor, ""]:
        """τ > 0, the steepness of the logistic neck."""
        return self.log_scale.exp()

    def prepare(
        self,
        users: Features,
        items: Features,
        context: Features | None = None,
        catalogue: Features | None = None,
    ) -> None:
        """Fit what is fitted, not learned, on the training rows: bins, and the decoders' starting point.

        ``catalogue`` is every item, where users have histories.
        """
        every = None if catalogue is None else vectorise(catalogue, self.item_layout)
        self.user_encoder.prepare(users, context, every)
        self.item_encoder.prepare(items)
        for decoder, features, layout in (
            (self.user_decoder, users, self.user_layout),
            (self.item_decoder, items, self.item_layout),
        ):
            decoder.prepare(vectorise(features, layout).nanmean(0))

    def encode_users(
        self,
        features: Features,
        context: Features | None = None,
        rows: Int[Tensor, " b"] | None = None,
        left_out: Int[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b k"]:
        """Interest points of users, in their situations where a context is given (see `BaseEncoder.forward`)."""
        return self.space.bound(self.user_encoder(features, context, rows, left_out))

    def encode_items(self, features: Features) -> Float[Tensor, "n k"]:
        """Points of items."""
        return self.space.bound(self.item_encoder(features))

    def encode(self, side: Literal["user", "item"], features: Features) -> Float[Tensor, "n k"]:
        """Points of either side."""
        return self.encode_users(features) if side == "user" else self.encode_items(features)

    def decode(self, side: Literal["user", "item"], points: Float[Tensor, "n k"]) -> Float[Tensor, "n width"]:
        """Read points as portrait vectors of a side: what is liked (item), or by whom (user)."""
        decoder = self.user_decoder if side == "user" else self.item_decoder
        decoded: Tensor = decoder(points)
        return decoded

    def layout(self, side: Literal["user", "item"]) -> Layout:
        """The layout of a side's portrait vectors."""
        return self.user_layout if side == "user" else self.item_layout
