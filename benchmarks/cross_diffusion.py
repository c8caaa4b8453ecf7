"""Cross-diffusion against the released code's form and against fused attention.

    python -m benchmarks.cross_diffusion

Two modalities, one step, C = 128, H = 4, batch 1. `forward` is inference, `step` is
forward and backward, the gradients of queries, keys and values. `ours` is what
`implementation="auto"` takes, `other` another form: dense, where that fits.

The baselines, in torch in every process: `released` is the released code's equations as
it computes them; `attention` is self-attention of both modalities and cross-attention
both ways by scaled_dot_product_attention, the same number of multiply-adds as the
dense form. `floor` is nothing but the products and exponentials that our form does.
Memory is measured in processes of their own, for the blockwise form. On a GPU what
comes out is compared with the definition in float64, by the norm of the difference.
"""

import sys

from benchmarks.report import main, target
from benchmarks.timing import best, interleave, milliseconds, ratio

TOKENS = (196, 784, 1024, 3136)
GPU = (1024, 3136, 16384)
EXACT = 3136  # tokens up to which float64 affinities are held
# of the time of the released form by ours, on every backend and on the best of them
EVERY = {("forward", 784): 6, ("step", 1024): 5, ("forward", 3136): 25}
BEST = {("forward", 784): 10, ("step", 1024): 10, ("forward", 3136): 35}
ON_GPU = {("forward", 3136, "bfloat16"): 12}
ERROR = {"float32": 0.1, "bfloat16": 1.0}  # %, of what TF32 and bfloat16 leave
ATTENTION = {"forward": 1.5, "step": 2.0}
FLOOR = 2.2


def measure(arguments) -> list[dict]:
    """The rows of this process' backend."""
    from benchmarks import compiled

    compiled.set_torch(arguments)
    sizes = GPU if arguments.gpu else (16,) if arguments.quick else TOKENS
    dtypes = ("float32", "bfloat16") if arguments.gpu else ("float32",)
    rows = [] if arguments.gpu else _memory(arguments.quick)
    for tokens in sizes:
        for dtype in dtypes:
            for kind in ("forward", "step"):
                rows.append(_row(tokens, dtype, kind, arguments))
                print(rows[-1]["case"], rows[-1]["ms"], file=sys.stderr, flush=True)
    return rows


def _row(tokens, dtype, kind, arguments):
    cases = _ours(tokens, dtype, kind) | _attention(tokens, dtype, kind)
    if not arguments.gpu:  # drawing its operands takes minutes there
        cases |= _floor(tokens, dtype, kind)
    rounds, block = (1, 0.0) if arguments.quick else (5, 0.02)
    times = interleave(cases, rounds, block)
    mine = best(times, "ours")
    bound = {} if arguments.gpu else {"at_most": ATTENTION[kind]}
    ratios = {"ours / attention": target(ratio(times, mine, "attention"), **bound)}
    if not arguments.gpu:
        value = ratio(times, mine, best(times, "floor"))
        ratios["ours / floor"] = target(value, at_most=FLOOR)
    elif tokens <= EXACT:
        error = _error(cases[mine](), tokens, dtype, kind)
        ratios["error, %"] = target(100 * error, at_most=ERROR[dtype])
    if any(name.startswith("other") for name in cases):
        ratios["other / ours"] = target(ratio(times, best(times, "other"), mine))
    ms = milliseconds(times)
    if _runs_released(tokens, kind, arguments.gpu):
        baseline = {mine: cases[mine]} | _released(tokens, dtype, kind)
        once = tokens > 2000 and not arguments.gpu  # many seconds a call
        times = interleave(baseline, 1 if once else rounds, block)
        value = ratio(times, "released", mine)
        bounds = ON_GPU if arguments.gpu else EVERY
        key = (kind, tokens, dtype) if arguments.gpu else (kind, tokens)
        ratios["released / ours"] = target(value, at_least=bounds.get(key))
        ms |= {"released": milliseconds(times)["released"]}
    return {"case": f"{kind} N={tokens} {dtype}", "ms": ms, "ratios": ratios}


def _runs_released(tokens, kind, gpu):
    """It takes minutes in training at 3136, and no machine's memory at 16384."""
    return tokens <= (3136 if kind == "forward" or gpu else 1024)


def _ours(tokens, dtype, kind):
    from benchmarks import compiled
    from benchmarks.cross_diffusion_cases import draw, ours

    make = compiled.function if kind == "forward" else compiled.gradients
    inputs = [_tensor(x, dtype) for x in draw(tokens)]
    chosen, cases = _chosen(tokens, dtype), {}
    for form in {chosen, _other(tokens, dtype)} - {None}:
        name = "ours" if form == chosen else "other"
        # torch.compile would unroll the loop over blocks
        for how in compiled.modes(compiles=False):
            work = make(ours(form), *inputs, compiled=how == "compiled")
            cases[f"{name} {how}"] = work
    return cases


