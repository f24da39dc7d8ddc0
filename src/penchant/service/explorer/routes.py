"""All pages of the explorer, in one list."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter

from penchant.service.explorer.draft import add_draft
from penchant.service.explorer.files import file_routes
from penchant.service.explorer.item import add_item
from penchant.service.explorer.login import login_routes
from penchant.service.explorer.map import add_map
from penchant.service.explorer.model import add_model
from penchant.service.explorer.registrar import Explorer
from penchant.service.explorer.searching import add_search
from penchant.service.explorer.start import add_start
from penchant.service.explorer.user import add_user
from penchant.service.explorer.what_if import add_what_if

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["FREE", "PAGES", "explorer_of", "explorer_routes"]

PAGES: tuple[Callable[[Explorer], None], ...] = (
    add_start,
    add_search,
    add_user,
    add_item,
    add_draft,
    add_what_if,
    add_model,
    add_map,
)
"""What enters each page; see `penchant.service.explorer.registrar`."""

FREE = ("/login", "/logout", "/static/{version}/{name}")
"""Routes without a scope: what is needed to give a key, and nothing of the models."""


def explorer_of(service: "Service") -> Explorer:
    """The explorer with all its pages."""
    explorer = Explorer(service)
    for add in PAGES:
        add(explorer)
    return explorer


def explorer_routes(explorer: Explorer) -> list[APIRouter]:
    """Its routes, with those that need no key."""
    return [*explorer.routers, login_routes(explorer.service), file_routes()]
