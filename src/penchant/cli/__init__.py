"""The shell: ``penchant``, one file a verb; ``_options`` is what they ask for, ``_output`` what they say."""

from penchant.cli._main import app, main

__all__ = ["app", "main"]
