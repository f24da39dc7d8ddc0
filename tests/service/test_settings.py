import pytest

from penchant.errors import ConfigError
from penchant.service import ServiceSettings, read_settings


def test_flags_win_over_environment_over_file_over_defaults(tmp_path):
    file = tmp_path / "service.toml"
    file.write_text('model = "file"\nport = 1\nthreads = 3\ncors = ["https://a.example"]\n')
    environ = {"PENCHANT_PORT": "2", "PENCHANT_WORKERS": "4", "PENCHANT_CORS": "https://b.example, https://c.example"}
    got = read_settings({"port": 3, "workers": None}, environ, file)
    assert (got.model, got.port, got.workers, got.threads, got.queue) == ("file", 3, 4, 3, ServiceSettings().queue)
    assert got.cors == ("https://b.example", "https://c.example")
    assert read_settings({}, {"PENCHANT_PORT": "2"}, file).port == 2
    assert read_settings({}, {"PENCHANT_PORT": ""}, file).port == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port": 70000}, "port"),
        ({"prot": 1}, "did you mean port"),
        ({"threads": 0}, "threads"),
        ({"deadline_s": float("inf")}, "deadline_s"),
        ({"share": 0.5}, "second"),
        ({"rate": 0}, "rate"),
        ({"gather_ms": -1}, "gather_ms"),
        ({"log_level": "loud"}, "log_level"),
        ({"host": "0.0.0.0"}, "penchant keys add"),
        ({"cors": ("*",)}, "origins"),
        ({"workers": "many"}, "workers"),
    ],
)
def test_wrong_settings_are_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        read_settings(given, {})


def test_files_that_are_none(tmp_path):
    with pytest.raises(ConfigError, match="TOML"):
        read_settings({}, {}, tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("port = ")
    with pytest.raises(ConfigError, match="TOML"):
        read_settings({}, {}, tmp_path / "bad.toml")


def test_shown_without_passwords():
    shown = ServiceSettings(model="m", store="postgresql://me:secret@db:5432/events").shown()
    assert "secret" not in str(shown)
    assert shown["store"].endswith("db:5432/events")
    assert ServiceSettings(store="sqlite:///e.db").shown()["store"] == "sqlite:///e.db"
