import json
import logging
import stat

import pytest

from penchant.service.audit import Audit


def test_actions_are_appended(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "penchant.service.audit"):
        for number in range(2):
            audit = Audit(tmp_path / "audit.jsonl")
            audit.note("load model", key="ops", request_id=f"r{number}", outcome="done", name="a\nb")
            audit.close()
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(line["key"], line["request_id"], line["name"]) for line in lines] == [
        ("ops", "r0", "a\nb"),
        ("ops", "r1", "a\nb"),
    ]
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600
    assert len(caplog.records) == 2


def test_without_a_file_it_is_in_the_log(caplog):
    audit = Audit(None)
    with caplog.at_level(logging.INFO, "penchant.service.audit"):
        audit.note("roll back", key="ops", request_id="r", outcome="done")
    audit.close()
    assert caplog.records[0].action == "roll back"


def test_a_full_disk_is_said_in_the_log(tmp_path, caplog, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    audit = Audit(tmp_path / "audit.jsonl")
    monkeypatch.setattr("os.write", full)
    audit.note("roll back", key="ops", request_id="r", outcome="done")
    monkeypatch.undo()
    audit.close()
    assert "No space left" in caplog.records[-1].getMessage()


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError):
        Audit(tmp_path / "none" / "audit.jsonl")
