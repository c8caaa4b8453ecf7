"""Cora and CiteSeer as tensorflow-datasets builders, one example per node.

Importing `keras_fusion.datasets.tfds` registers them with the others.
"""

from pathlib import Path

import numpy as np

from keras_fusion.datasets.builtin import planetoid

try:
    import tensorflow_datasets as tfds
except ImportError as error:
    raise ImportError(
        "The tensorflow-datasets builders need "
        'pip install "keras-fusion[datasets,tensorflow]".'
    ) from error

PARTS = ("train", "validation", "test")


class _Planetoid(tfds.core.GeneratorBasedBuilder):
    """Papers with their words, label and neighbors; read from manual_dir.

    `node` is a paper's number and `neighbors` are the numbers of those that cite it or
    that it cites. The split `rest` has the papers that no part of the standard split
    holds: with the other three it makes the whole graph. A label of -1 is unknown.
    """

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put the archive planetoid_NAME.npz into manual_dir."
    WORDS = 0

    def _info(self):
        classes = planetoid.CLASSES[self.name]
        features = {
            "node": tfds.features.Scalar(dtype=np.int32),
            "words": tfds.features.Tensor(shape=(self.WORDS,), dtype=np.float32),
            "neighbors": tfds.features.Sequence(np.int32),
            "label": tfds.features.ClassLabel(num_classes=classes),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Scientific papers, their words and who cites whom.",
            features=tfds.features.FeaturesDict(features),
            homepage=planetoid.ARCHIVES[self.name].source,
        )

    def _split_generators(self, dl_manager):
        path = Path(dl_manager.manual_dir / planetoid.ARCHIVES[self.name].file)
        graph = planetoid.load_graph(self.name, path)
        parts = {part: getattr(graph, part) for part in PARTS}
        parts["rest"] = ~np.any(list(parts.values()), axis=0)
        return {p: self._generate_examples(graph, there) for p, there in parts.items()}

    def _generate_examples(self, graph, there):
        source, target = graph.edge_index[:, np.argsort(graph.edge_index[1])]
        starts = np.searchsorted(target, np.arange(len(there) + 1))
        for node in map(int, np.flatnonzero(there)):
            yield (
                node,
                {
                    "node": node,
                    "words": graph.inputs["words"][node],
                    "neighbors": source[starts[node] : starts[node + 1]],
                    "label": int(graph.labels[node]),
                },
            )


class Cora(_Planetoid):
    """Cora: 2708 papers on machine learning in 7 classes."""

    WORDS = 1433


class Citeseer(_Planetoid):
    """CiteSeer: 3327 papers on computer science in 6 classes."""

    WORDS = 3703
