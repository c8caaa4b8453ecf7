"""GraphConvolution and GraphAttention, against torch_geometric and against bandwidth.

    python -m benchmarks.graph_layers

Random graphs of ten edges a node, sorted by target, 64 features in and out, four heads;
both sides get the same edge list. `forward` is inference; `step` is forward and
backward, the gradients of all weights, without an optimizer. The baselines are
torch_geometric's layers, run eagerly in every process, and in that of torch by
`torch.compile` too; `geometric sparse` is GCNConv on an adjacency matrix that has been
brought into torch's compressed rows beforehand. Beside the libraries of other backends
they are slower, so the rows `best` compare the best of ours with their best, of all
processes: there ours should be as fast as they are eagerly. The floor is the layer's
product and one contiguous reading of one row per edge, summed by ten: what a layer has
to read if every message is in memory.
"""

import functools

import numpy as np

from benchmarks.report import main, target
from benchmarks.timing import best, interleave, milliseconds, ratio

DEGREE, WIDTH, HEADS = 10, 64, 4
EDGES = (10_000, 100_000, 1_000_000)
QUICK = (1_000,)
GPU = (1_000_000, 10_000_000)
ROUNDS = {10_000: 9, 100_000: 5, 1_000_000: 3, 10_000_000: 3}


def measure(arguments) -> list[dict]:
    """The rows of this process' backend."""
    from benchmarks import compiled

    compiled.set_torch(arguments)
    sizes = GPU if arguments.gpu else QUICK if arguments.quick else EDGES
    rows = []
    for edges in sizes:
        rounds = 1 if arguments.quick else ROUNDS[edges]
        for layer in ("gcn", "gat", "gatv2") if edges < 1_000_000 else ("gcn", "gat"):
            for kind in ("forward", "step"):
                cases = _cases(edges, layer, kind, compiles=not arguments.quick)
                block = 0.0 if arguments.quick else 0.05
                times = interleave(cases, rounds, block)
                rows.append(_row(edges, layer, kind, times))
    return rows


def summary(rows: list[dict]) -> list[dict]:
    """Ours and torch_geometric, each by its best process."""
    found = []
    for case in dict.fromkeys(row["case"] for row in rows):
        times = [row["ms"] for row in rows if row["case"] == case]
        ours = _least(times, "ours")
        ratios = {}
        for how in ("plain", "compiled"):
            theirs = _least(times, f"geometric {how}")
            if theirs:
                large = int(case.split("=")[1]) >= 100_000
                bound = {"at_least": 1} if large and how == "plain" else {}
                ratios[f"geometric {how} / ours"] = target(theirs / ours, **bound)
        found.append({"backend": "best", "case": case, "ms": {}, "ratios": ratios})
    return found


def _least(times, name):
    """The least time of what begins with the name, None where nothing does."""
    found = [ms for row in times for n, ms in row.items() if n.startswith(name)]
    return min(found, default=None)


def _cases(edges, layer, kind, compiles):
    from keras import ops

    from benchmarks import compiled

    nodes = edges // DEGREE
    rng = np.random.default_rng(0)
    x = rng.normal(size=(nodes, WIDTH)).astype("float32")
    target = np.repeat(np.arange(nodes), DEGREE)
    index = np.stack([rng.integers(0, nodes, edges), target]).astype("int32")
    ours = _ours(layer)
    tensors = ops.convert_to_tensor(x), ops.convert_to_tensor(index)
    ours(*tensors)  # builds it
    messages = ops.ones((nodes, DEGREE, WIDTH))
    kernel = ops.ones((WIDTH, WIDTH))
    make = getattr(compiled, kind)
    cases = {}
    for how in compiled.modes(compiles):
        switch = {"compiled": how == "compiled"}
        cases[f"ours {how}"] = make(ours, *tensors, **switch)
        cases[f"floor {how}"] = compiled.function(
            _read_once, tensors[0], kernel, messages, **switch
        )
    return cases | _geometric(layer, kind, x, index, compiles)


def _ours(layer):
    from keras_fusion.layers import GraphAttention, GraphConvolution

    if layer == "gcn":
        return GraphConvolution(WIDTH)
    return GraphAttention(WIDTH, num_heads=HEADS, affinity=layer)


def _read_once(x, kernel, messages):
    from keras import ops

    return ops.matmul(x, kernel), ops.sum(messages, axis=1)


def _geometric(layer, kind, x, index, compiles):
    import torch
    from torch_geometric import nn

    from benchmarks import compiled

    device = "cuda" if torch.cuda.is_available() else "cpu"
    makers = {"gcn": nn.GCNConv, "gat": nn.GATConv, "gatv2": nn.GATv2Conv}
    width, config = (
        (WIDTH, {}) if layer == "gcn" else (WIDTH // HEADS, {"heads": HEADS})
    )
    theirs = makers[layer](WIDTH, width, **config).to(device)
    x = torch.from_numpy(x).to(device)
    index = torch.from_numpy(index).long().to(device)
    make = compiled.torch_forward
    if kind == "step":
        make = functools.partial(compiled.torch_step, weights=[*theirs.parameters()])
    cases = {"geometric plain": make(theirs, [x, index])}
    if compiles and compiled.BACKEND == "torch":
        cases["geometric compiled"] = make(theirs, [x, index], compiled=True)
    if layer == "gcn":
        ones = torch.ones(index.shape[1], device=device)
        adjacency = torch.sparse_coo_tensor(index.flip(0), ones, (len(x), len(x)))
        adjacency = adjacency.to_sparse_csr()
        cases["geometric sparse plain"] = make(theirs, [x, adjacency])
    return cases


def _row(edges, layer, kind, times):
    ours = best(times, "ours")
    ratios = {
        "geometric / ours": target(ratio(times, "geometric plain", ours)),
        "ours / floor": target(ratio(times, ours, best(times, "floor"))),
    }
    if "geometric sparse plain" in times:
        value = ratio(times, "geometric sparse plain", ours)
        ratios["geometric sparse / ours"] = target(value)
    case = f"{kind} {layer} E={edges}"
    return {"case": case, "ms": milliseconds(times), "ratios": ratios}


if __name__ == "__main__":
    main("graph_layers", measure, summary=summary)
