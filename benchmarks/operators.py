"""Every operator, forward and training, beside what a torch or Keras user would write.

    python -m benchmarks.operators

Operators with their default arguments fuse M modalities of vectors (B, D), or of T
tokens (B, T, D) each. `forward` is inference, `step` is forward and backward: the
gradients of all weights, without an optimizer. The baselines have the same tensors,
backend process, threads and float type: `torch linear` puts the vectors side by side
before a torch.nn.Linear to D features; `torch attention` is torch.nn.MultiheadAttention
over the modalities or over all their tokens, and `keras attention` is
keras.layers.MultiHeadAttention there. A ratio is the baseline's time by the operator's:
above 1 the operator is faster. None does the same job as the operator; they say what
its place would cost otherwise.
"""

import functools
import inspect

import numpy as np

from benchmarks.report import main, target
from benchmarks.timing import interleave, milliseconds, ratio

VECTORS = [(1024, m, None, 128) for m in (2, 4, 8)]
TOKENS = [(32, m, t, 128) for m in (2, 4) for t in (16, 128)]
QUICK = [(4, 2, None, 8), (2, 2, 3, 8)]
HEADS = 4
BASELINES = "torch linear", "torch attention", "keras attention"


def measure(arguments) -> list[dict]:
    """The rows of this process' backend."""
    from benchmarks import compiled

    compiled.set_torch(arguments)
    rounds, block = (1, 0.0) if arguments.quick else (7, 0.02)
    rows = []
    for shape in QUICK if arguments.quick else [*VECTORS, *TOKENS]:
        for kind in ("forward", "step"):
            cases = _rivals(shape, kind)
            baselines = list(cases)
            cases |= _operators(shape, kind)
            times = interleave(cases, rounds, block)
            for name in cases:
                if name not in baselines:
                    rows.append(_row(name, baselines, shape, kind, times))
    return rows


def _operators(shape, kind):
    from benchmarks import compiled
    from keras_fusion import layers

    batch, modalities, tokens, width = shape
    one = (batch, width) if tokens is None else (batch, tokens, width)
    inputs = [_tensor(one, seed) for seed in range(modalities)]
    cases = {}
    for name, kind_of in layers.operators().items():
        if (kind_of.takes == "tokens") != (tokens is not None):
            continue
        known = inspect.signature(kind_of.__init__).parameters
        layer = kind_of(**({"num_heads": HEADS} if "num_heads" in known else {}))
        try:
            layer.check([one] * modalities)
        except ValueError:
            continue  # so many modalities are not for it
        layer(inputs)  # builds it
        if kind == "forward" or layer.trainable_variables:
            make = getattr(compiled, kind)
            cases[name] = make(layer, inputs, compiled=compiled.BACKEND != "torch")
    return cases


def _rivals(shape, kind):
    import keras
    import torch

    from benchmarks import compiled

    batch, modalities, tokens, width = shape
    count = modalities * (tokens or 1)
    device = {"device": "cuda" if torch.cuda.is_available() else "cpu"}
    attention = torch.nn.MultiheadAttention(width, HEADS, batch_first=True, **device)
    x = torch.randn(batch, count, width, **device)
    jobs = {
        "torch attention": (
            attention,
            lambda x: attention(x, x, x, need_weights=False)[0],
            [x],
        )
    }
    if tokens is None:
        linear = torch.nn.Linear(count * width, width, **device)
        parts = [torch.randn(batch, width, **device) for _ in range(modalities)]
        jobs["torch linear"] = (linear, lambda *x: linear(torch.cat(x, -1)), parts)
    cases = {}
    for name, (module, call, inputs) in jobs.items():
        module.train(kind == "step")
        make = compiled.torch_forward
        if kind == "step":
            weights = [*module.parameters()]
            make = functools.partial(compiled.torch_step, weights=weights)
        cases[name] = make(call, inputs)
    layer, x = keras.layers.MultiHeadAttention(HEADS, width // HEADS), _tensor(x.shape)
    layer(x, x)  # builds it
    make = getattr(compiled, kind)
    plain = compiled.BACKEND == "torch"
    return cases | {"keras attention": make(layer, x, x, compiled=not plain)}


def _tensor(shape, seed=0):
    from keras import ops

    x = np.random.default_rng(seed).normal(size=tuple(shape))
    return ops.convert_to_tensor(x.astype("float32"))


def _row(name, baselines, shape, kind, times):
    batch, modalities, tokens, width = shape
    size = f"B={batch} M={modalities} D={width}" + (f" T={tokens}" if tokens else "")
    own = {n: times[n] for n in (name, *baselines)}
    return {
        "case": f"{kind} {name} {size}",
        "ms": milliseconds(own),
        "ratios": {f"{r} / ours": target(ratio(own, r, name)) for r in baselines},
    }


if __name__ == "__main__":
    main("operators", measure)
