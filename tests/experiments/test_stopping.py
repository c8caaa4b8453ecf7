"""Which epoch early stopping keeps, and when it ends a training."""

import json
from types import SimpleNamespace

import pytest

from keras_fusion.experiments.stopping import EarlyStopping
from keras_fusion.experiments.watching import Watch


def stopped(scores, losses, patience=2):
    """The callback after these epochs, and how many of them it let pass."""
    watch = SimpleNamespace(key="val_accuracy", name="accuracy")
    watch.of = lambda value: Watch.of(watch, value)
    stopping = EarlyStopping(watch, patience)
    weights = []
    model = SimpleNamespace(stop_training=False, get_weights=lambda: list(weights))
    model.set_weights = weights.__init__
    stopping.set_model(model)
    for epoch, (score, loss) in enumerate(zip(scores, losses)):
        weights[:] = [epoch]
        stopping.on_epoch_end(epoch, {"val_accuracy": score, "val_loss": loss})
        if model.stop_training:
            break
    stopping.restore_best()
    return stopping, weights, epoch + 1


@pytest.mark.parametrize(
    ("scores", "losses", "best"),
    [
        ([0.5, 1.0, 1.0, 1.0], [3.0, 2.0, 1.0, 1.5], 2),  # the loss decides
        ([0.5, 1.0, 0.9, 0.9], [3.0, 2.0, 1.0, 0.5], 1),  # only between equals
        ([0.5, 0.5, 0.6, 0.5], [1.0, 2.0, 3.0, 0.1], 2),
        ([0.5, 0.5], [1.0, float("nan")], 0),
    ],
)
def test_of_equal_scores_the_smaller_loss_is_better(scores, losses, best):
    stopping, weights, _ = stopped(scores, losses)
    assert stopping.best_epoch == best and weights == [best]
    assert stopping.best_score == scores[best]


def test_the_patience_begins_again_while_either_gets_better():
    falling = [0.9**epoch for epoch in range(10)]
    assert stopped([1.0] * 10, [1.0] * 10)[2] == 3
    assert stopped([1.0] * 10, falling)[2] == 10
    stopping, _, epochs = stopped([1.0] + [0.9] * 9, falling)
    assert epochs == 10 and stopping.best_epoch == 0
    assert stopped([0.1 * epoch for epoch in range(10)], [1.0] * 10)[2] == 10


def test_a_state_goes_on_where_it_was():
    before, _, _ = stopped([0.5, 1.0, 0.9], [2.0, 1.0, 0.5])
    after, _, _ = stopped([0.1], [9.0])
    after.resume(json.loads(json.dumps(before.state())), before.best_weights)
    for epoch in (3, 4):
        assert not after.is_over(epoch)
        after.on_epoch_end(epoch, {"val_accuracy": 1.0, "val_loss": 1.5})
        assert after.best_epoch == 1 and after.best_score == 1.0
    assert after.is_over(5) and after.model.stop_training
