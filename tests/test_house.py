"""The house stands: imports go down, doors are doors, sizes are healthy, tests mirror the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "penchant"
TESTS = ROOT / "tests"

FLOORS = {
    1: "errors _spec _random _typing _progress _version _exchange",
    2: "_config storage",
    3: "tables spaces nets conformal pages",
    4: "model losses portraits index dynamics maps calibration recommender",
    5: "training evaluation baselines",
    6: "estimator tuning",
    7: "__init__ testing",
    8: "service",
    9: "cli",
    10: "__main__",
}
"""docs/architecture.md; rooms of one floor do not know each other."""

FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}
FILES = sorted(SOURCE.rglob("*.py"))
GUARDS = {"test_house", "test_door", "test_docs", "test_kinds", "test_deploy"}
FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "lib"}
MAX_LINES, MAX_FUNCTION = 400, 60


def name(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


def each_file(function):
    return pytest.mark.parametrize("file", FILES, ids=name)(function)


def room(module: str) -> str:
    """penchant.spaces.ball -> spaces; penchant -> __init__."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def is_module(module: str) -> bool:
    path = SOURCE.joinpath(*module.split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imported(file: Path) -> Iterator[tuple[str, int]]:
    """Every module of penchant that a file imports, anywhere in it, with the line."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name.split(".")[0] == "penchant")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(file)}:{node.lineno}: import by the full name"
            if (node.module or "").split(".")[0] == "penchant":
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield inner if is_module(inner) else str(node.module), node.lineno


def own_module(file: Path) -> str:
    return ".".join(["penchant", *file.relative_to(SOURCE).with_suffix("").parts])


@each_file
def test_every_room_has_a_floor(file):
    own = file.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert own in FLOOR, f"{own}: give it a floor, here and in docs/architecture.md"


@each_file
def test_imports_go_down(file):
    own = room(own_module(file))
    for module, line in imported(file):
        other = room(module)
        if other != own and file != SOURCE / "__init__.py":
            assert FLOOR[other] < FLOOR[own], (
                f"{name(file)}:{line}: {own} (floor {FLOOR[own]}) imports {other} (floor {FLOOR[other]})"
            )


def test_the_public_door_opens_rooms_below_it_only():
    door = SOURCE / "__init__.py"
    assert all(FLOOR[room(module)] < FLOOR["__init__"] for module, _ in imported(door))


@each_file
def test_no_file_imports_its_own_door(file):
    package = own_module(file).rpartition(".")[0]
    doors = {package}
    while "." in package:
        doors.add(package)
        package = package.rpartition(".")[0]
    if file.name == "__init__.py":
        doors.discard(own_module(file))
    for module, line in imported(file):
        if module in doors and FLOOR[room(own_module(file))] <= FLOOR[room(module)]:
            raise AssertionError(f"{name(file)}:{line}: imports the door {module} of its own package")


@each_file
def test_sizes(file):
    text = file.read_text()
    assert len(text.splitlines()) <= MAX_LINES, f"{name(file)} has more than {MAX_LINES} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MAX_FUNCTION, f"{name(file)}:{node.lineno}: {node.name} has {lines} lines"


@each_file
def test_names_say_what_is_inside(file):
    for part in file.relative_to(SOURCE).with_suffix("").parts:
        assert part.strip("_") not in FORBIDDEN, f"{name(file)}: a name that says nothing"


@each_file
def test_nothing_runs_code_from_data(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec"), f"{name(file)}:{node.lineno}: {node.func.id}()"
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            bad = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"} & set(modules)
            assert not bad, f"{name(file)}:{node.lineno}: {bad} can run code on reading"
            assert "__future__" not in modules, f"{name(file)}: annotations are checked at run time"


@pytest.mark.parametrize("door", [f for f in FILES if f.name == "__init__.py"], ids=name)
def test_doors_have_a_list_and_a_sentence(door):
    tree = ast.parse(door.read_text())
    assert ast.get_docstring(tree), f"{name(door)}: a docstring"
    targets = [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    assert "__all__" in targets, f"{name(door)}: __all__"


@each_file
def test_every_public_file_has_its_tests(file):
    parts = file.relative_to(SOURCE).with_suffix("").parts
    if parts[-1].startswith("_"):
        return  # doors: test_door; private files: with the public ones that use them
    if parts[0] == "testing":
        parts = ("contracts", *parts[1:])
    mirror = TESTS.joinpath(*parts[:-1], f"test_{parts[-1]}.py")
    assert mirror.is_file(), f"{name(file)}: tests expected in {mirror.relative_to(ROOT)}"


def test_every_test_file_has_its_source():
    for file in TESTS.rglob("test_*.py"):
        parts = file.relative_to(TESTS).with_suffix("").parts
        if parts[0] in ("promises", "contracts", "browser") or parts[-1] in GUARDS:
            continue
        above = ROOT if parts[0] == "benchmarks" else SOURCE
        stem, folder = parts[-1].removeprefix("test_"), above.joinpath(*parts[:-1])
        mirrors = folder / f"{stem}.py", folder / f"_{stem}.py", folder / stem / "__init__.py"
        assert any(m.is_file() for m in mirrors), f"{file.relative_to(ROOT)} tests no file of the source"


def test_tests_are_files_not_packages():
    assert not list(TESTS.rglob("__init__.py"))
