from penchant.training import Stopping


def test_the_first_of_equal_figures_is_the_best_and_patience_counts_from_it():
    stopping = Stopping(patience=2)
    assert stopping.better(0.5, 0)
    assert not stopping.better(0.5, 1)
    assert not stopping.over(1)
    assert not stopping.better(0.4, 2)
    assert stopping.over(2)
    assert (stopping.best, stopping.best_epoch) == (0.5, 0)
