"""`explain` says what asking the model again would say; the recall threshold keeps its promise."""

import numpy as np
import pytest

from penchant import Field, Penchant, Schema, Tables, split_random
from penchant.errors import ConfigError


@pytest.fixture(scope="module")
def with_history(simulation):
    made = simulation.tables
    schema = Schema(
        fields=(Field(name="past", side="user", kind="history"), *made.schema.fields),
        user_id="user_id", item_id="item_id",
    )  # fmt: skip
    tables = Tables.read(schema, users=made.users, items=made.items, interactions=made.interactions)
    train, valid, test = split_random(tables, rng=5)
    return Penchant(epochs=4, batch_size=128, rng=5).fit(train, valid), train, test


def test_changes_and_history_agree_with_the_model_asked_again(with_history):
    model, train, _ = with_history
    user, item = train.user_ids[0], train.item_ids[3]
    said = model.explain(user, item)
    point = model.encode("user", user)
    assert said.distance == pytest.approx(np.sqrt(np.square(point - model.encode("item", item)).mean()), abs=1e-6)
    past = model._fitted.encoder.histories.of(train.user_ids[:1])
    names = train.item_ids.gather(past.items).to_list()
    for gone in range(0, len(names), 7):
        liked, disliked = ([n for j, n in enumerate(names) if j != gone and past.liked[j] == y] for y in (1, 0))
        row = {**train.users.row(0, named=True), "past": {"liked": liked, "disliked": disliked}}
        row = {k: v for k, v in row.items() if k in {f.name for f in model.schema_.fields}}
        moved = np.sqrt(np.square(model.encode("user", row) - model.encode("item", item)).mean())
        own = said.history.filter(said.history["item"].cast(str) == str(names[gone]))
        assert own["change"][0] == pytest.approx(moved - said.distance, abs=1e-6)
    flip = said.counterfactual
    if flip is not None:
        changed = {f.name: train.items.row(3, named=True)[f.name] for f in model.schema_.side("item")}
        changed |= {name: to for name, (_, to) in flip.changes.items()}
        again = np.sqrt(np.square(point - model.encode("item", changed)).mean())
        assert again == pytest.approx(flip.distance, abs=1e-6)
        assert (again <= model.threshold_) != said.liked


def test_strangers_are_explained_and_crowds_are_refused(model, parts):
    assert "video" in str(model.explain({"age": 30}, {"video": True}).to_dict())
    with pytest.raises(ConfigError, match="one user expected, got 2"):
        model.explain(parts[0].user_ids[:2].to_list(), "i1")


def test_the_recall_threshold_holds_the_promised_share(with_history):
    model, _, test = with_history
    found = [model.recall_threshold(r) for r in (0.5, 0.8, 0.9)]
    assert found[0].distance < found[1].distance < found[2].distance
    likes = test.with_interactions(test.interactions.filter(test.interactions["label"] == 1))
    inside = model.predict(likes)["distance"].to_numpy() <= found[1].distance
    assert inside.mean() > 0.7
    assert model.recall_threshold(0.999).reason
