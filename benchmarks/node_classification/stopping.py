"""When the authors of GAT stop training, by the validation nodes."""

import keras

LOSS, ACCURACY = "val_sparse_categorical_crossentropy", "val_accuracy"


class BothAtTheirBest(keras.callbacks.Callback):
    """Ends training when neither loss nor accuracy has been at its best for a while.

    The weights are those of the last epoch at which both were.

    Args:
        patience: Epochs in a row without either.

    Reference: Veličković et al., 2018, Graph Attention Networks (patience 100).
    """

    def __init__(self, patience):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.loss, self.accuracy = float("inf"), 0.0
        self.waited, self.kept = 0, None

    def on_epoch_end(self, epoch, logs=None):
        loss, accuracy = logs[LOSS], logs[ACCURACY]
        best = loss <= self.loss, accuracy >= self.accuracy
        if all(best):
            self.kept = self.model.get_weights()
        self.waited = 0 if any(best) else self.waited + 1
        self.loss = min(self.loss, loss)
        self.accuracy = max(self.accuracy, accuracy)
        self.model.stop_training = self.waited == self.patience

    def on_train_end(self, logs=None):
        self.model.set_weights(self.kept)
