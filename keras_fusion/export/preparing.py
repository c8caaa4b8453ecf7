"""Any `keras.Model` -> a functional one with a dict of named inputs, in float32."""

import warnings

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.safety.allowed import objects

_HALF = ("float16", "bfloat16")


def prepared(model: keras.Model) -> keras.Model:
    """The same numbers from a functional model with a dict of named inputs.

    A model that computes in float16 or bfloat16, or takes them, gets a twin in float32
    with its weights: what a server takes and answers is float32 whatever the policy
    was, and 65,520 is no infinity.

    Args:
        model: A functional model as it is; of a Sequential model and of a list of
            inputs the inputs are called by their tensors; a subclassed model must have
            been called before, its inputs are float32 and called by their keys.

    Raises:
        ValueError: If the model is not built, or another process could not load it.
    """
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected a keras.Model or a .keras file; received {model}.")
    if not model.built:
        raise InputError(
            f"The model {model.name!r} is not built: call it on data once, or begin it "
            "with keras.Input, so that its inputs have shapes."
        )
    config = config_of(model)
    custom_modules(config)
    return functional(_in_float32(model, config))


def half_precision(model: keras.Model) -> str | None:
    """`"float16"` or `"bfloat16"`, where the model computes in it."""
    found = _halves(config_of(model))
    return min((x[key].removeprefix("mixed_") for x, key in found), default=None)


def custom_modules(config) -> set[str]:
    """The modules of registered classes and functions, Keras' own left out.

    Raises:
        ValueError: If a class or function is not registered.
    """
    modules = set()
    for found in objects(config):
        name, module = found["class_name"], found.get("module") or "__main__"
        if name == "__lambda__":
            raise InputError(
                "The model holds a lambda, which no other process may load: put a "
                "registered function or layer in its place."
            )
        if name.startswith("__") or module.split(".")[0] in ("builtins", "keras"):
            continue
        registered = found.get("registered_name")
        if keras.saving.get_registered_object(registered) is None:
            name = found["config"] if name == "function" else name
            raise InputError(
                f"{name!r} in {module} is not registered, so no other process can load "
                "it: decorate it with @keras.saving.register_keras_serializable()."
            )
        modules.add(module)
    return modules


def config_of(model: keras.Model) -> dict:
    """What Keras writes about a model into its `.keras` file, how it compiles left out.

    Raises:
        ValueError: If Keras cannot write it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about lambdas, which are refused below
            config = keras.saving.serialize_keras_object(model)
    except Exception as error:  # a user's get_config raises what it likes
        raise InputError(
            f"The model {model.name!r} cannot be saved, so it cannot be exported: "
            f"{' '.join(str(error).split())}"
        ) from error
    config.pop("compile_config", None)
    return config


def _in_float32(model, config):
    halves = _halves(config)
    if not halves:
        return model
    for found, key in halves:
        found[key] = "float32"
    twin = keras.saving.deserialize_keras_object(config)
    twin.set_weights(model.get_weights())
    return twin


def _halves(config):
    """The configurations of policies and inputs in half precision, with their keys."""
    keys = {"DTypePolicy": "name", "InputLayer": "dtype"}
    found = [
        (x["config"], keys[x["class_name"]])
        for x in objects(config)
        if x["class_name"] in keys
    ]
    return [(x, key) for x, key in found if str(x[key]).removeprefix("mixed_") in _HALF]


def functional(model: keras.Model) -> keras.Model:
    """The same model with a dict of named inputs, in the precision that it has."""
    if isinstance(model, keras.Sequential):
        return _chained(model)
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return _called(model)
    if isinstance(model.input, dict):
        return model
    return keras.Model({x.name: x for x in inputs}, model.output, name=model.name)


def _chained(model):
    """A Sequential model layer by layer: it keeps the batch size it was built with."""
    (first,) = model.inputs
    x = keras.Input(first.shape[1:], dtype=first.dtype, name=first.name)
    inputs = {x.name: x}
    for layer in model.layers:
        x = layer(x)
    return keras.Model(inputs, x, name=model.name)


def _called(model):
    """A subclassed model, called on inputs of the shapes that it was built with."""
    build = model.get_build_config() or {}
    shapes = build.get("shapes_dict") or {"inputs": build.get("input_shape")}
    if None in shapes.values():
        raise InputError(
            f"The model {model.name!r} was never called, so its inputs have no shapes: "
            "call it on data once."
        )
    inputs = {}

    def place(name, shape):
        if isinstance(shape, dict):
            return {key: place(key, x) for key, x in shape.items()}
        if not all(size is None or isinstance(size, int) for size in shape):
            return [place(f"{name}_{i}", x) for i, x in enumerate(shape)]
        inputs[name] = keras.Input(shape[1:], name=name)
        return inputs[name]

    arguments = {
        name.removesuffix("_shape"): place(name.removesuffix("_shape"), shape)
        for name, shape in shapes.items()
    }
    called = model(**arguments) if len(shapes) > 1 else model(*arguments.values())
    return keras.Model(inputs, called, name=model.name)
