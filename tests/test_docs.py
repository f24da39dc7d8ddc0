"""Docs that cannot lie: their examples run, their commands exist, and nothing that can be set is left out."""

import ast
import dataclasses
import importlib
import inspect
import itertools
import pkgutil
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import penchant
from penchant.tables import Schema

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
CLI = ROOT / "docs" / "cli.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<code>.*?)^ *```\s*$", re.MULTILINE | re.DOTALL)


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Line and code of each block of a language that is not marked ``no-run``."""
    text = page.read_text()
    found = []
    for match in FENCE.finditer(text):
        words = match["info"].split()
        if words[:1] == [language] and "no-run" not in words:
            found.append((text.count("\n", 0, match.start()) + 2, textwrap.dedent(match["code"])))
    return found


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=page_id)
def test_python_examples_run(page, tmp_path, monkeypatch, capsys):
    """The blocks of a page run one after another, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for line, code in blocks(page, "python"):
        source = "\n" * (line - 1) + code  # so that a traceback names the line of the page
        exec(compile(source, str(page), "exec"), names)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "toml")], ids=page_id)
def test_schemas_in_the_docs_are_schemas(page):
    for line, code in blocks(page, "toml"):
        if "[users]" in code:
            Schema.from_toml(code, f"{page_id(page)}:{line}")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, _ = target.partition("#")
        if file and "://" not in file and not file.startswith("mailto:"):
            assert (page.parent / file).exists(), f"{page_id(page)} links to {file}, which is not there"


def test_the_changelog_has_this_version():
    assert f"## [{penchant.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


WITH_COMMANDS = [p for p in PAGES if blocks(p, "sh")]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=page_id)
def test_make_targets_in_the_docs_are_there(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line, code in blocks(page, "sh"):
        for target in re.findall(r"^make ([a-z-]+)", code, re.MULTILINE):
            assert target in targets, f"{page_id(page)}:{line}: make {target}"


# ---------------------------------------------------------------------- the shell


def verbs() -> dict[str, Any]:
    """Every verb of the shell, groups spelled out ("schema infer"), with its command; {} without a shell."""
    if not (ROOT / "src" / "penchant" / "cli" / "__init__.py").is_file():
        return {}
    import typer

    cli = importlib.import_module("penchant.cli")
    apps = [value for value in vars(cli).values() if isinstance(value, typer.Typer)]
    assert apps, "penchant.cli: a Typer app is expected at its door"
    found: dict[str, Any] = {}

    def walk(command: Any, name: str) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found[name] = command
        for verb, one in (inner or {}).items():
            if not one.hidden:
                walk(one, f"{name} {verb}".strip())

    walk(typer.main.get_command(apps[0]), "")
    return found


VERBS = verbs()


def options(command: Any) -> set[str]:
    """Long names of a command's options that are shown in its help."""
    shown = [p for p in command.params if p.param_type_name == "option" and not getattr(p, "hidden", False)]
    return {o for p in shown for o in (*p.opts, *p.secondary_opts) if o.startswith("--")} - {"--help"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_in_the_docs(verb):
    text = CLI.read_text()
    parts = re.split(r"^(#+ .*)$", text, flags=re.MULTILINE)
    sections = [body for title, body in zip(parts[1::2], parts[2::2], strict=True) if verb in title.replace("`", "")]
    assert sections, f"docs/cli.md: a heading with {verb!r}"
    for option in options(VERBS[verb]):
        pattern = rf"{re.escape(option)}(?![\w-])"
        assert any(re.search(pattern, body) for body in sections), f"docs/cli.md, {verb}: {option}"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_has_a_help_text(verb):
    command = VERBS[verb]
    assert (command.help or "").strip(), f"penchant {verb}: a sentence"
    for param in command.params:
        if param.param_type_name == "option" and not getattr(param, "hidden", False):
            assert param.help, f"penchant {verb} {param.opts[0]}: a help text"


@pytest.mark.parametrize("page", WITH_COMMANDS if VERBS else [], ids=page_id)
def test_commands_in_the_docs_exist(page):
    for line, code in blocks(page, "sh"):
        for text in code.replace("\\\n", " ").splitlines():
            words = shlex.split(text, comments=True)
            if words[:1] == ["penchant"] and words[1:2] not in ([], ["--help"], ["--version"]):
                verb = next((v for v in (" ".join(words[1:3]), words[1]) if v in VERBS), None)
                assert verb, f"{page_id(page)}:{line}: there is no 'penchant {words[1]}'"
                used = {w.partition("=")[0] for w in words if w.startswith("--")} - {"--help"}
                unknown = used - options(VERBS[verb])
                assert not unknown, f"{page_id(page)}:{line}: penchant {verb} has no {sorted(unknown)}"


def test_pages_made_from_the_code_are_what_the_code_says():
    """docs/cli.md, docs/configuration.md and the figures in README.md: `make docs` writes them."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------- what can be set


def exported() -> dict[str, type]:
    """Every dataclass of a door."""
    found = {}
    for info in pkgutil.walk_packages(penchant.__path__, "penchant."):
        if info.ispkg:
            door = importlib.import_module(info.name)
            for name in getattr(door, "__all__", ()):
                value = getattr(door, name)
                if inspect.isclass(value) and dataclasses.is_dataclass(value):
                    found[f"{info.name}.{name}"] = value
    return found


DATACLASSES = exported()


def documented(owner: type) -> set[str]:
    """Fields with a docstring under them, in the class or one it comes from."""
    found: set[str] = set()
    for one in owner.__mro__:
        if one.__module__.split(".")[0] == "penchant":
            body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body  # type: ignore[attr-defined]
            for node, after in itertools.pairwise(body):
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    text = getattr(getattr(after, "value", None), "value", None)
                    if isinstance(after, ast.Expr) and isinstance(text, str) and text.strip():
                        found.add(node.target.id)
    return found


@pytest.mark.parametrize("owner", DATACLASSES)
def test_every_field_has_a_docstring_under_it(owner):
    fields = {f.name for f in dataclasses.fields(DATACLASSES[owner]) if not f.name.startswith("_")}
    assert fields <= documented(DATACLASSES[owner]), f"{owner}: {sorted(fields - documented(DATACLASSES[owner]))}"


def test_every_option_of_penchant_is_in_the_docs():
    text = CONFIGURATION.read_text()
    params = penchant.Penchant().get_params()
    for name in params:
        _, _, field = name.rpartition("__")
        assert re.search(rf"`{re.escape(field)}`|`{re.escape(name.replace('__', '.'))}`", text), (
            f"docs/configuration.md: {name.replace('__', '.')}"
        )


def test_every_parameter_of_penchant_is_explained():
    text = inspect.getdoc(penchant.Penchant.__init__) or ""
    missing = [n for n in penchant.Penchant().get_params(deep=False) if not re.search(rf"\b{n}\b", text)]
    assert not missing, f"Penchant(): {missing}"
