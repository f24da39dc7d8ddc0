"""One small model for all tests of the estimator."""

import pytest

from penchant import Penchant, simulate, split_random
from penchant.tables import Simulation


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    return simulate(n_users=60, n_items=50, n_interactions=1500, missing=0.05, rng=5)


@pytest.fixture(scope="session")
def parts(simulation):
    return split_random(simulation.tables, rng=5)


@pytest.fixture(scope="session")
def model(parts) -> Penchant:
    return Penchant(epochs=4, batch_size=128, rng=5).fit(parts[0], parts[1])


@pytest.fixture(scope="session")
def gaussian_model(parts) -> Penchant:
    return Penchant.preset("variational", epochs=4, batch_size=128, rng=5, space__dim=24).fit(parts[0], parts[1])
