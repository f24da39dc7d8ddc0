"""Files that pages load: the style sheet, scripts, the icon. They are addressed by the hash of their content."""

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["STATIC", "static_bytes", "static_url", "static_version"]

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

STATIC = {one.name: f"{_TYPES[one.suffix]}; charset=utf-8" for one in sorted(_FOLDER.iterdir()) if one.suffix in _TYPES}
"""Every file by its name, with its content type."""


@cache
def static_bytes(name: str) -> bytes:
    """The content of a file.

    Raises: KeyError: no such file; names are looked up, so that none of them is a path.
    """
    if name not in STATIC:
        raise KeyError(name)
    return (_FOLDER / name).read_bytes()


@cache
def static_version() -> str:
    """Sixteen digits of the SHA-256 of all files together: modules import their neighbours, so they change together."""
    digest = hashlib.sha256()
    for name in STATIC:
        digest.update(name.encode() + b"\0" + static_bytes(name) + b"\0")
    return digest.hexdigest()[:16]


def static_url(name: str) -> str:
    """Where the service has a file: ``/static/<version>/penchant.css``, which never changes.

    Raises: KeyError: no such file.
    """
    static_bytes(name)
    return f"/static/{static_version()}/{name}"
