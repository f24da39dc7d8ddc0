import pytest

from penchant import PRESETS, Penchant


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_trains_and_predicts(name, parts):
    model = Penchant.preset(name, epochs=1).fit(parts[0], parts[1])
    assert model.predict_proba(parts[2])["probability"].is_between(0, 1).all()
