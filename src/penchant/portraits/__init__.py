"""Portraits: what a ball of the space says when it is read back into words."""

from penchant.portraits.portrait import Portrait
from penchant.portraits.read import read_portrait

__all__ = ["Portrait", "read_portrait"]
