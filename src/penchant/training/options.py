"""How long and how fast to train."""

from dataclasses import dataclass
from typing import Literal

from penchant.errors import ConfigError

__all__ = ["TrainingOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Run options of the training loop.

    Raises: ConfigError: an option outside its range.
    """

    epochs: int = 100
    """How often each row is gone through at most."""
    batch_size: int = 1024
    """Pairs in a step."""
    batch_by: Literal["pair", "user"] = "pair"
    """pair: pairs are dealt out at random. user: whole users are, about ``batch_size`` pairs a step, so that each one's
    history is read once an epoch (encoders gru, lstm, attention)."""
    learning_rate: float = 2e-3
    """Step size of AdamW at its highest."""
    weight_decay: float = 0.3
    """AdamW's decoupled decay, of all parameters; 1 and more was measured to be too much."""
    schedule: Literal["constant", "cosine"] = "constant"
    """constant, or cosine: fall to a hundredth over the epochs."""
    patience: int = 4
    """Epochs without a better validation figure (AUC, or NDCG@100 with a ranking neck) after which training stops; the
    best epoch is kept."""
    average: float = 0.99
    """Decay of the running average of the weights, which is what is validated and kept; 0: the last weights."""

    threads: int = 1
    """CPU threads; 0: torch's own number. Networks of the default size gain nothing from a second one, and where
    cores are shared many wait for one another. One number of threads gives the same bits on any number of cores."""

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch_size", 2), ("patience", 1), ("threads", 0)):
            if getattr(self, name) < low or int(getattr(self, name)) != getattr(self, name):
                raise ConfigError(f"{name} = {getattr(self, name)}: a whole number >= {low} expected")
        if not self.learning_rate > 0 or not self.weight_decay >= 0:
            raise ConfigError("learning_rate is above 0 and weight_decay at least 0")
        if self.schedule not in ("constant", "cosine"):
            raise ConfigError(f"schedule = {self.schedule!r}: 'constant' or 'cosine' expected")
        if self.batch_by not in ("pair", "user"):
            raise ConfigError(f"batch_by = {self.batch_by!r}: 'pair' or 'user' expected")
        if not 0 <= self.average < 1:
            raise ConfigError(f"average = {self.average}: a decay in [0, 1) expected")
