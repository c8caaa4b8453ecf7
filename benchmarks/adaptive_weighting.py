"""AdaptiveWeighting without value MLP, against reading its maps once.

    python -m benchmarks.adaptive_weighting

Inference on two maps. The floor is the weighted sum alone with weights that are given:
each map is read once and one map is written, in the backend's best compiled form. The
operator has to read the maps twice, for their means and for the sum.
"""

import numpy as np

from benchmarks.report import main, target
from benchmarks.timing import best, interleave, milliseconds, ratio

SHAPES = ((32, 28, 28, 256),)
QUICK = ((2, 4, 4, 8),)
GPU = tuple((b, 28, 28, 256) for b in (32, 1024))


def measure(arguments) -> list[dict]:
    """The rows of this process' backend."""
    import keras

    from benchmarks import compiled
    from keras_fusion.layers import AdaptiveWeighting

    compiled.set_torch(arguments)
    shapes = GPU if arguments.gpu else QUICK if arguments.quick else SHAPES
    dtypes = ("float32", "bfloat16") if arguments.gpu else ("float32",)
    rounds, block = (1, 0.0) if arguments.quick else (31, 0.2)
    rows = []
    for shape in shapes:
        for dtype in dtypes:
            inputs = [_tensor(shape, dtype) for _ in range(2)]
            weights = [_tensor((shape[0], 1, 1, shape[-1]), dtype) for _ in range(2)]
            layer = AdaptiveWeighting(dtype=dtype)
            layer(inputs)  # builds it
            cases = {}
            for how in compiled.modes(not arguments.quick):
                switch = {"compiled": how == "compiled"}
                cases[f"ours {how}"] = compiled.forward(layer, inputs, **switch)
                cases[f"floor {how}"] = compiled.function(
                    _weighted_sum, inputs, weights, **switch
                )
            times = interleave(cases, rounds, block)
            rows.append(_row(keras.backend.backend(), shape, dtype, times))
    return rows


def _weighted_sum(inputs, weights):
    return weights[0] * inputs[0] + weights[1] * inputs[1]


def _tensor(shape, dtype):
    from keras import ops

    return ops.cast(np.random.default_rng(0).normal(size=shape), dtype)


def _row(backend, shape, dtype, times):
    at_most = 1.5 if backend == "jax" and dtype == "float32" else None
    overhead = ratio(times, best(times, "ours"), best(times, "floor"))
    ratios = {"ours / floor": target(overhead, at_most=at_most)}
    case = f"forward 2 x {shape} {dtype}"
    return {"case": case, "ms": milliseconds(times), "ratios": ratios}


if __name__ == "__main__":
    main("adaptive_weighting", measure)
