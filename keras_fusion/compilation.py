"""The compile settings that are fastest on each backend."""

import keras

STEPS = 20  # one Python round trip for so many steps; more gain nothing


def fast_settings(steps_per_epoch: int) -> dict:
    """Keyword arguments for `model.compile`, measured by `benchmarks/fit_overhead.py`.

    Args:
        steps_per_epoch: Batches an epoch.
    """
    backend = keras.backend.backend()
    steps = max(1, min(STEPS, steps_per_epoch))
    if backend == "tensorflow":
        # "auto" leaves XLA off on CPU, where it makes a step 1.7-2.2 times as fast.
        return {"jit_compile": True, "steps_per_execution": steps}
    if backend == "jax":
        # "auto" jits. After each execution Keras walks through all weights in Python,
        # which for a small model takes a third of the step.
        return {"steps_per_execution": steps}
    # Keras runs torch one step at a time, and compiling a step takes minutes there.
    return {}
