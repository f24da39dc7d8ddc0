"""Write what docs say of the code from the code: docs/cli.md, docs/configuration.md, the settings in docs/service.md,
the figures in README.md and docs/results.md.

    python docs/generate.py            write
    python docs/generate.py --check    say what is out of date, exit 1

`tests/test_docs.py` runs the check.
"""

import ast
import dataclasses
import inspect
import itertools
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from penchant import PRESETS, GaussianSpace, Penchant
from penchant._config import plain
from penchant.cli import app
from penchant.service import ServiceSettings
from penchant.training import TrainingOptions

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
from _results import RESULTS, Row, cell  # noqa: E402 - benchmarks are no package

README, CLI, CONFIGURATION = ROOT / "README.md", ROOT / "docs" / "cli.md", ROOT / "docs" / "configuration.md"
SERVICE = ROOT / "docs" / "service.md"
RESULTS_PAGE, PICTURE = ROOT / "docs" / "results.md", ROOT / "docs" / "pictures" / "portrait_sensitivity.svg"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"
"""Around what is made in a page that is not made as a whole."""
MADE = "<!-- made by docs/generate.py: change the code, not this page -->"


def cli() -> str:
    """docs/cli.md: every verb with its words and options."""
    head = f"""# Command line

{MADE}

`penchant VERB --help` says the same. Results go to standard output, everything else to standard error.
`--json` gives JSON instead of tables, for errors too.
Exit codes: 0 all is well, 1 the data or a model is wrong, 2 the usage is wrong, 130 interrupted.
`python -m penchant` is the same program.
"""
    return "\n".join([head, *(_verb(name, command) for name, command in _verbs(typer.main.get_command(app), ""))])


def _verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
    for verb, one in (inner or {}).items():
        yield from _verbs(one, f"{name} {verb}".strip())


def _verb(name: str, command: Any) -> str:
    words = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join(["penchant", name, *(_word(p) for p in words), "[OPTIONS]"])
    rows = [f"| `{(p.metavar or p.name).upper()}` | {_cell(p.help)} | |" for p in words]
    rows += [f"| {_names(p)} | {_cell(p.help)} | {_default(p)} |" for p in options]
    text, example = _help(command)
    table = "\n".join(["| | what it is for | default |", "|---|---|---|", *rows])
    return f"## `{name}`\n\n{text}\n\n```text\n{usage}\n```\n\n```sh\n{example}\n```\n\n{table}\n"


def _help(command: Any) -> tuple[str, str]:
    """The sentences of a verb, and its example."""
    text, _, example = inspect.cleandoc(command.help).partition("Example: ")
    return " ".join(text.split()), " ".join(example.strip().strip("`").split())


def _word(param: Any) -> str:
    name = (param.metavar or param.name).upper() + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _names(param: Any) -> str:
    return ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))


def _default(param: Any) -> str:
    if param.required:
        return "needed"
    value = param.default
    return "" if value is None or value is False or value == () else f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def configuration() -> str:
    """docs/configuration.md: every option of `Penchant`, by group, and what presets change."""
    model = Penchant()
    own = _parameters()
    parts = [
        f"""# Configuration

{MADE}

Every option of `Penchant`. In Python: `Penchant(loss=Loss(delta=3), epochs=10)` or
 `Penchant.preset("seed", loss__delta=3)`.
In a file for `penchant train --config`:

```toml
preset = "default"
epochs = 10
[loss]
delta = 3
```

On the command line: `--set loss.delta=3`. Later ones win: preset, file, `--set`, options of their own
such as `--epochs`.
"""
    ]
    groups = {n: v for n, v in model.get_params(deep=False).items() if dataclasses.is_dataclass(v)}
    training = {f.name for f in dataclasses.fields(TrainingOptions)}
    rows = [(n, own[n], getattr(model, n)) for n in own if n not in groups and n not in training]
    parts.append(_group("Top level", "", rows))
    parts.append(_group("Training", _sentence(TrainingOptions), _fields(model.training_options)))
    for name, value in groups.items():
        parts.append(_group(f"Group `{name}`", _sentence(type(value)), _fields(value)))
    other = GaussianSpace()
    parts.append(_group('Group `space`, kind = "gaussian"', _sentence(type(other)), _fields(other)))
    changes = [
        (f"`{name}`", ", ".join(_changes(values)) or "nothing: the defaults above") for name, values in PRESETS.items()
    ]
    rows_text = "\n".join(f"| {name} | {text} |" for name, text in changes)
    parts.append(f"## Presets\n\n| preset | what it changes |\n|---|---|\n{rows_text}\n")
    return "\n".join(parts)


