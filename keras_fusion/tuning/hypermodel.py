import inspect

import keras
import keras_tuner

from keras_fusion import layers, zoo
from keras_fusion import recipe as recipes
from keras_fusion.catalogue import find
from keras_fusion.tuning import space as spaces
from keras_fusion.zoo.inputs import named_inputs


class FusionHyperModel(keras_tuner.HyperModel):
    """A zoo builder with its fusion, depth and training left open, for any tuner.

    The space holds every operator that fits the inputs, and of `FusionClassifier` also
    each single modality (`"only-<modality>"`) and the average of all of them (`"late
    average"`), so that a search sees the bar that fusion has to clear. What belongs to
    one operator is active only under it.

    Args:
        builder: Name of a builder in `keras_fusion.zoo`.
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes; 1 is regression.
        space: Ranges by hyperparameter, `{"depth": [1, 3], "fusion": [names]}`; what it
            leaves out keeps the range of `tuning.space.RANGES`.
        arguments: What the builder gets in every trial.
        optimizer: Name of a Keras optimizer that takes `weight_decay`.

    Raises:
        ValueError: If the space is not one, or an operator that it names does not fit
            the inputs; the message gives the operator's own reason.

    Example:

    >>> import keras_tuner
    >>> shapes = {"shape": (8,), "texture": (4,)}
    >>> model = FusionHyperModel("FusionClassifier", shapes, classes=3)
    >>> model.build(keras_tuner.HyperParameters()).output_shape
    (None, 3)
    """

    def __init__(
        self,
        builder,
        input_shapes,
        classes,
        space=None,
        arguments=None,
        optimizer="adamw",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.builder = builder
        self.input_shapes = input_shapes
        self.classes = classes
        self.space = self._taken(spaces.checked(space or {}))
        self.arguments = arguments or {}
        self.optimizer = optimizer
        self.operators = self._fitting(self.space["fusion"])
        self.bars = []
        if builder == "FusionClassifier":
            alone = [f"{spaces.ONLY}{m}" for m in input_shapes]
            self.bars = [spaces.LATE, *alone]

    def build(self, hp):
        """A compiled model for one point of the space."""
        drawn = self.draw(hp)
        regression = self.classes == 1
        head = {"classifier_activation": None} if regression else {}
        build = zoo.builders()[drawn["builder"]]
        model = build(self.input_shapes, self.classes, **head | drawn["arguments"])
        model = self._with_all_inputs(model)
        config = dict(drawn["training"])
        model.compile(
            keras.optimizers.get({"class_name": self.optimizer, "config": config}),
            loss="mse" if regression else "sparse_categorical_crossentropy",
            metrics=[] if regression else ["accuracy"],
        )
        return model

    def draw(self, hp) -> dict:
        """`builder`, `arguments` and `training` of a recipe for one point."""
        point = spaces.draw(hp, self.space, self.operators, self.bars)
        arguments = self.arguments | point["arguments"]
        fusion = {"class_name": point["fusion"], "config": point["config"]}
        drawn = {
            "builder": self.builder,
            "arguments": arguments | {"fusion": fusion},
            "training": point["training"],
        }
        if point["fusion"] == spaces.LATE:
            return drawn | {"builder": "LateFusionClassifier", "arguments": arguments}
        if point["fusion"].startswith(spaces.ONLY):
            return recipes.only(drawn, point["fusion"].removeprefix(spaces.ONLY))
        return drawn

    def _with_all_inputs(self, model):
        """A single modality's model as one that is given all of them."""
        if set(model.input) >= set(self.input_shapes):
            return model
        inputs = named_inputs(self.input_shapes, modality_mask=False)
        own = {name: inputs[name] for name in model.input}
        return keras.Model(inputs, model(own), name=model.name)

    def _taken(self, space):
        """What the builder takes of a space, and how a model is trained."""
        build = find("builder", self.builder, zoo.builders())
        known = (*inspect.signature(build).parameters, *spaces.TRAINING)
        return {name: values for name, values in space.items() if name in known}

    def _fitting(self, names):
        """The operators that the builder can build with; those named must fit."""
        build = zoo.builders()[self.builder]
        fitting = []
        for name in names or layers.operators():
            try:
                build(self.input_shapes, self.classes, fusion=name, **self.arguments)
            except ValueError as error:
                if names:
                    raise ValueError(
                        f"{name} does not fit the inputs: {error}"
                    ) from error
            else:
                fitting.append(name)
        return fitting
