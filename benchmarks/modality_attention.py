"""ModalityAttention against other attention layers, and against its own GEMMs alone.

    python -m benchmarks.modality_attention

All sides use the same backend, threads and float type. Ours takes a list of M tensors
(B, D), the others one tensor (B, M, D). `streams` is the same job for all, M outputs
per sample; `mean` is our default readout, one output per sample. `forward` is
inference; `step` is forward and backward, the gradients of all weights, without an
optimizer.

The baselines: `torch` is torch.nn.MultiheadAttention with need_weights=False, in every
process; eager inference takes its fused path. `keras` is the backend's
keras.layers.MultiHeadAttention. `floor` is nothing but the operator's own projections,
without bias, scores, softmax and mixing. Where a side has two forms, `plain`
(tf.function, eager torch) and `compiled` (XLA, torch.compile), the faster one counts;
`keras plain` is what `fit` runs by default on a CPU with TensorFlow and torch.
"""

import functools

import numpy as np

from benchmarks.report import main, target
from benchmarks.timing import best, interleave, milliseconds, ratio

SHAPES = ((4096, 2, 64, 4), (1024, 3, 256, 8), (1024, 6, 256, 8), (256, 16, 256, 8))
QUICK = ((8, 2, 16, 2),)
GPU = [(b, *rest) for b in (1024, 65536) for _, *rest in SHAPES]


def measure(arguments) -> list[dict]:
    """The rows of this process' backend."""
    from benchmarks import compiled

    compiled.set_torch(arguments)
    shapes = GPU if arguments.gpu else QUICK if arguments.quick else SHAPES
    dtypes = ("float32", "bfloat16") if arguments.gpu else ("float32",)
    rounds, block = (1, 0.0) if arguments.quick else (9, 0.02)
    rows = []
    for shape in shapes:
        for dtype in dtypes:
            for kind in ("forward", "step"):
                # torch.compile takes seconds a case: only where there are targets.
                compiles = shape[1] <= 4 and not arguments.quick
                job = (shape, dtype, kind)
                cases = _ours(*job, compiles) | _torch(*job, compiles)
                cases |= _keras(*job) | _floors(*job)
                times = interleave(cases, rounds, block)
                rows.append(_row(shape, dtype, kind, times))
    return rows


def _ours(shape, dtype, kind, compiles):
    from benchmarks import compiled
    from keras_fusion.layers import ModalityAttention

    batch, modalities, width, heads = shape
    inputs = [_tensor((batch, width), dtype) for _ in range(modalities)]
    make = getattr(compiled, kind)
    cases = {}
    for name, readout in (("streams", None), ("mean", "mean")):
        layer = ModalityAttention(num_heads=heads, readout=readout, dtype=dtype)
        layer(inputs)  # builds it
        for how in compiled.modes(compiles):
            cases[f"{name} {how}"] = make(layer, inputs, compiled=how == "compiled")
    return cases


def _keras(shape, dtype, kind):
    import keras

    from benchmarks import compiled

    batch, modalities, width, heads = shape
    x = _tensor((batch, modalities, width), dtype)
    layer = keras.layers.MultiHeadAttention(heads, width // heads, dtype=dtype)
    layer(x, x)  # builds it
    make = getattr(compiled, kind)
    return {
        f"keras {how}": make(layer, x, x, compiled=how == "compiled")
        for how in compiled.modes(compiles=False)
    }


def _torch(shape, dtype, kind, compiles):
    import torch

    from benchmarks import compiled

    batch, modalities, width, heads = shape
    options = {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "dtype": getattr(torch, dtype),
    }
    layer = torch.nn.MultiheadAttention(width, heads, batch_first=True, **options)
    x = torch.randn(batch, modalities, width, **options)

    def call(x):
        return layer(x, x, x, need_weights=False)[0]

    if kind == "forward":
        layer.eval()
        make = compiled.torch_forward
    else:
        make = functools.partial(compiled.torch_step, weights=[*layer.parameters()])
    cases = {"torch plain": make(call, [x])}
    if compiles and (kind == "forward" or compiled.BACKEND == "torch"):
        cases["torch compiled"] = make(call, [x], compiled=True)
    return cases


def _floors(shape, dtype, kind):
    from keras import ops

    from benchmarks.compiled import function, modes

    def gemms(pairs):
        return [ops.matmul(a, b) for a, b in pairs]

    batch, modalities, width, _ = shape
    rows = batch * modalities
    jobs = {
        "streams floor": [(rows, 3 * width), (rows, width)],
        "mean floor": [(rows, 3 * width), (batch, width)],
    }
    cases = {}
    for name, job in jobs.items():
        sizes = [(m, width, n) for m, n in job]
        if kind == "step":
            sizes += [(width, m, n) for m, n in job]  # gradients of the kernels
            sizes += [(m, n, width) for m, n in job[1:]]  # and of the mixed values
        pairs = [(_tensor((m, k), dtype), _tensor((k, n), dtype)) for m, k, n in sizes]
        for how in modes(compiles=False):
            compiled = how == "compiled"
            cases[f"{name} {how}"] = function(gemms, pairs, compiled=compiled)
    return cases


def _tensor(shape, dtype):
    from keras import ops

    return ops.cast(np.random.default_rng(0).normal(size=shape), dtype)


def _row(shape, dtype, kind, times):
    batch, modalities, width, heads = shape

    def compare(over, under, **bounds):
        return target(ratio(times, best(times, over), best(times, under)), **bounds)

    speed, floor = {}, {}
    if kind == "forward" and modalities <= 4:
        speed = {"at_least": 1.3}
        floor = {"at_most": 1.4} if width == 256 else {}
    ratios = {
        "torch / streams": compare("torch", "streams", **speed),
        "streams / floor": compare("streams", "streams floor", **floor),
        "torch / mean": compare("torch", "mean"),
        "mean / floor": compare("mean", "mean floor", **floor),
    }
    ours = best(times, "streams")
    for how in ("plain", "compiled"):
        if f"keras {how}" in times:
            bounds = _keras_bounds(shape, kind, how)
            value = ratio(times, f"keras {how}", ours)
            ratios[f"keras {how} / streams"] = target(value, **bounds)
    case = f"{kind} B={batch} M={modalities} D={width} heads={heads} {dtype}"
    return {"case": case, "ms": milliseconds(times), "ratios": ratios}


def _keras_bounds(shape, kind, how):
    from benchmarks.compiled import BACKEND

    if (BACKEND, kind, shape) != ("tensorflow", "step", (1024, 3, 256, 8)):
        return {}
    return {"at_least": 10 if how == "plain" else 5}


if __name__ == "__main__":
    main("modality_attention", measure)
