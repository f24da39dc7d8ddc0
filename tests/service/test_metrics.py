from penchant.service.metrics import Metrics
from penchant.service.models import Serving, load


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_inputs_that_drift_are_counted(folder):
    metrics, loaded = Metrics(), load(folder / "a.penchant")
    metrics.count_rows(loaded, "user", [{"age": 30, "role": "scout"}, {"age": 3000, "role": "nobody"}, {}])
    assert value(metrics, "penchant_input_rows_total", side="user") == 3
    assert value(metrics, "penchant_input_values_total", side="user", field="age", what="clipped") == 1
    assert value(metrics, "penchant_input_values_total", side="user", field="role", what="unseen") == 1
    assert value(metrics, "penchant_input_values_total", side="user", field="age", what="missing") == 1
    metrics.count_rows(loaded, "user", [{"taste": "no vector", "age": object()}])  # refused elsewhere; no harm here
    metrics.count_rows(loaded, "item", [])


def test_the_models_in_use(folder):
    metrics = Metrics()
    one, other = load(folder / "a.penchant"), load(folder / "b.penchant")
    metrics.show_serving(Serving(one, other, 0.1))
    metrics.show_serving(Serving(other))
    text = metrics.text().decode()
    assert f'penchant_model{{arm="first",name="b.penchant",version="{other.version}"}} 1.0' in text
    assert f'version="{one.version}"}} 0.0' in text