def _parameters() -> dict[str, str]:
    """Parameters of `Penchant` with their sentences."""
    found: dict[str, str] = {}
    text = inspect.getdoc(Penchant.__init__) or ""
    for names, sentence in re.findall(r"^    ([a-z_, ]+): (.+(?:\n        .+)*)", text, re.MULTILINE):
        found |= {name.strip(): " ".join(sentence.split()) for name in names.split(",")}
    return found


def _fields(value: Any) -> list[tuple[str, str, Any]]:
    said = _docstrings(type(value))
    return [(f.name, said[f.name], getattr(value, f.name)) for f in dataclasses.fields(value)]


def _docstrings(owner: type) -> dict[str, str]:
    """The docstring under each field, of a class and those it comes from."""
    found: dict[str, str] = {}
    for one in reversed(owner.__mro__):
        if one.__module__.split(".")[0] == "penchant":
            body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body  # type: ignore[attr-defined]
            for node, after in itertools.pairwise(body):
                if (
                    isinstance(node, ast.AnnAssign)
                    and isinstance(node.target, ast.Name)
                    and isinstance(after, ast.Expr)
                ):
                    found[node.target.id] = " ".join(ast.literal_eval(after.value).split())
    return found


def _sentence(owner: type) -> str:
    return (inspect.getdoc(owner) or "").split("\n\n")[0].replace("\n", " ")


def _group(title: str, sentence: str, rows: list[tuple[str, str, Any]]) -> str:
    head = f"## {title}\n\n" + (f"{sentence}\n\n" if sentence else "")
    return head + _options_table("option", rows)


def _options_table(what: str, rows: list[tuple[str, str, Any]]) -> str:
    lines = [f"| `{name}` | {_cell(text)} | `{json.dumps(plain(value))}` |" for name, text, value in rows]
    return "\n".join([f"| {what} | what it is | default |", "|---|---|---|", *lines]) + "\n"


def _changes(values: dict[str, Any]) -> Iterator[str]:
    default = Penchant()
    for name, value in values.items():
        before, after = plain(getattr(default, name)), plain(value)
        if isinstance(after, dict):
            changed = {k: v for k, v in after.items() if k not in before or v != before[k]}
            yield from (f"`{name}.{k} = {json.dumps(v)}`" for k, v in changed.items())
        elif after != before:
            yield f"`{name} = {json.dumps(after)}`"


HEADLINES = {
    "portraits": (
        "correlation",
        "squared_error",
        "top3",
        "auc",
        "violations",
        "ratio",
        "ms one user",
        "users_per_s",
        "decided",
        "largest difference",
        "pairs",
    ),
    "ranking": ("ndcg@100", "recall@20"),
    "cold_start": ("auc", "ndcg@20"),
    "service": ("requests_per_s", "p99_ms", "share of bare route", "failed", "5xx", "lost or doubled"),
    "variations": ("auc", "ndcg@100", "recall@20", "epoch ratio", "s an epoch"),
    "sequences": ("hr@10", "ndcg@10"),
    "explorer": ("trustworthiness", "share of openTSNE", "placement", "first_picture_s", "frames_per_s", "serious"),
    "dynamics": (
        "auc",
        "ndcg@20",
        "error",
        "coverage",
        "update_us",
        "updates_per_s",
        "events_per_s",
        "p99_ms",
        "lost or doubled",
    ),
}
"""Metrics that README shows of a file; of others all. docs/results.md shows all of all."""
QUIET = ("sensitivity",)
"""Cases of which README shows nothing: a picture tells them."""
LEADS = ("auc", "ndcg@100", "ndcg@20", "ndcg@10", "correlation")
"""Metrics by which penchant is held against the best of the others, the first that a case has."""


def results() -> str:
    """What README shows of benchmarks/results."""
    parts = []
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text())
        shown = [row for row in content["rows"] if row["case"] not in QUIET]
        headlines = HEADLINES.get(path.stem)
        shown = shown if headlines is None else [row for row in shown if row["metric"] in headlines]
        parts += [_results_table(case, shown) for case in dict.fromkeys(row["case"] for row in shown)]
        parts.append(f"{_source(path.stem, content['meta'])} All figures: [Results](docs/results.md).\n")
    return "\n".join(parts)


