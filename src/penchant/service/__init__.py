"""The service: a model behind an API that operators trust. `make_app(settings)` is the ASGI app, `Client` asks it.

It needs the extra ``serve``: ``pip install penchant[serve]``.
"""

from penchant.service.app import make_app
from penchant.service.client import Client
from penchant.service.keys import KeyFile, KeyRecord
from penchant.service.settings import ServiceSettings, read_settings

__all__ = ["Client", "KeyFile", "KeyRecord", "ServiceSettings", "make_app", "read_settings"]
