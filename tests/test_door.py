"""Doors: what `__all__` lists is what is exported, and it is documented."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import penchant

DOORS = [
    info.name
    for info in pkgutil.walk_packages(penchant.__path__, "penchant.")
    if info.ispkg and ".cli." not in info.name
]


def opened(module: str) -> set[str]:
    """Public names a door holds, other than modules."""
    found = vars(importlib.import_module(module)).items()
    return {n for n, value in found if not n.startswith("_") and not isinstance(value, types.ModuleType)}


@pytest.mark.parametrize("door", DOORS)
def test_the_list_is_what_is_exported(door):
    assert opened(door) == set(importlib.import_module(door).__all__)


@pytest.mark.parametrize("door", ["penchant", *DOORS])
def test_what_is_exported_is_documented(door):
    module = importlib.import_module(door)
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert (value.__doc__ or "").strip(), f"{door}.{name}: a docstring"
            assert not (value.__doc__ or "").startswith(f"{name}("), f"{door}.{name}: a docstring of its own"


def test_the_public_door_lists_what_type_checkers_see():
    tree = ast.parse(Path(penchant.__file__).read_text())
    seen = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("penchant")
        for alias in node.names
    }
    assert seen == set(penchant.__all__)


def test_the_public_door_opens_every_name_and_no_other():
    assert dir(penchant) == sorted(penchant.__all__)
    for name in penchant.__all__:
        assert getattr(penchant, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        penchant.nonsense  # noqa: B018


def test_the_public_doors_docstring_is_the_map():
    for door in DOORS:
        room = door.split(".")[1]
        assert room == "cli" or f"\n    {room} " in (penchant.__doc__ or ""), f"{room}: a line in penchant's docstring"


@pytest.mark.parametrize("quick", ["import penchant", "import penchant.tables", "from penchant import Schema"])
def test_tables_and_the_door_come_without_torch(quick):
    subprocess.run([sys.executable, "-c", f"{quick}; import sys; assert 'torch' not in sys.modules"], check=True)
