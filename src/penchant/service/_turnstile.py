"""Refusals that cost next to nothing: a question that there is no room for is turned away before it is parsed.

Where many times more is asked than can be answered, refusing the usual way would take all of the time there is.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from penchant.service._guard import HEADERS, log_request, new_id
from penchant.service.problems import Refused, respond

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["Turnstile"]

_ID = "0000000000000000"
_HEAD = re.compile(rb"POST (/v1/[a-z]+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})(?=\r\n)")
_SPECIAL = re.compile(rb"\r\n(?:transfer-encoding|expect|connection|upgrade|origin|x-request-id|x-forwarded-for) *:")
"""Whatever has one of these goes the usual way."""


class Turnstile:
    """Decides by the bytes of a request.

    Arguments:
        service: knows how much waits.
    """

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._answers: dict[str, bytes] = {}
        self._coming = Counter[str]()

    def refusal(
        self, data: bytes, default: list[tuple[bytes, bytes]], soon: Callable[[Callable[[], None]], Any]
    ) -> bytes | None:
        """The response to bytes that are one whole question for which there is no room, as `Guard` would give it; None:
        they are to be read.

        Arguments:
            default: headers of every response.
            soon: calls something when all that has come by now was looked at, and before what was let in asks.
        """
        if (found := _HEAD.match(data)) is None:
            return None
        path = found[1].decode()
        if (self._service.desk.waiting or self._coming) and _is_whole(data):
            try:
                self._service.admit(path, self._coming[path])
            except Refused as refused:
                return self._refuse(path, refused, default)
        if not self._coming:
            soon(self._coming.clear)
        self._coming[path] += 1
        return None

    def _refuse(self, path: str, refused: Refused, default: list[tuple[bytes, bytes]]) -> bytes:
        own = new_id()
        self._service.metrics.note(path, 503, 0.0)
        log_request(own, "POST", path, 503, 0.0, {})
        head = b"".join(b"%b: %b\r\n" % pair for pair in default)
        return self._answer(refused).replace(b"\r\n", b"\r\n" + head, 1).replace(_ID.encode(), own.encode())

    def _answer(self, refused: Refused) -> bytes:
        """The whole response but for its id."""
        after = (refused.headers or {})["retry-after"]
        if after not in self._answers:
            response = respond(refused, _ID)
            headers = [*response.raw_headers, *HEADERS, (b"x-request-id", _ID.encode())]
            lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
            self._answers[after] = b"HTTP/1.1 503 Service Unavailable\r\n" + lines + b"\r\n" + bytes(response.body)
        return self._answers[after]


def _is_whole(data: bytes) -> bool:
    """Is it exactly one request, of a plain kind?"""
    end = data.find(b"\r\n\r\n")
    head = data[: end + 2].lower()
    lengths = _LENGTH.findall(head)
    return end > 0 and len(lengths) == 1 and len(data) == end + 4 + int(lengths[0]) and not _SPECIAL.search(head)
