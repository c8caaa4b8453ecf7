"""Early stopping that a run can be killed in, with the best weights kept."""

import keras

from keras_fusion.experiments.watching import Watch


class EarlyStopping(keras.callbacks.Callback):
    """Ends the training when validation gets no better, and keeps the best weights.

    The best epoch is that of the highest score, and of equal ones that of the smallest
    loss. The training goes on while either of both gets better. On few rows an accuracy
    takes few values, and soon the highest of them, while the loss still falls:
    `benchmarks/stopping.md` says what that is worth.

    `keras.callbacks.EarlyStopping` forgets its best weights when a run is killed.

    Args:
        watch: Says which of the logs is the score.
        patience: Epochs in a row that may pass without a higher score or a smaller
            loss than any before.
        start: The first epoch that counts as such: before it nothing is over.
    """

    def __init__(self, watch: Watch, patience: int, start: int = 0):
        super().__init__()
        self.watch = watch
        self.patience = patience
        self.start = start
        self.best_epoch = self.last_better = -1
        self.best = -float("inf"), -float("inf")  # score and minus the loss
        self.smallest_loss = float("inf")
        self.best_weights = []

    def on_epoch_end(self, epoch, logs=None):
        loss = float(logs["val_loss"])
        now = float(self.watch.of(logs[self.watch.key])), -loss
        if loss < self.smallest_loss:
            self.smallest_loss, self.last_better = loss, epoch
        if now > self.best or not self.best_weights:
            self.best, self.best_epoch, self.last_better = now, epoch, epoch
            self.best_weights = self.model.get_weights()
        self.model.stop_training = self.is_over(epoch + 1)

    @property
    def best_score(self) -> float:
        """The score of the epoch whose weights are kept."""
        return self.best[0]

    def is_over(self, epochs: int) -> bool:
        """Whether nothing is to be trained after so many epochs."""
        return epochs - max(self.last_better + 1, self.start) >= self.patience

    def state(self) -> dict:
        """What a checkpoint keeps: epochs, scores and losses as JSON knows them."""
        kept = ("best", "best_epoch", "last_better", "smallest_loss")
        return {name: getattr(self, name) for name in kept}

    def resume(self, state: dict, best_weights: list) -> None:
        """Goes on from what `state` gave."""
        for name, value in state.items():
            setattr(self, name, value)
        self.best = tuple(self.best)
        self.best_weights = best_weights

    def restore_best(self) -> None:
        """Puts the best weights into the model."""
        self.model.set_weights(self.best_weights)
