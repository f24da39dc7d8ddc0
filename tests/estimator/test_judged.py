import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from penchant import Penchant
from penchant.calibration import Calibration
from penchant.estimator.judged import judge, judged_of

CALIBRATION = Calibration(threshold=0.5, slope=8.0)


def pairs(n=3000, rng=1):
    g = np.random.default_rng(rng)
    d = g.uniform(0, 1, n)
    return d, g.random(n) < CALIBRATION.probability(d)


def test_every_threshold_is_judged_as_the_rows_judge_it():
    d, liked = pairs()
    curve = judge(d, liked).trade_off()
    for place in range(0, len(curve["threshold"]), 40):
        said = d <= curve["threshold"][place]
        assert curve["recall"][place] == pytest.approx(recall_score(liked, said))
        assert curve["precision"][place] == pytest.approx(precision_score(liked, said))
        assert curve["shown"][place] == pytest.approx(said.mean())
    assert curve["recall"][-1] == curve["shown"][-1] == 1


def test_the_auc_is_that_of_the_rows_to_the_width_of_the_bins():
    d, liked = pairs()
    assert judge(d, liked).auc() == pytest.approx(roc_auc_score(liked, -d), abs=0.003)


def test_probabilities_that_hold_lie_within_their_intervals():
    parts = judge(*pairs(20_000)).calibration(CALIBRATION)
    assert len(parts) == 10
    assert sum(part["n"] for part in parts) == 20_000
    assert sum(part["low"] <= part["said"] <= part["high"] for part in parts) >= 8
    assert all(part["low"] <= part["found"] <= part["high"] for part in parts)
    said = [part["said"] for part in parts]
    assert said == sorted(said, reverse=True)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans(), st.floats(0.1, 5)), min_size=1, max_size=30
    )
)
def test_no_weight_is_lost(rows):
    d, liked, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = judge(d, liked, weight)
    assert found.liked.sum() == pytest.approx(weight[liked].sum())
    assert found.other.sum() == pytest.approx(weight[~liked].sum())
    assert len(found.edge) == len(found.liked) + 1
    for part in found.calibration(CALIBRATION):
        assert 0 <= part["low"] <= part["high"] <= 1


def test_nothing_to_judge():
    assert judge(np.zeros(0), np.zeros(0, bool)) is None
    assert judged_of({"distance": np.zeros(0), "user": np.zeros(0)}) is None


def test_a_model_file_keeps_it_and_earlier_ones_are_read(model, parts, tmp_path):
    model.save(tmp_path / "m")
    kept = judged_of(Penchant.load(tmp_path / "m")._fitted.likes)
    assert kept.liked.sum() + kept.other.sum() == len(parts[1])
    assert kept.auc() == pytest.approx(model.score(parts[1]), abs=0.02)
    model_without = Penchant(epochs=1, batch_size=128, rng=5).fit(parts[0])
    assert judged_of(model_without._fitted.likes) is None
