"""A list that is near to a user and does not say the same thing ten times."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["diverse"]


def diverse(
    distance: Float[np.ndarray, " m"],
    between: Float[np.ndarray, "m m"],
    n: int,
    diversity: float,
) -> Int[np.ndarray, " _n"]:
    """The places of ``n`` candidates, chosen one after another by maximal marginal relevance.

        next = argmin_j (1 - δ) d(u, j) - δ min_{i chosen} d(i, j)            δ = diversity in [0, 1]

    so that an item costs its distance to the user and earns its distance to the nearest one chosen already. The first
    is the nearest to the user; ties go to the earlier candidate; δ = 0 leaves the order as it is.

    Arguments:
        distance: (m) of the user to each candidate, rising.
        between: (m, m) of the candidates to one another.
        n: how many; all where there are fewer.

    Source: Carbonell and Goldstein, SIGIR 1998, with distances in the place of similarities.
    """
    m = len(distance)
    if m == 0:
        return np.zeros(0, dtype=np.int64)
    chosen = [int(np.argmin(distance))]
    nearest = between[chosen[0]].copy()
    free = np.ones(m, dtype=bool)
    free[chosen[0]] = False
    while len(chosen) < min(n, m):
        cost = np.where(free, (1 - diversity) * distance - diversity * nearest, np.inf)
        best = int(np.argmin(cost))
        chosen.append(best)
        free[best] = False
        nearest = np.minimum(nearest, between[best])
    return np.array(chosen, dtype=np.int64)