def _other(tokens, dtype):
    """What `ours` is compared with: dense, or what dense is compared with."""
    from keras_fusion.ops.diffusion.blocks import on_gpu

    chosen = _chosen(tokens, dtype)
    if chosen == "dense":
        return "fused" if on_gpu() and dtype == "bfloat16" else "blockwise"
    if tokens <= (3136 if on_gpu() else 1024):
        return "dense"
    return "blockwise" if chosen == "fused" else None


def _chosen(tokens, dtype):
    """What `implementation="auto"` takes."""
    import keras

    from benchmarks.cross_diffusion_cases import HEADS, WIDTH
    from keras_fusion.ops.diffusion.cross_diffusion import fastest

    tensors = [keras.KerasTensor((1, HEADS, tokens, WIDTH), dtype)] * 2
    return fastest(tensors, tensors, tensors)


def _error(found, tokens, dtype, kind):
    """The norm of the difference to the definition in float64 by the norm of that."""
    import torch
    from keras import ops

    from benchmarks.cross_diffusion_cases import exact

    expected = _torch_case(exact, tokens, dtype, kind, double=True)()
    expected = torch.cat([x.cpu().flatten() for x in expected])
    found = [ops.convert_to_numpy(ops.cast(x, "float32")) for x in found]
    found = torch.cat([torch.from_numpy(x.copy()).double().flatten() for x in found])
    return float((found - expected).norm() / expected.norm())


def _attention(tokens, dtype, kind):
    from benchmarks.cross_diffusion_cases import attention

    return {"attention": _torch_case(attention, tokens, dtype, kind)}


def _released(tokens, dtype, kind):
    from benchmarks.cross_diffusion_cases import released

    return {"released": _torch_case(released, tokens, dtype, kind)}


def _torch_case(call, tokens, dtype, kind, double=False):
    import torch

    from benchmarks import compiled
    from benchmarks.cross_diffusion_cases import draw

    device = "cuda" if torch.cuda.is_available() else "cpu"
    to = {"device": device, "dtype": getattr(torch, dtype)}
    inputs = [torch.from_numpy(x).to(**to) for x in draw(tokens)]
    inputs = [x.double() for x in inputs] if double else inputs
    if kind == "forward":
        return compiled.torch_forward(call, inputs)
    leaves = [x.requires_grad_() for x in inputs]
    return compiled.torch_step(call, leaves, leaves)


def _floor(tokens, dtype, kind):
    import numpy as np

    from benchmarks import compiled
    from benchmarks.cross_diffusion_cases import floor

    def tensor(shape):
        return _tensor(np.random.default_rng(0).normal(size=shape), dtype)

    cases = {}
    for how in compiled.modes(compiles=False):

        def function(*arguments, how=how):
            return compiled.function(*arguments, compiled=how == "compiled")

        blockwise = _chosen(tokens, dtype) == "blockwise"
        cases[f"floor {how}"] = floor(tokens, kind, blockwise, tensor, function)
    return cases


def _tensor(x, dtype):
    from keras import ops

    return ops.cast(x, dtype)


def _memory(quick):
    """Peaks of the blockwise form, and how they grow with twice the tokens."""
    from benchmarks.memory import measure as memory

    rows = []
    small, large, largest = (16, 32, 64) if quick else (3136, 6272, 16384)
    for kind in ("forward",) if quick else ("forward", "step"):
        peaks = {n: memory(n, kind) for n in (small, large, largest)}
        growth = peaks[large]["added"] / max(peaks[small]["added"], 0.1)
        ratios = {
            f"MB {large} / {small}": target(max(growth, 0.001), at_most=2.2),
            f"GB {largest}": target(peaks[largest]["peak"] / 1024, at_most=4.0),
        }
        rows.append({"case": f"memory {kind}", "ms": {}, "mb": peaks, "ratios": ratios})
    return rows


def summary(rows: list[dict]) -> list[dict]:
    """The best backend beside what the best should reach."""
    found = []
    for (kind, tokens), at_least in BEST.items():
        case = f"{kind} N={tokens} float32"
        mine = [r["ratios"]["released / ours"] for r in rows if r["case"] == case]
        if mine and "at_least" in mine[0]:  # a GPU has targets of its own
            value = max(r["value"] for r in mine)
            ratios = {"released / ours": target(value, at_least=at_least)}
            found.append({"backend": "best", "case": case, "ms": {}, "ratios": ratios})
    return found


if __name__ == "__main__":
    main("cross_diffusion", measure, summary=summary)
