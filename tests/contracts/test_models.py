"""Any encoder with any latent, metric and neck keeps the laws of `penchant.testing.check_model`, or is refused.

The cheap laws go over the whole product (bounds do not depend on the neck, so necks are gone through inside). The slow
one, that training is resumed to the same bits, goes over a pairwise covering array: all pairs of parts, some 60 rows,
made anew from the names at each run; the marker ``slow`` goes over the rest. `test_fitted` has the laws of whole
`Penchant`s. A new part joins by its name in a KINDS dictionary.
"""

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import combinations, product

import pytest
import torch
from parts import ALLOWED, COMBINATIONS, ENCODERS, NECKS, REFUSED, SPACES, Parts, covering, loss_of, unchecked  # noqa: F401

from penchant.errors import ConfigError
from penchant.losses import Loss
from penchant.model import DualAutoencoder
from penchant.nets import LATENTS
from penchant.testing import check_model, check_resumed
from penchant.testing.models import toy_model

TOGETHER = list(dict.fromkeys(parts[:3] for parts in ALLOWED))
COVERING = covering(ALLOWED)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("encoder", "latent", "space"), TOGETHER)
def test_laws(encoder, latent, space):
    check_model(Parts(encoder, latent, space, "").build(), *map(loss_of, NECKS))


OWN = {"user": (("age", "job"),), "item": (("year", "genres"),)}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("users", "items"), [(u, i) for u, i in product(ENCODERS, repeat=2) if u != i])
def test_each_side_has_the_encoder_of_its_own_choice(users, items):
    sides = [ENCODERS[users], ENCODERS[items]]
    crosses = zip(sides, OWN.values(), strict=True)
    of_users, of_items = (replace(side, crosses=own if side.crosses else ()) for side, own in crosses)
    build = Parts(users, "point", next(iter(SPACES)), "").build()
    check_model(partial(build, encoder=of_users, item_encoder=of_items), loss_of("softmax"))


def test_what_does_not_go_together_is_refused_with_the_reason():
    """All of it, and nothing else is left out of the other tests."""
    found = {}
    for encoder, latent, space in product(ENCODERS, LATENTS, SPACES):
        try:
            toy_model(Parts(encoder, latent, space, "").build())
        except ConfigError as error:
            found[encoder, latent, space] = str(error)
    assert set(found) == {parts[:3] for parts in COMBINATIONS} - set(TOGETHER)
    assert len(TOGETHER) * len(NECKS) == len(ALLOWED) >= 400
    kinds = {(latent, SPACES[space].kind): said for (_, latent, space), said in found.items()}
    assert set(kinds) == set(REFUSED)
    assert [pair for pair, reason in REFUSED.items() if reason not in kinds[pair]] == []


@pytest.mark.parametrize("parts", COVERING, ids=", ".join)
def test_training_is_resumed_to_the_same_bits(parts):
    check_resumed(parts.build(), loss_of(parts.neck))


@pytest.mark.slow
@pytest.mark.parametrize("parts", [parts for parts in ALLOWED if parts not in COVERING], ids=", ".join)
def test_training_of_the_others_is_resumed_to_the_same_bits(parts):
    check_resumed(parts.build(), loss_of(parts.neck))


def test_a_covering_array_holds_all_pairs_in_few_rows():
    pairs = Counter(pair for parts in COVERING for pair in combinations(enumerate(parts), 2))
    assert set(pairs) == {pair for parts in ALLOWED for pair in combinations(enumerate(parts), 2)}
    assert len(COVERING) <= 1.3 * len(SPACES) * len(NECKS)
    assert covering(ALLOWED) == COVERING


class Leaking(DualAutoencoder):
    """Leaves the box."""

    def encode_items(self, features):
        return 1.01 * super().encode_items(features)


class Deaf(DualAutoencoder):
    """An encoder that learns nothing of its inputs."""

    def encode_items(self, features):
        return super().encode_items(features).detach()


class Forgetful(DualAutoencoder):
    """Something that is learned and not saved."""

    def __init__(self, **options):
        super().__init__(**options)
        self.shift = torch.randn(())

    def encode_users(self, *given):
        return super().encode_users(*given).mul(0.9) + 0.01 * self.shift.tanh()


@pytest.mark.parametrize(
    ("broken", "law"),
    [(Leaking, "points lie in the box"), (Deaf, "gets a gradient"), (Forgetful, "loaded weights give the same bits")],
)
def test_a_model_that_breaks_a_law_is_told_which(broken, law):
    options = Parts("mlp", "point", next(iter(SPACES)), "").build().keywords
    with pytest.raises(AssertionError, match=law):
        check_model(lambda **layouts: broken(**options, **layouts), Loss())


def test_what_follows_another_stream_is_not_resumed():
    class Unruly(DualAutoencoder):
        own = torch.Generator().manual_seed(0)

        def encode_users(self, *given):
            noise = torch.rand(self.space.dim, generator=self.own) if self.training else 0.0
            return (super().encode_users(*given) + 0.01 * noise).clamp(-1, 1)

    options = Parts("mlp", "point", next(iter(SPACES)), "").build().keywords
    with pytest.raises(AssertionError, match="interrupted and resumed"):
        check_resumed(lambda **layouts: Unruly(**options, **layouts), Loss())
