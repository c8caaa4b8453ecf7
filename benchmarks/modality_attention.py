"""ModalityAttention against other attention layers, and against its own GEMMs alone.

    python -m benchmarks.modality_attention

All sides use the same backend, threads and float type. Ours takes a list of M tensors
(B, D), the others one tensor (B, M, D). `streams` is the same job for all: M outputs
per sample; `mean` is our default readout, one output per sample. `forward` is inference;
`step` is forward and backward, the gradients of all weights, without an optimizer.

The rivals: `torch` is torch.nn.MultiheadAttention with need_weights=False, in every
process, the faster of eager (its fused inference path) and torch.compile. `keras` is
keras.layers.MultiHeadAttention on the backend as `fit` runs it by default on a CPU,
`keras compiled` the same with the backend's compiler. `floor` is nothing but the
projections of the same job, without bias, scores, softmax or mixing.
"""

import numpy as np

from benchmarks.report import main, target
from benchmarks.timing import interleave, milliseconds, ratio

SHAPES = ((4096, 2, 64, 4), (1024, 3, 256, 8), (1024, 6, 256, 8), (256, 16, 256, 8))
QUICK = ((8, 2, 16, 2),)
GPU = [(b, *rest) for b in (1024, 65536) for _, *rest in SHAPES]


def measure(arguments) -> list[dict]:
    """The rows of this process' backend."""
    import torch

    torch.set_num_threads(arguments.threads)
    torch.set_float32_matmul_precision("high" if arguments.gpu else "highest")
    shapes = GPU if arguments.gpu else QUICK if arguments.quick else SHAPES
    dtypes = ("float32", "bfloat16") if arguments.gpu else ("float32",)
    rounds, block = (1, 0.0) if arguments.quick else (15, 0.04)
    rows = []
    for shape in shapes:
        for dtype in dtypes:
            for kind in ("forward", "step"):
                cases = _ours(shape, dtype, kind) | _rivals(shape, dtype, kind)
                cases |= _floors(shape, dtype, kind)
                rows.append(_row(shape, dtype, kind, interleave(cases, rounds, block)))
    return rows


def _ours(shape, dtype, kind):
    from benchmarks import compiled
    from keras_fusion.layers import ModalityAttention

    batch, modalities, width, heads = shape
    inputs = [_tensor((batch, width), dtype) for _ in range(modalities)]
    cases = {}
    for name, readout in (("streams", None), ("mean", "mean")):
        layer = ModalityAttention(num_heads=heads, readout=readout, dtype=dtype)
        layer(inputs)  # builds it
        for how in _modes():
            make = getattr(compiled, kind)
            cases[f"{name} {how}"] = make(layer, inputs, compiled=how == "compiled")
    return cases


def _modes():
    from benchmarks.compiled import BACKEND

    return ("compiled",) if BACKEND == "jax" else ("compiled", "plain")


def _rivals(shape, dtype, kind):
    import keras

    from benchmarks import compiled

    batch, modalities, width, heads = shape
    x = _tensor((batch, modalities, width), dtype)
    layer = keras.layers.MultiHeadAttention(heads, width // heads, dtype=dtype)
    layer(x, x)
    make = getattr(compiled, kind)
    cases = {
        f"keras {how}": make(layer, x, x, compiled=how == "compiled")
        for how in _modes()
    }
    for how in ("compiled", "plain"):
        cases[f"torch {how}"] = _torch(shape, dtype, kind, how == "compiled")
    return cases


def _torch(shape, dtype, kind, compile):
    import torch

    from benchmarks.compiled import torch_forward, torch_step

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
        return torch_forward(call, [x], compile)
    return torch_step(call, list(layer.parameters()), [x], compile)


def _floors(shape, dtype, kind):
    from keras import ops

    from benchmarks.compiled import function

    def gemms(pairs):
        return [ops.matmul(a, b) for a, b in pairs]

    batch, modalities, width, _ = shape
    rows = batch * modalities
    jobs = {
        "streams floor": [(rows, 3 * width), (rows, width)],
        "mean floor": [(rows, 2 * width), (batch, width), (batch, width)],
    }
    cases = {}
    for name, job in jobs.items():
        sizes = [(m, width, n) for m, n in job]
        if kind == "step":
            sizes += [(width, m, n) for m, n in job]  # of the kernels' gradients
            sizes += [(m, n, width) for m, n in job[1:]]  # of what went into them
        pairs = [(_tensor((m, k), dtype), _tensor((k, n), dtype)) for m, k, n in sizes]
        cases[name] = function(gemms, pairs)
    return cases


def _tensor(shape, dtype):
    from keras import ops

    return ops.cast(np.random.default_rng(0).normal(size=shape), dtype)


def _row(shape, dtype, kind, times):
    batch, modalities, width, heads = shape
    median = milliseconds(times)

    def best(name):
        return min((f"{name} compiled", f"{name} plain"), key=lambda n: median.get(n, 1e9))

    ours = best("streams")
    speed = {"at_least": 1.3} if kind == "forward" and modalities <= 4 else {}
    floor = {"at_most": 1.4} if kind == "forward" and width == 256 else {}
    ratios = {
        "torch / streams": target(ratio(times, best("torch"), ours), **speed),
        "keras compiled / streams": target(ratio(times, "keras compiled", ours)),
        "streams / floor": target(ratio(times, ours, "streams floor"), **floor),
        "torch / mean": target(ratio(times, best("torch"), best("mean"))),
        "mean / floor": target(ratio(times, best("mean"), "mean floor"), **floor),
    }
    if "keras plain" in times:
        ratios["keras / streams"] = target(ratio(times, "keras plain", ours))
    case = f"{kind} B={batch} M={modalities} D={width} heads={heads} {dtype}"
    return {"case": case, "ms": median, "ratios": ratios}


if __name__ == "__main__":
    main("modality_attention", measure)
