"""Early stopping that a run can be killed in, with the best weights kept."""

import keras

from keras_fusion.experiments.watching import Watch


class EarlyStopping(keras.callbacks.Callback):
    """Ends the training when validation gets no better, and keeps the best weights.

    `keras.callbacks.EarlyStopping` forgets its best weights when a run is killed.

    Args:
        watch: Says which of the logs is the score.
        patience: Epochs in a row that may pass without a better one.
        start: The first epoch that counts as such: before it nothing is over.
    """

    def __init__(self, watch: Watch, patience: int, start: int = 0):
        super().__init__()
        self.watch = watch
        self.patience = patience
        self.start = start
        self.best_epoch = -1
        self.best_score = -float("inf")
        self.best_weights = []

    def on_epoch_end(self, epoch, logs=None):
        score = self.watch.of(logs[self.watch.key])
        if score > self.best_score or not self.best_weights:
            self.best_epoch, self.best_score = epoch, float(score)
            self.best_weights = self.model.get_weights()
        self.model.stop_training = self.is_over(epoch + 1)

    def is_over(self, epochs: int) -> bool:
        """Whether nothing is to be trained after so many epochs."""
        return epochs - max(self.best_epoch + 1, self.start) >= self.patience

    def resume(self, state: dict, best_weights: list) -> None:
        """Goes on from what `state` gave."""
        self.best_epoch, self.best_score = state["best_epoch"], state["best_score"]
        self.best_weights = best_weights

    def restore_best(self) -> None:
        """Puts the best weights into the model."""
        self.model.set_weights(self.best_weights)

    def state(self) -> dict:
        """What a checkpoint keeps: epoch and score as JSON knows them."""
        return {"best_epoch": self.best_epoch, "best_score": self.best_score}
