"""Files of a small data set, a model trained on them through the shell, and a way to run the shell."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penchant import simulate
from penchant.cli import main


class Said(NamedTuple):
    """What a run of the shell gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    tables = simulate(n_users=60, n_items=40, n_interactions=1500, rng=3).tables
    tables.users.write_parquet(folder / "users.parquet")
    tables.items.write_parquet(folder / "items.parquet")
    tables.interactions.write_csv(folder / "clicks.csv")
    tables.schema.write(folder / "schema.toml")
    return folder


@pytest.fixture(scope="session")
def data(files) -> list[str]:
    """Options that name the files."""
    names = {"--schema": "schema.toml", "--users": "users.parquet", "--items": "items.parquet"}
    options = [word for option, name in names.items() for word in (option, str(files / name))]
    return [*options, "--interactions", str(files / "clicks.csv")]


@pytest.fixture(scope="session")
def model(files, data) -> Path:
    """A model trained by the shell, with rows put aside in test.csv."""
    out = files / "small.penchant"
    words = ["train", *data, "--out", str(out), "--epochs", "2", "--rng", "3", "--test-share", "0.2", "--quiet"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--test-out", str(files / "test.csv")])
    assert not ended.value.code
    return out


@pytest.fixture
def shell(capfd):
    def run(*words: Any) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return Said(ended.value.code or 0, *capfd.readouterr())

    return run
