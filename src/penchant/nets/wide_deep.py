"""An encoder with a wide part that holds crosses of fields."""

from jaxtyping import Float
from torch import Tensor

from penchant._spec import Features, Layout
from penchant.nets.base import Catalogue, EncoderOptions
from penchant.nets.crosses import Crosses
from penchant.nets.mlp import MLPEncoder

__all__ = ["WideDeepEncoder"]


class WideDeepEncoder(MLPEncoder):
    """An `MLPEncoder` that adds a first-order vector for each chosen combination of values, inside the bound.

    Without crosses it is an `MLPEncoder`. Only fields of the side itself are crossed.

    Raises: ConfigError: a cross of something that is no field of the layout.
    Source: Cheng et al. 2016, arXiv 1606.07792 (wide & deep).
    """

    def __init__(
        self,
        layout: Layout,
        dim: int,
        options: EncoderOptions,
        context: Layout | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        super().__init__(layout, dim, options, context, catalogue)
        self.crosses = Crosses(layout, dim, options.crosses, options.cross_buckets) if options.crosses else None

    def prepare(
        self,
        features: Features,
        context: Features | None = None,
        catalogue: Float[Tensor, "n_items m"] | None = None,
    ) -> None:
        """As `MLPEncoder.prepare`; the cuts of crossed numbers, too."""
        super().prepare(features, context, catalogue)
        if self.crosses is not None:
            self.crosses.prepare(features)

    def _read(self, features: Features) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n k"] | None]:
        dropped = self._dropped(features, self.layout)
        inputs, wide = self.fields(dropped)
        if self.crosses is None:
            return inputs, wide
        crossed = self.crosses(dropped)
        return inputs, crossed if wide is None else wide + crossed
