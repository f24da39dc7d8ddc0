"""Benchmarks are no package: their modules are loaded by their paths."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

_FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark_module() -> Iterator[Callable[[str], ModuleType]]:
    """Loads a file of benchmarks/ by its stem; it is gone again after the tests of a file."""
    loaded: list[str] = []

    def load(stem: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"benchmark{stem}", _FOLDER / f"{stem}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        loaded.append(spec.name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in loaded:
        del sys.modules[name]
