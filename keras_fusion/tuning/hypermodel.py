import copy
import inspect
from collections.abc import Callable

import keras
import keras_tuner

from keras_fusion import layers, zoo
from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import variants
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.tasks import task_for
from keras_fusion.tuning import space as spaces
from keras_fusion.zoo.parts.inputs import named_inputs


class FusionHyperModel(keras_tuner.HyperModel):
    """A zoo builder with its fusion, depth and training left open, for any tuner.

    The space holds every operator that fits the inputs and what fusion has to beat:
    concatenation, each single modality (`"only-<modality>"`) and the average of all of
    them (`"late average"`). Options of an operator are searched only for it.

    Args:
        builder: Name of a builder in `keras_fusion.zoo`.
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes; 1 is regression, or of pixels the foreground.
        space: Ranges by hyperparameter, `{"depth": [1, 3], "fusion": [names]}`; what it
            leaves out keeps the range of `tuning.space.RANGES`.
        arguments: What the builder gets in every trial.
        optimizer: Name of a Keras optimizer that takes `weight_decay`.
        baselines: Whether what fusion has to beat is in the space.
        task: `"multilabel"` where several of the classes may hold at once, `"ordinal"`
            where they have an order; None where each row has one class, or a number.

    Raises:
        ValueError: If the space is not one, an operator that it names does not fit the
            inputs (the message gives the operator's own reason), none does, or an
            argument is unknown or searched.

    Example:

    >>> import keras_tuner
    >>> shapes = {"shape": (8,), "texture": (4,)}
    >>> model = FusionHyperModel("FusionClassifier", shapes, classes=3)
    >>> model.build(keras_tuner.HyperParameters()).output_shape
    (None, 3)
    """

    def __init__(
        self,
        builder: Callable,
        input_shapes: dict,
        classes: int,
        space: dict | None = None,
        arguments: dict | None = None,
        optimizer: str = "adamw",
        baselines: bool = True,
        task: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.builder = builder
        self.input_shapes = input_shapes
        self.classes = classes
        self.optimizer = optimizer
        self.arguments = arguments or {}
        self._builder = find("builder", builder, zoo.builders())
        self._parameters = [*inspect.signature(self._builder).parameters]
        if "fusion" not in self._parameters:
            raise InputError(f"{builder} fuses by no operator that could be searched.")
        self.space = self._taken(spaces.checked(space or {}))
        self._check_arguments()
        self.axes = 2 if task == "multilabel" else 1
        self.named_task = "ordinal" if task == "ordinal" else None
        self.operators = self._fitting(self.space["fusion"], baselines)
        self.baselines = self._baselines() if baselines else {}

    def build(self, hp):
        """A compiled model for one point of the space."""
        drawn = self.draw(hp)
        task = task_for(self.axes, self.classes, self.named_task)
        build = zoo.builders()[drawn["builder"]]
        alone = spaces.alone(hp.get("fusion"))
        names = [alone] if alone else self.input_shapes
        shapes = {name: self.input_shapes[name] for name in names}
        model = build(shapes, self.classes, **task.head | drawn["arguments"])
        config = dict(drawn["training"])
        model = self._with_all_inputs(model)
        model.compile(
            keras.optimizers.get({"class_name": self.optimizer, "config": config}),
            loss=task.loss(),
            metrics=[task.watched(self.classes)] if task.watched else [],
        )
        return model

    def without_singles(self) -> "FusionHyperModel":
        """The same space without the single modalities."""
        other = copy.copy(self)
        other.baselines = {
            k: v for k, v in self.baselines.items() if not spaces.alone(k)
        }
        return other

    def draw(self, hp) -> dict:
        """`builder`, `arguments` and `training` of a recipe for one point."""
        point = spaces.draw(hp, self.space, self.operators, self.baselines)
        name, arguments = point["fusion"], self.arguments | point["arguments"]
        drawn = {"builder": self.builder, "training": point["training"]}
        if name == spaces.LATE:
            late = {k: v for k, v in arguments.items() if k != "query"}
            late["builder"] = self._builder.record.alone
            return drawn | {"builder": "LateFusionClassifier", "arguments": late}
        if name in self.baselines:
            own = Recipe(name="", dataset="", builder=self.builder, arguments=arguments)
            alone = variants.only(own, spaces.alone(name))
            return drawn | {"builder": alone.builder, "arguments": alone.arguments}
        fusion = {"class_name": name, "config": point["config"]}
        return drawn | {"arguments": arguments | {"fusion": fusion}}

    def _with_all_inputs(self, model):
        """A single modality's model as one that is given all of them."""
        if set(model.input) >= set(self.input_shapes):
            return model
        inputs = named_inputs(self.input_shapes, modality_mask=False)
        own = {name: inputs[name] for name in model.input}
        return keras.Model(inputs, model(own), name=model.name)

    def _taken(self, space):
        """What the builder takes of a space, and how a model is trained."""
        known = (*self._parameters, *spaces.TRAINING)
        return {name: values for name, values in space.items() if name in known}

    def _check_arguments(self):
        for name in self.arguments:
            if name in self.space:
                raise InputError(
                    f"{name} is searched, so it cannot be one of the arguments; in the "
                    "space give it a range; where low equals high, the value is fixed."
                )
        unknown = [name for name in self.arguments if name not in self._parameters]
        if unknown:
            raise InputError(
                f"{self.builder} has no arguments {unknown}; it has "
                f"{self._parameters[2:]}."
            )

    def _fitting(self, names, baselines):
        """The operators that the builder can build with; those named must fit."""
        fitting, reasons = [], {}
        tried = [*(names or self._worth_trying())]
        if baselines and spaces.CONCATENATION not in tried:
            tried.append(spaces.CONCATENATION)
        for name in tried:
            try:
                model = self._try(name)
            except ValueError as error:
                if names and name in names:
                    raise InputError(
                        f"{name} does not fit the inputs: {error}"
                    ) from error
                reasons[name] = error
            else:
                if len(model.output_shape) > 2:
                    self.axes = 3
                fitting.append(name)
        if not fitting:
            name, reason = reasons.popitem()
            raise InputError(f"No operator fits the inputs; {name}: {reason}")
        return fitting

    def _worth_trying(self):
        """The operators that a search tries by itself.

        Operators on sets of tokens have nothing to do where each set is a vector, and
        none has where there is but one vector.
        """
        vectors = all(len(shape) == 1 for shape in self.input_shapes.values())
        single = vectors and not self.arguments.get("encoders")
        if single and len(self.input_shapes) == 1:
            return [spaces.CONCATENATION]
        return [
            name
            for name, operator in layers.operators().items()
            if operator.searched and not (single and operator.takes == "tokens")
        ]

    def _try(self, operator):
        plain = {"classifier_activation": None, "units": self.space["units"][0]}
        settings = self.arguments | plain
        return self._builder(
            self.input_shapes, self.classes, fusion=operator, **settings
        )

    def _baselines(self):
        """Single modalities and their average, and what is nothing to tune in them.

        A graph's builder has none, since its edges are no modality, nor has one
        modality, which is all there is.
        """
        if "encoders" not in self._parameters or len(self.input_shapes) == 1:
            return {}
        own_form = self._builder.record.alone == self.builder
        blocks = () if own_form else ("depth",)  # another goes through no blocks
        unused = ("modality_dropout", *blocks)
        names = [spaces.LATE, *(f"{spaces.ONLY}{m}" for m in self.input_shapes)]
        return {name: unused for name in names}
