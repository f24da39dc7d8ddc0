"""The estimator: `Penchant` joins the rooms below. Its learned state is one value, `fitted.Fitted`."""

from penchant.estimator.penchant import Penchant
from penchant.estimator.presets import PRESETS

__all__ = ["PRESETS", "Penchant"]
