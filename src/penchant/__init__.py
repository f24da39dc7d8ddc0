"""penchant: learn what a user likes."""

from penchant._version import __version__

__all__ = ["__version__"]
