"""The dual auto-encoder: two encoders, two decoders, one space."""

import math
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant._spec import Features, Layout
from penchant.errors import ConfigError
from penchant.nets import (
    KINDS,
    BaseEncoder,
    Catalogue,
    DecoderOptions,
    EncoderOptions,
    Latent,
    MLPDecoder,
    MLPEncoder,
    Prior,
    WideDeepEncoder,
    crossable,
    vectorise,
)
from penchant.nets.growing import Grown, grow_decoder, grow_encoder
from penchant.spaces import BaseSpace, GaussianSpace

__all__ = ["DualAutoencoder"]

_NO_FIELDS = Layout(())


class DualAutoencoder(nn.Module):
    """Users and items as points of one bounded metric space, and the way back.

        e_u = bound(f_u(v_u, situation)),  e_i = bound(f_i(v_i)),  v̂_u = g_u(e),  v̂_i = g_i(e)

    ``n_items``: rows of the catalogue of histories, where users have one; ``half_life``: time in which what is in them
    counts half.
    ``item_encoder``: of the items, where it is not as the users'. Without a history, kinds that read one are plain
    networks.
    ``latent``: what points are while they are learned; of variational ones the means are decoded.
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
        half_life: float | int | None = None,
        space: BaseSpace,
        encoder: EncoderOptions,
        item_encoder: EncoderOptions | None = None,
        decoder: DecoderOptions,
        latent: Latent = Latent(),
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
        _check_latent(latent, space)
        self.space, self.latent = space, latent
        self.user_layout, self.item_layout, self.context_layout = user, item, context
        catalogue = None if n_items is None else Catalogue(n_items, item.width, half_life)
        of_users, of_items = _by_side(user, item, encoder, item_encoder)
        self.user_encoder = _encoder("user", user, space.dim, of_users, context, catalogue)
        self.item_encoder = _encoder("item", item, space.dim, of_items)
        self.user_decoder = MLPDecoder(space.axes, user.width, decoder)
        self.item_decoder = MLPDecoder(space.axes, item.width, decoder)
        centre = (space.low + space.high) / 2
        sides = ("user", "item") if latent.variational else ()
        self.priors = nn.ModuleDict({side: Prior(space.axes, centre, latent) for side in sides})
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

    def take_over(self, old: "DualAutoencoder", catalogue: Features | None = None) -> None:
        """Go on from what ``old`` has learned: over layouts that have grown, nobody who was known is moved by it.

        Arguments:
            old: of the same options; its layouts are the beginnings of these (`penchant.tables.Kind.extended`).
            catalogue: every item, the old ones first, where users have histories.

        See `penchant.nets.growing`.
        """
        items = Grown(self.item_layout, old.item_layout)
        every = None if catalogue is None else vectorise(catalogue, self.item_layout)
        grow_encoder(self.user_encoder, old.user_encoder, items, every)
        grow_encoder(self.item_encoder, old.item_encoder, items)
        grow_decoder(self.user_decoder, old.user_decoder, Grown(self.user_layout, old.user_layout))
        grow_decoder(self.item_decoder, old.item_decoder, items)
        self.priors.load_state_dict(old.priors.state_dict())
        with torch.no_grad():
            self.threshold.copy_(old.threshold)
            self.log_scale.copy_(old.log_scale)

    def encode_users(
        self,
        features: Features,
        context: Features | None = None,
        rows: Int[Tensor, " b"] | None = None,
        left_out: Int[Tensor, " b"] | None = None,
        since: Float[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b k"]:
        """Interest points of users, in their situations where a context is given (see `BaseEncoder.forward`)."""
        late = () if since is None else (since,)
        return self.space.bound(self.user_encoder(features, context, rows, left_out, *late))

    def encode_items(self, features: Features) -> Float[Tensor, "n k"]:
        """Points of items."""
        return self.space.bound(self.item_encoder(features))

    def encode(self, side: Literal["user", "item"], features: Features) -> Float[Tensor, "n k"]:
        """Points of either side."""
        return self.encode_users(features) if side == "user" else self.encode_items(features)

    def decode(self, side: Literal["user", "item"], points: Float[Tensor, "n k"]) -> Float[Tensor, "n width"]:
        """Read points as portrait vectors of a side: what is liked (item), or by whom (user)."""
        decoder = self.user_decoder if side == "user" else self.item_decoder
        decoded: Tensor = decoder(self.space.location(points))
        return decoded

    def layout(self, side: Literal["user", "item"]) -> Layout:
        """The layout of a side's portrait vectors."""
        return self.user_layout if side == "user" else self.item_layout


def _check_latent(latent: Latent, space: BaseSpace) -> None:
    """Gaussians are for variational latents, and they for Gaussians.

    Raises:
        ConfigError: the one without the other.
    """
    gaussian = isinstance(space, GaussianSpace)
    if latent.variational and not gaussian:
        raise ConfigError("latent.kind = 'variational' needs a space of Gaussians: set space.kind = 'gaussian'")
    if gaussian and not latent.variational:
        raise ConfigError(
            f"space.kind = 'gaussian' with latent.kind = {latent.kind!r}: nothing would keep the Gaussians from "
            "becoming points. Set latent.kind = 'variational', or space.kind = 'uniform'"
        )


def _by_side(
    user: Layout, item: Layout, options: EncoderOptions, item_options: EncoderOptions | None
) -> tuple[EncoderOptions, EncoderOptions]:
    """The options of each side; of crosses for both, a side has those of its own fields.

    Raises:
        ConfigError: a cross of fields that no side has together.
    """
    of_items = options if item_options is None else item_options
    if of_items.crosses != options.crosses:
        return options, of_items
    known = [crossable(layout) for layout in (user, item)]
    own = [tuple(names for names in options.crosses if set(names) <= set(fields)) for fields in known]
    for names in options.crosses:
        if names not in (*own[0], *own[1]):
            users, items = (", ".join(fields) or "none" for fields in known)
            raise ConfigError(
                f"encoder.crosses: {names!r}: fields of one side expected, of users ({users}) or items ({items})"
            )
    return replace(options, crosses=own[0]), replace(of_items, crosses=own[1])


def _encoder(
    side: Literal["user", "item"],
    layout: Layout,
    dim: int,
    options: EncoderOptions,
    context: Layout | None = None,
    catalogue: Catalogue | None = None,
) -> BaseEncoder:
    """The encoder of a side: a plain one where there is nothing that its kind would add."""
    if options.kind not in KINDS:
        raise ConfigError(f"encoder.kind = {options.kind!r}: one of {', '.join(KINDS)} expected")
    if options.inputs == "vector" and not layout.width:
        raise ConfigError(f"encoder.inputs = 'vector' needs a {side} column that is no id: nothing else is scaled")
    kind = KINDS[options.kind]
    reads_nothing = catalogue is None and kind.causal and issubclass(kind, MLPEncoder)
    crosses_nothing = kind is WideDeepEncoder and not options.crosses
    return (MLPEncoder if reads_nothing or crosses_nothing else kind)(layout, dim, options, context, catalogue)
