"""What the map is measured by: the hand-run peer sees the same distances, and placing is held against simpler ways."""

import numpy as np
import pytest

from penchant import Space


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("_explorer_quality")


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    generator = np.random.default_rng(0)
    centre = generator.uniform(-0.7, 0.7, (8, 6))
    return np.clip(centre[np.arange(240) % 8] + 0.1 * generator.standard_normal((240, 6)), -1, 1).astype(np.float32)


def test_ours_and_the_peer_are_measured_by_the_same_figures(module, points):
    found = module.measured("penchant sup norm", Space(dim=6, norm=float("inf"), cap=0.5), points, 0)
    assert {"penchant sup norm", "openTSNE by hand sup norm", "penchant sup norm, pca"} <= set(found)
    ours, peer = found["penchant sup norm"], found["openTSNE by hand sup norm"]
    assert ours["share of openTSNE"] == pytest.approx(ours["trustworthiness"] / peer["trustworthiness"])
    assert ours["share of openTSNE"] > 0.95
    assert ours["trustworthiness"] > found["penchant sup norm, pca"]["trustworthiness"]
    assert ours["placement"] > found["penchant sup norm: put where somebody is"]["placement"]
    assert all(0 <= value <= 1.1 for figures in found.values() for value in figures.values())


def test_the_door_names_its_cases(benchmark_module):
    explorer = benchmark_module("explorer")
    assert "map quality" in explorer.CASES
    with pytest.raises(SystemExit):
        explorer.main(["--cases", "nonsense"])
