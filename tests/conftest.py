"""Shared by all tests: shapes held against their annotations, small layouts and small tables."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

ROOMS = ("nets", "spaces", "losses", "model", "training", "calibration", "conformal", "portraits", "evaluation", "maps")
install_import_hook([f"penchant.{room}" for room in ROOMS], "typechecks.tower")

# one order of examples for everyone who changes something; `make test-all` looks for new ones
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# only now, so that torch sees one thread and penchant's modules come through the hook
import torch  # noqa: E402
from event_stores import postgres, store_url  # noqa: E402, F401

from penchant._spec import Block, Layout  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def layout() -> Layout:
    """One block of every form and likelihood."""
    return Layout(
        (
            Block("age", "dense", 1, 1, "square"),
            Block("member", "dense", 1, 1, "binary"),
            Block("taste", "dense", 3, 3, "square"),
            Block("job", "code", 6, 4, "categorical"),
            Block("user_id", "code", 12, 0, "none"),
            Block("tags", "bag", 7, 5, "binary"),
        )
    )


@pytest.fixture
def context() -> Layout:
    """A small situation."""
    return Layout((Block("hour", "dense", 1, 1, "square"), Block("place", "code", 5, 3, "categorical")))
