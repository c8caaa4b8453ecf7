import keras

from keras_fusion.layers.heads import HeadedModel


@keras.saving.register_keras_serializable("keras_fusion")
class GraphModel(HeadedModel):
    """A functional model of the nodes of a graph, whose batch is the whole graph.

    `fit`, `evaluate` and `predict` would cut a dict of arrays into batches of nodes,
    and the edges with them: they refuse it, and say what they take. Several devices,
    each of which takes a part of a batch, are refused likewise.
    """

    def fit(self, x=None, *args, **kwargs):
        """As Keras' own, of a graph as one batch."""
        self._require_graph(x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """As Keras' own, of a graph as one batch."""
        self._require_graph(x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """As Keras' own, of a graph as one batch."""
        self._require_graph(x)
        return super().predict(x, *args, **kwargs)

    def _require_graph(self, x):
        if isinstance(x, dict):
            raise ValueError(
                f"{self.name} takes a graph as one batch: expected a "
                "keras_fusion.graphs.FullGraph or SampledGraph; received a dict of "
                "arrays. A call of the model itself takes the dict."
            )
        if self._devices() > 1:
            raise ValueError(
                f"{self.name} takes a graph as one batch, of which several devices "
                f"cannot take a part each: expected one device; received "
                f"{self._devices()}."
            )

    def _devices(self):
        """How many share a batch here."""
        distribution = keras.distribution.distribution()
        if distribution is not None:
            return distribution.device_mesh.devices.size
        strategy = getattr(self, "distribute_strategy", None)  # of TensorFlow
        return 1 if strategy is None else strategy.num_replicas_in_sync
