# %% [markdown]
# # Graphs whose nodes have several modalities
#
# A paper has words and a place among the papers that cite it; a person has answers and
# friends. `GraphNodeClassifier` gives a class to every node of a graph, from several
# feature vectors for each node and the edges between them.

# %%
import keras
import numpy as np

from keras_fusion.graphs import FullGraph, SampledGraph, spectral_position, symmetric
from keras_fusion.zoo import GraphNodeClassifier, modality_weights

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# ## A graph
#
# 150 nodes of three groups. Most edges join nodes of one group, and the words of a node
# say a little about its group. `symmetric` gives every edge both directions.

# %%
n = 150
labels = np.arange(n) % 3
pairs = rng.integers(0, n, (2, 3000))
same = labels[pairs[0]] == labels[pairs[1]]
edges = symmetric(pairs[:, same | (rng.random(3000) < 0.05)][:, :500])
nodes = {
    "words": rng.normal(size=(n, 12)) + 0.5 * np.eye(3, 12)[labels],
    # Nodes that are close in the graph are close in these coordinates.
    "position": spectral_position(edges, n, width=4),
}
train = np.arange(n) < 30
test = ~train

# %% [markdown]
# ## Training on the whole graph
#
# A graph is one batch. `FullGraph` tells `fit` which nodes count; so compile with
# `weighted_metrics`, not with `metrics`. `fusion_stage` says where the modalities
# become one: `"early"`, before the graph layers, `"middle"`, or `"late"`, after them.

# %%
shapes = {name: x.shape[1] for name, x in nodes.items()}
for stage in ("early", "late"):
    model = GraphNodeClassifier(
        shapes, classes=3, fusion="SoftmaxGating", fusion_stage=stage, units=16
    )
    model.compile(
        keras.optimizers.Adam(1e-2),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    model.fit(FullGraph(nodes, edges, labels, train), epochs=40, verbose=0)
    held_out = FullGraph(nodes, edges, labels, test)
    print(stage, model.evaluate(held_out, verbose=0, return_dict=True))

# %% [markdown]
# What each modality counted, node by node:

# %%
weights = modality_weights(model, nodes | {"edge_index": edges})
print(weights.shape, dict(zip(shapes, weights.mean(axis=0).round(2))))

# %% [markdown]
# ## Graphs that are too large for one batch
#
# `SampledGraph` gives `fit` parts of the graph: some nodes and a sample of their
# neighbors. With two layers of GCN it takes three hops: the weight of an edge there
# needs the number of edges to its source.

# %%
parts = SampledGraph(nodes, edges, labels, train, neighbors=(5, 5, 5), batch_size=10)
model.fit(parts, epochs=5, verbose=0)
print(len(parts), "batches an epoch")

# %% [markdown]
# The published GCN and GAT are special cases; on Cora and CiteSeer they are trained
# beside the fusions of three modalities in [a study of its
# own](../../benchmarks/node_classification/README.md).
