"""Studies as files: optuna, the place where trials are kept, and whether a file belongs to the question asked."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from penchant._config import plain
from penchant.errors import ConfigError
from penchant.recommender import Recommender
from penchant.tables import Tables
from penchant.tuning.search import Search

__all__ = ["claim", "fingerprint", "import_optuna", "opened", "quiet"]

_STUDY = "penchant"
_PATIENT = 5
"""Finished trials before any is pruned."""
_WARM = 3
"""Epochs of a trial before it may be pruned."""


def import_optuna() -> Any:
    """The library. Raises: ConfigError: it is not installed, with the way to install it."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError("tuning needs optuna, which is not installed: pip install penchant[tune]") from error
    return optuna


@contextmanager
def quiet(optuna: Any) -> Iterator[None]:
    """Without optuna's own lines: a trial that failed is in the table."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def opened(optuna: Any, path: str | PathLike[str] | None, lower: bool, prune: bool) -> Iterator[Any]:
    """The study, in a file or in memory."""
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_PATIENT, n_warmup_steps=_WARM)
    options = {
        "direction": "minimize" if lower else "maximize",
        "pruner": pruner if prune else optuna.pruners.NopPruner(),
        "study_name": _STUDY,
        "load_if_exists": True,
    }
    if path is None:
        yield optuna.create_study(**options)
        return
    file = Path(path).absolute()
    if not file.parent.is_dir():
        raise ConfigError(f"study {path}: there is no folder {file.parent}")
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    except Exception as error:  # whatever the driver says of a file that is none of its own
        said = str(error).splitlines()[0]
        raise ConfigError(f"study {path}: cannot be opened as a study ({said}): give another file") from error
    try:
        yield optuna.create_study(storage=storage, **options)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def claim(study: Any, mark: str, path: Any) -> None:
    """Mark a new study as of this question. Raises: ConfigError: it is of another one."""
    found = study.user_attrs.get("fingerprint")
    if found is None and not study.trials:
        study.set_user_attr("fingerprint", mark)
    elif found != mark:
        raise ConfigError(
            f"study {path}: it belongs to another model, search, figure, seed, protocol or data: give another file, or "
            "delete it to start anew"
        )


def fingerprint(model: Recommender, axes: Search, figure: str, facts: dict[str, Any], tables: Tables) -> str:
    """A hash of all that the trials of a study have in common; the device aside."""
    options = {name: value for name, value in plain(model.get_params(deep=False)).items() if name != "device"}
    search = {name: repr(axis) for name, axis in axes.items()}
    said = [type(model).__name__, options, search, figure, facts, tables.schema.to_toml()]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    frames: Sequence[pl.DataFrame] = (tables.users, tables.items, tables.interactions)
    for frame in frames:
        buffer = io.BytesIO()
        frame.write_ipc(buffer)
        digest.update(buffer.getvalue())
    return digest.hexdigest()
