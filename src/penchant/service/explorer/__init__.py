"""The explorer: pages for people over the models that are served.

How to add one: `penchant.service.explorer.registrar`.
"""

from penchant.service.explorer.registrar import Explorer, Moved
from penchant.service.explorer.routes import PAGES, explorer_of, explorer_routes
from penchant.service.explorer.visiting import Visit

__all__ = ["PAGES", "Explorer", "Moved", "Visit", "explorer_of", "explorer_routes"]
