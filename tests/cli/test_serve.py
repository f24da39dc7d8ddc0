import json
import sys

import pytest


def test_settings_are_said_and_the_model_tried(shell, model, tmp_path, monkeypatch):
    (tmp_path / "service.toml").write_text(f'model = "{model}"\nport = 9000\nqueue = 7\n')
    monkeypatch.setenv("PENCHANT_PORT", "9001")
    said = shell("serve", "--config", tmp_path / "service.toml", "--workers", 2, "--check")
    assert said.code == 0, said.err
    assert (said.json["port"], said.json["workers"], said.json["queue"]) == (9001, 2, 7)
    assert "sound" in said.err


def test_what_cannot_be_served_is_said_before(shell, model, tmp_path):
    assert "MODEL" in shell("serve", "--check").err
    assert shell("serve", tmp_path / "none", "--check").code == 1
    assert shell("serve", tmp_path / "none", "--workers", 2).code == 1
    said = shell("serve", model, "--host", "0.0.0.0", "--check")
    assert (said.code, "penchant keys add" in said.err) == (2, True)
    assert shell("serve", model, "--share", "0.5", "--check").code == 2
    assert shell("serve", model, "--keys", tmp_path / "none.json", "--check").code == 1
    assert shell("serve", model, "--store", "mysql://here", "--check").code == 2


def test_it_says_what_to_install(shell, model, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("penchant.service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    said = shell("serve", model)
    assert (said.code, "pip install penchant[serve]" in said.err) == (2, True)
    assert shell("keys", "list", "keys.json").code == 2


@pytest.mark.parametrize("verb", ["serve", "keys"])
def test_help_comes_without_the_service(verb):
    import subprocess

    code = f"import sys; from penchant.cli import main\ntry: main(['{verb}', '--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'fastapi', 'torch', 'uvicorn'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_secrets_are_not_said(shell, model):
    said = shell("serve", model, "--store", "postgresql://me:hidden@127.0.0.1:1/none", "--check")
    assert said.code != 0
    assert "hidden" not in said.out + said.err
    if said.out:
        assert json.loads(said.out)["store"]
