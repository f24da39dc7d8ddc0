"""What administrators did, a JSON line each: when, who, what, with what outcome."""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Audit"]

_log = logging.getLogger("penchant.service.audit")


class Audit:
    """The record of administrators' actions: appended to a file, or in the log where there is none.

    Raises: OSError: the file cannot be written; better at the start than when it is needed.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, action: str, *, key: str, request_id: str, outcome: str, **about: Any) -> None:
        """One action; lines of several workers do not mix, since each is written at once."""
        facts = {"action": action, "key": key, "request_id": request_id, "outcome": outcome}
        _log.info("admin: %s", about or "", extra=facts)
        if self._file is not None:
            line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **facts, **about}
            try:
                os.write(self._file, (json.dumps(line, ensure_ascii=False, default=str) + "\n").encode())
            except OSError as error:  # a full disk; what was done is in the log at least
                _log.error("the audit file cannot be written: %s", error, extra=facts)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
