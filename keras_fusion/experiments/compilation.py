"""The compile settings that are fastest on each backend; keeping what was compiled."""

from pathlib import Path

import keras

from keras_fusion.experiments.devices import replicas

STEPS = 20  # one Python round trip for so many steps; more gain nothing


def fast_settings(steps_per_epoch: int) -> dict:
    """Keyword arguments for `model.compile`, measured by `benchmarks/fit_overhead.py`.

    Args:
        steps_per_epoch: Batches an epoch.
    """
    backend = keras.backend.backend()
    steps = max(1, min(STEPS, steps_per_epoch))
    if backend == "tensorflow" and replicas() > 1:
        # XLA, and several steps in one, lose the inputs of all replicas but the first.
        return {"jit_compile": False}
    if backend == "tensorflow":
        # "auto" leaves XLA off on CPU, where it makes a step 1.7-2.2 times as fast.
        return {"jit_compile": True, "steps_per_execution": steps}
    if backend == "jax":
        # "auto" jits. After each execution Keras walks through all weights in Python,
        # which for a small model takes a third of the step.
        return {"steps_per_execution": steps}
    # Keras runs torch one step at a time, and compiling a step takes minutes there.
    return {}


def keep_compiled(folder: Path) -> None:
    """On JAX: what is compiled from here on is kept in `folder`, and found there again.

    Seeds of a recipe, and a run that goes on after a kill, compile the same steps. Of a
    training run of a minute and a half, a minute may be compiling. A folder that the
    user has set (`JAX_COMPILATION_CACHE_DIR`) stays the one.
    """
    if keras.backend.backend() != "jax":
        return
    import jax

    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
