from penchant.service import KeyFile


def test_made_listed_and_revoked(shell, tmp_path):
    file = tmp_path / "keys.json"
    made = shell("keys", "add", file, "shop", "--scope", "read", "--scope", "events", "--rate", 5, "--json").json
    assert KeyFile(file).find(made["key"]).scopes == ("read", "events")
    said = shell("keys", "add", file, "ops", "--scope", "admin", "--expires", "2099-01-01")
    assert KeyFile(file).find(said.out.strip()).id == "ops"
    assert "once" in said.err
    listed = shell("keys", "list", file, "--json").json
    assert [one["id"] for one in listed] == ["ops", "shop"]
    assert made["key"].partition(".")[2] not in shell("keys", "list", file).out
    assert shell("keys", "revoke", file, "shop").code == 0
    assert KeyFile(file).find(made["key"]) is None


def test_wrong_keys(shell, tmp_path):
    file = tmp_path / "keys.json"
    assert shell("keys", "add", file, "shop", "--scope", "all").code == 2
    assert shell("keys", "add", file, "The Shop").code == 2
    assert shell("keys", "revoke", file, "none").code == 2
    assert shell("keys", "list", tmp_path / "none.json").code == 1
