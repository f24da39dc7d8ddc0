"""Every entry of any KINDS dictionary is held against the laws of its family."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import penchant

CONTRACTS = Path(__file__).parent / "contracts"


def families() -> dict[str, list[str]]:
    """Names of the modules under which each KINDS dictionary is known, by the first of them."""
    known: dict[int, list[str]] = {}
    for info in pkgutil.walk_packages(penchant.__path__, "penchant."):
        if not info.name.endswith("__main__"):
            kinds = getattr(importlib.import_module(info.name), "KINDS", None)
            if isinstance(kinds, dict):
                known.setdefault(id(kinds), []).append(info.name)
    return {names[0]: names for names in known.values()}


FAMILIES = families()


def runs_all(tree: ast.Module, aliases: set[str], entries: set[str]) -> bool:
    """Is a test parametrised over the dictionary, or is every entry named?"""
    named = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "parametrize":
            inside = {n.id for n in ast.walk(call) if isinstance(n, ast.Name)}
            if inside & aliases:
                return True
    return entries <= named


@pytest.mark.parametrize("family", FAMILIES)
def test_every_entry_has_a_contract_test(family):
    entries = set(importlib.import_module(family).KINDS)
    for file in CONTRACTS.glob("test_*.py"):
        tree = ast.parse(file.read_text())
        aliases = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module in FAMILIES[family]
            for alias in node.names
            if alias.name == "KINDS"
        }
        if aliases and runs_all(tree, aliases, entries):
            return
    raise AssertionError(f"{family}.KINDS: no test in tests/contracts runs every one of {sorted(entries)}")


def test_there_are_families():
    assert "penchant.baselines" in FAMILIES
