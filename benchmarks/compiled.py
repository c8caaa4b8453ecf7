"""Layers and functions as their backend runs them: forward and training step.

Each maker returns a function without arguments that comes back, with what it found,
when its work is done.
`compiled` is the backend's compile switch: JAX is always jitted; TensorFlow runs a
`tf.function`, with it by XLA; torch runs eagerly, with it by `torch.compile`.
"""

import keras
from keras import ops

BACKEND = keras.backend.backend()


def modes(compiles: bool = True) -> tuple[str, ...]:
    """The forms that this backend is tried in, `compiled` and `plain`.

    Args:
        compiles: Whether it may take the seconds that torch.compile takes a case.
    """
    if BACKEND == "jax":
        return ("compiled",)
    if BACKEND == "torch" and not compiles:
        return ("plain",)
    return ("compiled", "plain")


def set_torch(arguments):
    """Gives torch, on any Keras backend, the threads and float type of the others."""
    import torch

    torch.set_num_threads(arguments.threads)
    # On a GPU the others multiply float32 in TF32 unless told otherwise.
    torch.set_float32_matmul_precision("high" if arguments.gpu else "highest")


def forward(layer, *inputs, compiled=True):
    """Inference of a built Keras layer on `inputs`."""
    if BACKEND == "jax":
        weights = _jax_weights(layer)
        return function(lambda w, x: layer.stateless_call(*w, *x)[0], weights, inputs)
    return function(lambda *x: layer(*x), *inputs, compiled=compiled)


def step(layer, *inputs, compiled=True):
    """Forward and backward: the gradients of all weights of a built Keras layer.

    The loss is the mean square of the outputs; there is no optimizer.
    """
    if BACKEND == "jax":
        return _jax_step(layer, inputs)
    if BACKEND == "tensorflow":
        return _tensorflow_step(layer, inputs, compiled)
    return torch_step(layer, inputs, _values(layer.trainable_variables), compiled)


def function(call, *arguments, compiled=True):
    """`call(*arguments)` of tensors, without gradients."""
    if BACKEND == "jax":
        import jax

        jitted = jax.jit(call)
        return lambda: jax.block_until_ready(jitted(*arguments))
    if BACKEND == "tensorflow":
        import tensorflow as tf

        traced = tf.function(call, jit_compile=compiled or None)
        return lambda: traced(*arguments)
    return torch_forward(call, arguments, compiled)


def gradients(call, *arguments, compiled=True):
    """Forward and backward of `call(*arguments)`: the gradients of its arguments."""
    if BACKEND == "jax":
        import jax

        every = tuple(range(len(arguments)))
        jitted = jax.jit(jax.grad(lambda *x: _loss(call(*x)), argnums=every))
        return lambda: jax.block_until_ready(jitted(*arguments))
    if BACKEND == "tensorflow":
        import tensorflow as tf

        @tf.function(jit_compile=compiled or None)
        def traced(*arguments):
            with tf.GradientTape() as tape:
                tape.watch(arguments)
                loss = _loss(call(*arguments))
            return tape.gradient(loss, arguments)

        return lambda: traced(*arguments)
    leaves = [x.clone().requires_grad_() for x in arguments]
    return torch_step(call, leaves, leaves, compiled)


def torch_forward(call, arguments, compiled=False):
    """`call(*arguments)` of torch tensors, on any Keras backend."""
    import torch

    call = _torch_compiled(call) if compiled else call

    def run():
        with torch.inference_mode():
            found = call(*arguments)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return found

    return run


def torch_step(call, arguments, weights, compiled=False):
    """Gradients of torch tensors `weights`, on any Keras backend."""
    import torch

    call = _torch_compiled(call) if compiled else call

    def run():
        found = torch.autograd.grad(_loss(call(*arguments)), weights)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return found

    return run


def _jax_step(layer, inputs):
    import jax

    def loss(trainable, other, inputs):
        return _loss(layer.stateless_call(trainable, other, *inputs)[0])

    gradients = jax.jit(jax.grad(loss))
    weights = _jax_weights(layer)
    return lambda: jax.block_until_ready(gradients(*weights, inputs))


def _tensorflow_step(layer, inputs, compiled):
    import tensorflow as tf

    @tf.function(jit_compile=compiled or None)
    def gradients(*inputs):
        weights = _values(layer.trainable_variables)
        with tf.GradientTape() as tape:
            loss = _loss(layer(*inputs))
        return tape.gradient(loss, weights)

    return lambda: gradients(*inputs)


def _torch_compiled(call):
    import torch

    torch.compiler.reset()  # else the next shape would get a slower, dynamic kernel
    return torch.compile(call, dynamic=False)


def _jax_weights(layer):
    """What `stateless_call` begins with."""
    return _values(layer.trainable_variables), _values(layer.non_trainable_variables)


def _values(variables):
    return [v.value for v in variables]


def _loss(outputs):
    """Mean square, in the float32 of whichever library the outputs belong to."""
    outputs = outputs if isinstance(outputs, list) else [outputs]
    if type(outputs[0]).__module__.startswith("torch"):
        return sum(y.float().square().mean() for y in outputs)
    return sum(ops.mean(ops.square(ops.cast(y, "float32"))) for y in outputs)
