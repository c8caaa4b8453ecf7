"""The compile settings that are fastest on each backend."""

import keras


def fast_settings(steps_per_epoch: int) -> dict:
    """Keyword arguments for `model.compile`.

    Args:
        steps_per_epoch: Batches an epoch.
    """
    if keras.backend.backend() == "tensorflow":
        # "auto" leaves XLA off on CPU, where it makes a step 1.7-2.2 times as fast.
        return {"jit_compile": True, "steps_per_execution": min(20, steps_per_epoch)}
    return {}
