"""`Visit`: one request for a page; what a page asks the service by. Also how a page is to be shown to whom."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from fastapi import Request

from penchant.estimator.fitted import SideName
from penchant.pages.rendering import View
from penchant.pages.words import choose_language
from penchant.service._routing import COOKIE
from penchant.service.explorer.finding import Finder, finder_of
from penchant.service.models import Loaded
from penchant.service.problems import Refused

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["LANGUAGE_COOKIE", "SHOWN_BY", "THEMES", "THEME_COOKIE", "Unknown", "Visit", "form_of", "view_of"]

THEME_COOKIE, LANGUAGE_COOKIE = "penchant_theme", "penchant_lang"
THEMES = ("light", "dark")
SHOWN_BY = ("lang", "theme")
"""Of a query, what only says how the page is shown."""

PATIENCE_S = 3.0
"""How long each question of a page may wait: people would rather wait than ask again."""
_MOST_FIELDS = 50
"""Fields of a form."""
_LONGEST = 512
"""Characters of an id, as in the API."""


class Unknown(Refused):
    """An id in no table, with some that are.

    Arguments:
        side: where it was looked for.
        who: the id.
        alike: {"side", "id", "name"} of known ones that are spelled alike.
    """

    def __init__(self, side: SideName, who: str, alike: list[dict[str, Any]]) -> None:
        super().__init__(404, f"There is no {side} {who!r} in the tables of this model.")
        self.side, self.who, self.alike = side, who, alike


@dataclass
class Visit:
    """A request for a page."""

    service: "Service"
    """What is asked."""
    request: Request
    """The request itself."""
    view: View
    """How the page is shown."""

    def __post_init__(self) -> None:
        self.serving = self.service.models.serving
        """The models that the whole page is of, though they may be switched meanwhile."""

    # ------------------------------------------------------------------ what was asked

    def text(self, name: str, default: str = "") -> str:
        """A value of the query.

        Raises: Refused: 422, longer than ids may be.
        """
        value = self.request.query_params.get(name, default)
        if len(value) > _LONGEST:
            raise Refused(422, f"{name}: at most {_LONGEST} characters expected.")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number of the query, within bounds.

        Raises: Refused: 422.
        """
        given = self.text(name)
        try:
            value = int(given) if given else default
        except ValueError as error:
            raise Refused(422, f"{name}: a whole number expected.") from error
        if not low <= value <= high:
            raise Refused(422, f"{name}: from {low} to {high} expected.")
        return value

    async def id(self, side: SideName, name: str = "id") -> str:
        """The id that the query gives, which is one of the model's, or of somebody with events.

        Raises: Refused: 422, none was given. Unknown: 404, with those that are spelled alike.
        """
        who = self.text(name)
        if not who:
            raise Refused(422, f"{name}: give the id of a {side}, as in ?{name}=…")
        if not await self.is_known(side, who):
            raise await self.unknown(side, who)
        return who

    async def unknown(self, side: SideName, who: str) -> "Unknown":
        """What is raised of an id that nobody has: with those that are spelled alike."""
        finder, shown = await self.finder(self.loaded(who)), who[:_LONGEST]
        return Unknown(side, shown, await self.compute(lambda: finder.alike(side, who)))

    async def is_known(self, side: SideName, who: str) -> bool:
        """Is there one of this id, in the table or in the store of events?"""
        loaded = self.loaded(who)
        if loaded.fitted.known[side].vocabulary.find([who])[0] >= 0:
            return True
        store = self.service.store
        if side != "user" or store is None:
            return False
        own = loaded.following(store).own(who)
        return bool(await self.service.ask_store(lambda: next(iter(store.events(own)), None) is not None))

    async def form(self) -> dict[str, str]:
        """The fields of a form that was sent.

        Raises: Refused: 422, no form.
        """
        return await form_of(self.request)

    # ------------------------------------------------------------------ asking

    def loaded(self, who: Any = "") -> Loaded:
        """The model that answers this user."""
        return self.serving.of(self.serving.arm_of(str(who)))

    async def ask(self, kind: str, question: Any, who: Any) -> dict[str, Any]:
        """The answer to a question of the API (`penchant.service.messages`), as plain values.

        Arguments:
            kind: of ``Service.batchers``: recommend, predict, read, explain, related.
            who: by whom the model is chosen, where there are two.
        """
        state = self.request.state
        answer = await self.service.ask(
            kind, question, who, state.key, state, serving=self.serving, patience_s=PATIENCE_S
        )
        found: dict[str, Any] = json.loads(answer)
        return found

    async def compute(self, work: Callable[[], Any]) -> Any:
        """What some work gives; it is done off the event loop. All that takes a millisecond or more belongs here."""
        return await self.service.compute(work, PATIENCE_S)

    async def finder(self, loaded: Loaded) -> Finder:
        """What finds users and items of a model by their names."""
        found: Finder = await self.compute(lambda: finder_of(loaded))
        return found

    @cached_property
    def may(self) -> tuple[str, ...]:
        """The scopes of whoever asks; all of them where there are no keys."""
        from penchant.service._routing import identify
        from penchant.service.keys import SCOPES

        record = identify(self.service, self.request)
        return SCOPES if self.service.keys is None else () if record is None else record.scopes


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; of several of a name the last.

    Raises: Refused: 422, no form.
    """
    try:
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refused(422, "A form expected.") from error
    return {name: values[-1] for name, values in fields.items()}


def view_of(service: "Service", request: Request, paths: frozenset[str]) -> View:
    """How a page is shown to whoever asks: language and theme by the query, else the cookies, else the browser."""
    query, cookies = request.query_params, request.cookies
    language = choose_language(
        query.get("lang"), cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
    )
    themes = (one for one in (query.get("theme"), cookies.get(THEME_COOKIE)) if one in THEMES)
    return View(
        language=language,
        theme=next(themes, ""),
        path=request.url.path,
        query=tuple((name, value) for name, value in query.multi_items() if name not in SHOWN_BY),
        model=service.models.serving.first.name,
        paths=paths,
        signed_in=service.keys is not None and COOKIE in cookies,
    )
