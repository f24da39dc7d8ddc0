"""ES modules to one script, for a page that is a file: each module becomes a function that gives what it exports.

Our modules are written so that this needs no parser: ``import { a, b } from "./other.js";`` on lines of their own,
``export`` before ``const``, ``function``, ``async function`` or ``class``, and nothing else of either.
"""

import re
from functools import cache

from penchant.pages.static import static_bytes

__all__ = ["bundle"]

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";$', re.MULTILINE)
_BARE = re.compile(r'^import "\./([\w.]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:const|function|class) (\w+))", re.MULTILINE)


@cache
def bundle(name: str) -> str:
    """One script that does what the module ``name`` of the static files does.

    Raises: KeyError: a module that is not there. ValueError: a form of import or export that is not ours, or a circle.
    """
    scripts: dict[str, str] = {}
    _add(name, scripts, ())
    return '"use strict";\n' + "\n".join(scripts.values())


def _add(name: str, scripts: dict[str, str], above: tuple[str, ...]) -> None:
    """A module after those that it needs."""
    if name in above:
        raise ValueError(f"{name}: imports itself, by {' → '.join(above)}")
    if name in scripts:
        return
    text = static_bytes(name).decode()
    for one in (*(found[1] for found in _IMPORT.findall(text)), *_BARE.findall(text)):
        _add(one, scripts, (*above, name))
    scripts[name] = f"const {_variable(name)} = (() => {{\n{_body(name, text)}\n}})();"


def _body(name: str, text: str) -> str:
    names = [found[1] for found in _EXPORT.findall(text)]
    body = _IMPORT.sub(lambda found: f"const {{{_renamed(found[1])}}} = {_variable(found[2])};", text)
    body = _EXPORT.sub(r"\1", _BARE.sub("", body))
    if odd := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{name}: {odd[0]!r}: write it as penchant.pages._bundle says")
    return f"{body}\nreturn {{ {', '.join(names)} }};"


def _renamed(names: str) -> str:
    """``a as b`` of an import is ``a: b`` of an object."""
    return re.sub(r"\s+as\s+", ": ", names)


def _variable(name: str) -> str:
    return "module_" + re.sub(r"\W", "_", name)