def every_result() -> str:
    """docs/results.md: every figure that was measured, with what a reader must know."""
    parts = [f"# Results\n\n{MADE}\n"]
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text())
        meta = content["meta"]
        parts.append(f"## {path.stem.replace('_', ' ').capitalize()}\n\n{_source(path.stem, meta)}\n")
        parts += [f"* {note}" for note in meta["notes"]]
        for run in meta.get("earlier", []):
            parts.append(f"* Of an earlier run, {', '.join(run['cases'])}: {_source(path.stem, run)}")
            parts += [f"    * {note}" for note in run["notes"] if note not in meta["notes"]]
        parts.append("")
        if path.stem == "portraits" and PICTURE.is_file():
            parts.append(f"![AUC and truth of portraits by δ and k]({PICTURE.relative_to(RESULTS_PAGE.parent)})\n")
        parts += [_long_table(case, content["rows"]) for case in dict.fromkeys(r["case"] for r in content["rows"])]
    return "\n".join(parts)


def _source(stem: str, meta: dict[str, Any]) -> str:
    machine = f"{meta['cores']} cores, {meta['threads']} thread(s) each, torch {meta['torch']}"
    return (
        f"`benchmarks/{stem}.py`, {meta['date'][:10]}, {machine}, seeds {', '.join(map(str, meta['seeds']))}; "
        "mean or median, with the least and the most in brackets."
    )


def _ahead(case: str, rows: list[dict[str, Any]]) -> str:
    """How far penchant is from the best of the others by a leading metric; nothing where a case has none."""
    lead = next((m for m in LEADS if any((r["case"], r["metric"]) == (case, m) for r in rows)), None)
    found = {row["model"]: row["value"] for row in rows if (row["case"], row["metric"]) == (case, lead)}
    others = {model: value for model, value in found.items() if not model.startswith("penchant") and model not in OWN}
    if "penchant" not in found or not others:
        return ""
    best = max(others, key=lambda model: others[model])
    name = "AUC" if lead == "auc" else lead
    return f"penchant's {name} is {found['penchant'] - others[best]:+.4f} against the best of the others, {best}.\n"


OWN = ("decoded point", "without portrait term", "ball points", "50 nearest", "cycle-consistent")
"""Ways to read penchant's own models that portraits.py measures beside it."""
_WIDEST = 6
"""Metrics of a table, at most, where all are shown."""


def _long_table(case: str, rows: list[dict[str, Any]]) -> str:
    """All metrics of a case, in several tables where there are many."""
    here = [row for row in rows if row["case"] == case]
    metrics = list(dict.fromkeys(row["metric"] for row in here))
    parts = []
    for start in range(0, len(metrics), _WIDEST):
        some = [row for row in here if row["metric"] in metrics[start : start + _WIDEST]]
        parts.append(_results_table(case, some, titled=start == 0))
    return "\n".join(parts)


def _results_table(case: str, rows: list[dict[str, Any]], *, titled: bool = True) -> str:
    here = [row for row in rows if row["case"] == case]
    metrics, models = (list(dict.fromkeys(row[key] for row in here)) for key in ("metric", "model"))
    cells = {(row["model"], row["metric"]): cell(Row(**row)) for row in here}
    lines = [f"| {m} | " + " | ".join(cells.get((m, metric), "") for metric in metrics) + " |" for m in models]
    head = [f"**{case}**\n", _ahead(case, rows)] if titled else []
    rule = "|---|" + "---:|" * len(metrics)
    return "\n".join([*head, f"| model | {' | '.join(metrics)} |", rule, *lines, ""])


def readme() -> str:
    """README.md with the figures put in."""
    return _with(README, "results", results())


def service() -> str:
    """docs/service.md with the settings put in."""
    return _with(SERVICE, "settings", _options_table("setting", _fields(ServiceSettings())))


def _with(page: Path, name: str, made: str) -> str:
    """A page with what is made between its two marks."""
    text, begin, end = page.read_text(), BEGIN.format(name), END.format(name)
    before, after = text.index(begin) + len(begin), text.index(end)
    return f"{text[:before]}\n{made}{text[after:]}"


PAGES = {CLI: cli, CONFIGURATION: configuration, SERVICE: service, RESULTS_PAGE: every_result, README: readme}


def outdated() -> list[Path]:
    """Pages that are not what the code says."""
    return [path for path, make in PAGES.items() if not path.is_file() or path.read_text() != make()]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = [str(path.relative_to(ROOT)) for path in outdated()]
        sys.exit(f"out of date: {', '.join(stale)}: run make docs" if stale else 0)
    for path, make in PAGES.items():
        path.write_text(make())
