"""Networks that carry a state along a sequence."""

from jaxtyping import Float
from torch import Tensor, nn

from penchant.nets.dropout import Dropout

__all__ = ["Recurrent"]


class Recurrent(nn.Module):
    """Layers of gated recurrent units, or of long short-term memory; what comes later changes nothing before.

    Shape:  n sequences of t steps (n, t, d) -> (n, t, d): at each step, what has been read up to it.
    Source: Cho et al. 2014, arXiv 1406.1078 (GRU); Hochreiter, Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735 (LSTM);
        Hidasi et al. 2016, arXiv 1511.06939 (GRU4Rec).
    """

    def __init__(self, cell: type[nn.GRU] | type[nn.LSTM], dim: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.net = cell(dim, dim, layers, batch_first=True)

    def cost(self, length: int) -> int:
        """Numbers that a sequence of this length takes, about."""
        return 4 * length * self.net.hidden_size

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """Read the sequences."""
        read: Tensor = self.net(self.dropout(x))[0]
        return self.dropout(read)
