"""Questions turned away before they are read get what the guard would say; all else is read."""

import json
import socket
from dataclasses import replace

import httpx
import pytest

from penchant.service._turnstile import Turnstile

BODY = b'{"user":"u1"}'
HEAD = b"POST /v1/recommend HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: 13\r\n\r\n" + BODY


@pytest.fixture
def full(settings, run):
    """A server that has room for nothing but what nobody waits for."""
    with run(replace(settings, patience_s=1e-6, explorer=False)) as live:
        batcher = live.service.batchers["recommend"]
        batcher.batch_s, batcher._batches, batcher.pending, live.service.desk.waiting = 0.5, 1, 1, 1
        batcher.line.append(None)
        yield live
        batcher.line.clear()
        batcher._batches = batcher.pending = live.service.desk.waiting = 0


def answer_on(own: socket.socket) -> bytes:
    """A whole response."""
    found = b""
    while True:
        found += own.recv(65536)
        head, _, body = found.partition(b"\r\n\r\n")
        if body and len(body) == int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return found


def test_it_says_what_the_guard_says(full, problem_in):
    address = httpx.URL(full.url)
    quick, usual = [], []
    for special, found in ((b"", quick), (b"x-request-id: abc\r\n", usual)):  # ids go the usual way
        with socket.create_connection((address.host, address.port)) as own:
            for _ in range(2):
                own.sendall(HEAD + special + b"content-length: 13\r\n\r\n" + BODY)
                found.append(answer_on(own))
    problem_in(full.http.post("/v1/recommend", json={"user": "u1"}))
    for one, other in zip(quick, usual, strict=True):
        (head, body), (other_head, other_body) = (answer.split(b"\r\n\r\n") for answer in (one, other))
        assert {**json.loads(body), "request_id": "abc"} == json.loads(other_body)
        lines, others = ({line.partition(b":")[0] for line in text.split(b"\r\n")} for text in (head, other_head))
        assert lines == others
        assert b"retry-after: 1" in head
    refused = full.service.metrics.refused.labels("503")._value.get()
    assert refused == 5


@pytest.mark.parametrize(
    "data",
    [
        WHOLE[:-1],
        WHOLE + b"x",
        WHOLE.replace(b"POST", b"GET"),
        WHOLE.replace(b"recommend", b"nothing"),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        WHOLE.replace(b"content-length: 13", b"content-length: 13\r\ncontent-length: 13"),
        WHOLE.replace(b"content-length", b"Transfer-Encoding: chunked\r\ncontent-length"),
        WHOLE.replace(b"host", b"Connection: close\r\nhost"),
        b"",
        b"\r\n\r\n",
    ],
)
def test_what_is_not_plainly_one_question_is_read(full, data):
    assert Turnstile(full.service).refusal(data, [], [].append) is None
    assert Turnstile(full.service).refusal(WHOLE, [], [].append) is not None


def test_what_was_let_in_and_has_not_asked_yet_counts(live):
    turnstile, later, room = Turnstile(live.service), [], live.service.batchers["recommend"].queue
    for _ in range(2):
        assert [turnstile.refusal(WHOLE, [], later.append) for _ in range(room)] == [None] * room
        assert turnstile.refusal(WHOLE.replace(b"recommend", b"predict"), [], later.append) is None, "another queue"
        assert b" 503 " in turnstile.refusal(WHOLE, [], later.append)
        assert len(later) == 1
        later.pop()()
