"""A small client of the service, for Python: asks, waits where it is told to, raises what was wrong."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import httpx

__all__ = ["Client", "ServiceError"]

Who = str | int | Mapping[str, Any]
"""An id, or features."""

_AGAIN = (429, 503)
_LONGEST_S = 30.0


class ServiceError(Exception):
    """What the service refused.

    Attributes:
        status: of HTTP.
        problem: the whole answer (RFC 9457): title, detail, request_id, errors with the fields.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        detail, request = problem.get("detail") or problem.get("title", ""), problem.get("request_id")
        super().__init__(f"{status}: {detail}" + (f" (request {request})" if request else ""))
        self.status, self.problem = status, problem


class Client:
    """Asks a service; safe to share between threads.

    Arguments:
        url: where it is, ``http://127.0.0.1:8000``.
        key: an API key.
        timeout: seconds for one try.
        tries: how often a question is put where the service is busy (429, 503) or cannot be reached; it waits as long
            as Retry-After says, or else a little longer each time.

    Example:
        >>> client = Client("http://127.0.0.1:8000")
        >>> client.close()
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = 10.0,
        tries: int = 4,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)
        self._tries, self._sleep = tries, sleep

    def predict(self, pairs: Sequence[tuple[Who, Who]], *, context: Mapping[str, Any] | None = None) -> Any:
        """Would these users like these items? A dictionary each: liked, probability, distance."""
        asked = [{"user": user, "item": item} for user, item in pairs]
        return self._ask("predict", pairs=asked, context=context)["predictions"]

    def recommend(self, user: Who, *, n: int = 10, **options: Any) -> list[dict[str, Any]]:
        """The items nearest to a user; options as of POST /v1/recommend."""
        return self._ask("recommend", user=user, n=n, **options)["items"]

    def portrait(self, user: Who, **options: Any) -> dict[str, Any]:
        """What a user would like; with ``ranges=True`` the answer has them beside the portrait."""
        return self._ask("portrait", user=user, **options)

    def audience(self, item: Who, **options: Any) -> dict[str, Any]:
        """Whom an item is for."""
        return self._ask("audience", item=item, **options)

    def explain(self, user: Who, item: Who, **options: Any) -> dict[str, Any]:
        """Why a user would like an item, or not."""
        return self._ask("explain", user=user, item=item, **options)["explanation"]

    def group(self, members: Sequence[str | int] | None = None, **options: Any) -> dict[str, Any]:
        """What several have in common; options as of POST /v1/group."""
        return self._ask("group", members=None if members is None else list(members), **options)["group"]

    def related(self, *, user: Who | None = None, item: Who | None = None, to: str = "item", n: int = 10) -> Any:
        """Who or what is near; exactly one of ``user`` and ``item``."""
        return self._ask("related", user=user, item=item, to=to, n=n)["related"]

    def map(self, *, wait_s: float = 0.0) -> dict[str, Any]:
        """Users and items in one picture: the form of ``penchant map --json``.

        Arguments:
            wait_s: a map that is still drawn is asked for again until then.
        """
        until = time.monotonic() + wait_s
        while True:
            try:
                return self._call("GET", "/v1/map")
            except ServiceError as error:
                if "progress" not in error.problem or time.monotonic() >= until:
                    raise
                if self._tries == 1:  # nothing has waited yet
                    self._sleep(_pause(1))

    def place(self, *, user: Who | None = None, item: Who | None = None) -> dict[str, Any]:
        """Where somebody is on the map, and who is in the ball; exactly one of ``user`` and ``item``."""
        return self._ask("map/place", user=user, item=item)

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Events: each with id, user, item, label, time. Sent again, they have no second effect."""
        return self._ask("events", events=list(events))

    def interest(self, user: str | int) -> dict[str, Any]:
        """Where a user's events have moved the interest point."""
        return self._call("GET", f"/v1/interest/{quote(str(user), safe='')}")

    def forget(self, user: str | int) -> dict[str, Any]:
        """Delete all events and states of a user."""
        return self._call("DELETE", f"/v1/users/{quote(str(user), safe='')}")

    def schema(self) -> dict[str, Any]:
        """The columns that features may have."""
        return self._call("GET", "/v1/schema")

    def model(self) -> dict[str, Any]:
        """Which models are served."""
        return self._call("GET", "/v1/model")

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, route: str, **question: Any) -> Any:
        given = {name: value for name, value in question.items() if value is not None}
        return self._call("POST", f"/v1/{route}", given)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """One question, put again where that may help.

        Raises: ServiceError: refused. httpx.TransportError: not reached, after all tries.
        """
        for number in range(1, self._tries + 1):
            last = number == self._tries
            try:
                response = self._http.request(method, path, json=body)
            except httpx.ConnectError:
                if last:
                    raise
                self._sleep(_pause(number))
                continue
            if response.status_code in _AGAIN and not last:
                self._sleep(_told(response) or _pause(number))
                continue
            if response.is_success:
                return response.json()
            raise ServiceError(response.status_code, _problem(response))
        raise AssertionError("the last try returns or raises")


def _told(response: httpx.Response) -> float:
    """How long the service says to wait; 0 where it does not."""
    text = response.headers.get("retry-after", "")
    return min(float(text), _LONGEST_S) if text.isdigit() else 0.0


def _pause(number: int) -> float:
    """Twice as long each time, and not the same for everyone."""
    return min(_LONGEST_S, 0.1 * 2**number) * random.uniform(0.5, 1.0)


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        content = response.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"title": response.reason_phrase}
