"""Processes: started by the shell, told to end, several workers on one socket."""

import json
import signal
import socket

import httpx
import pytest

from penchant.errors import ConfigError
from penchant.service import Client, ServiceSettings
from penchant.service.client import ServiceError
from penchant.service.running import listening


def test_one_process_from_start_to_end(folder, process):
    with process(folder / "a.penchant", PENCHANT_N_LIMIT="5") as (url, started), Client(url) as client:
        assert len(client.recommend("u1", n=5)) == 5
        with pytest.raises(ServiceError, match="at most 5"):
            client.recommend("u1", n=6)
        started.send_signal(signal.SIGTERM)
        _, log = started.communicate(timeout=120)
    assert started.returncode in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in log.splitlines()]
    asked = [line for line in lines if line.get("route") == "/v1/recommend"]
    assert [line["status"] for line in asked] == [200, 422]
    assert {"request_id", "ms", "key", "arm", "version"} <= set(asked[0])


def test_two_workers_share_a_socket_and_their_counts(folder, process, tmp_path):
    store = f"sqlite:///{tmp_path / 'events.db'}"
    with process(folder / "a.penchant", "--workers", 2, "--store", store) as (url, started):
        for _ in range(20):
            with Client(url) as client:  # a connection each, so that both are asked
                client.recommend("u1", n=1)
        text = httpx.get(f"{url}/metrics").text
        count = 'penchant_request_seconds_count{route="/v1/recommend",status="200"}'
        assert f"{count} 20.0" in text
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=120)


def test_an_address_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="cannot be listened on"):
            listening(ServiceSettings(model="m", port=taken.getsockname()[1]))
