import pytest

from penchant.errors import ConfigError
from penchant.estimator.reader import Reader


def test_the_recall_threshold_grows_with_what_is_promised(model):
    assert isinstance(model, Reader)
    half, most = model.recall_threshold(0.5), model.recall_threshold(0.9)
    assert 0 < half.distance <= most.distance <= model.space_.diameter


def test_a_model_without_the_portrait_term_says_so(parts):
    from penchant import Penchant
    from penchant.losses import Loss

    plain = Penchant(epochs=1, loss=Loss(delta=0), rng=5).fit(*parts[:2])
    assert any("portrait term" in note for note in plain.portrait("u3", details=False).notes)
    assert any("portrait term" in note for note in plain.audience("i3", details=False).notes)
    assert any("portrait term" in note for note in plain.group(["u1", "u2"]).portrait.notes)
    moved = plain.what_if("u3", {"age": 20})
    assert any("portrait term" in note for note in (*moved.before.notes, *moved.after.notes))
    with pytest.warns(UserWarning, match="portrait term"):
        plain.portraits(["u3"])


def test_wrong_shares_and_sources_are_refused(model):
    for recall in (0.0, 1.0, 1.5):
        with pytest.raises(ConfigError, match="recall"):
            model.recall_threshold(recall)
    assert "99.9%" in model.recall_threshold(0.999).reason
    assert len(model.portrait("u3", examples=0, details=False).examples) == 0
