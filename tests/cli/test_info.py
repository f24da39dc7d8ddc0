from penchant import Penchant, __version__


def test_it_says_what_a_model_is(shell, model):
    got = shell("info", model, "--json").json
    assert (got["users"], got["items"], got["epochs"]) == (60, 40, 2)
    assert got["written_by"] == __version__
    assert got["threshold"] == Penchant.load(model).threshold_
    assert got["config"]["rng"] == 3
    assert got["bytes"] == sum(f.stat().st_size for f in model.iterdir() if f.name != "manifest.json")
    text = shell("info", model).out
    assert "threshold" in text
    assert "loss.delta" in text
