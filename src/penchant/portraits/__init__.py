"""Portraits: what a ball of the space says when it is read back into words."""

from penchant.portraits.page import html_page
from penchant.portraits.portrait import Portrait
from penchant.portraits.read import read_portrait

__all__ = ["Portrait", "html_page", "read_portrait"]
