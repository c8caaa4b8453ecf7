import keras
import numpy as np
from keras import ops

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.base import Layer

_UNSEEN = 1


@keras.saving.register_keras_serializable("keras_fusion")
class ColumnEmbedding(Layer):
    """The columns of a table as tokens, one a column.

    A number becomes a piecewise linear code, `c_k = (x - e_k) / (e_{k+1} - e_k)` cut to
    [0, 1] between the edges `e` of its bins and open beyond the outer ones, times a
    matrix of its column. A category becomes the vector of its code, which starts at
    zero for code 1, a category that training does not know. Other features go through
    a matrix of their column.

    Shapes: `(B, F)` float32 to `(B, C, units)` of C columns, whose features stand one
    column after the other. It computes in float32 whatever its policy, since a code
    such as 257 is no number of bfloat16, and answers in the policy's dtype.

    Args:
        columns: A dict for each column, in their order: `{"edges": [e_0, ...]}` of a
            number and 1 where it is missing, `{"codes": K}` of codes from 0 to K - 1,
            or `{"width": W}` of other features.
        units: Width of a token.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> columns = [{"edges": [-1.0, 0.0, 2.0]}, {"codes": 4}]
    >>> tokens = ColumnEmbedding(columns, units=8)(np.array([[0.5, 0, 3], [0, 1, 2]]))
    >>> tuple(tokens.shape)
    (2, 2, 8)

    Reference: Gorishniy, Rubachev and Babenko, 2022, On Embeddings for Numerical
    Features in Tabular Deep Learning.
    """

    def __init__(self, columns: list[int], units: int = 32, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.columns = columns
        self.units = units
        self._units = require_positive(self, "units", units)
        self._places = {
            "edges": [],
            "codes": [],
            "width": [],
        }  # (column, first feature)
        self._features = 0
        for number, column in enumerate(columns):
            kind, size = _kind_and_size(self, column)
            self._places[kind].append((number, self._features))
            self._features += size
        kinds = [number for places in self._places.values() for number, _ in places]
        self._order = np.argsort(kinds)  # from one kind after the other to the columns

    def build(self, input_shape):
        if len(input_shape) != 2 or input_shape[1] != self._features:
            raise ValueError(
                f"{self.name} expects the features of its columns (B, {self._features})"
                f"; received shape {tuple(input_shape)}."
            )
        if self._places["edges"]:
            self._build_numbers([self.columns[n] for n, _ in self._places["edges"]])
        if self._places["codes"]:
            sizes = [self.columns[n]["codes"] for n, _ in self._places["codes"]]
            self._offsets = np.cumsum([0, *sizes[:-1]])
            self._last = np.array(sizes, "int32") - 1
            self.categories = self.add_weight(
                shape=(sum(sizes), self._units),
                initializer=self._but_unseen(self._offsets + _UNSEEN),
                name="categories",
            )
        self.kernels = {
            number: self._kernel((self.columns[number]["width"],), f"kernel_{number}")
            for number, _ in self._places["width"]
        }
        self.bias = self.add_weight(
            shape=(len(self.columns), self._units), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        inputs = ops.cast(inputs, "float32")
        tokens = []
        if self._places["edges"]:
            tokens.append(self._numbers(inputs))
        if self._places["codes"]:
            first = [place for _, place in self._places["codes"]]
            codes = ops.cast(ops.take(inputs, first, axis=1), "int32")
            codes = ops.minimum(ops.maximum(codes, 0), self._last)  # of its own column
            codes = codes + ops.convert_to_tensor(self._offsets, "int32")
            tokens.append(ops.take(self.categories, codes, axis=0))
        for number, place in self._places["width"]:
            kernel = self.kernels[number]
            features = inputs[:, place : place + kernel.shape[0]]
            tokens.append(ops.expand_dims(ops.matmul(features, kernel), axis=1))
        tokens = ops.concatenate(tokens, axis=1) if tokens[1:] else tokens[0]
        tokens = ops.take(tokens, self._order, axis=1)
        return ops.cast(tokens + self.bias, self.compute_dtype)  # (B, C, U)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.columns), self._units)

    def _build_numbers(self, columns):
        edges = [np.asarray(column["edges"], np.float64) for column in columns]
        edges = [np.append(e, e[0] + 1) if len(e) == 1 else e for e in edges]
        bins = max(len(e) for e in edges) - 1
        shape = (len(columns), bins)
        # What pads a column with fewer bins is 0 everywhere.
        self._left, self._size = np.zeros(shape), np.ones(shape)
        self._low, self._high = np.zeros(shape), np.zeros(shape)
        for row, e in enumerate(edges):
            last = len(e) - 1
            self._left[row, :last], self._size[row, :last] = e[:-1], np.diff(e)
            self._high[row, :last] = 1
            self._low[row, 0], self._high[row, last - 1] = -1e30, 1e30
        # One row more is for what is missing.
        self.numbers = self._kernel((len(columns), bins + 1), "numbers")

    def _numbers(self, inputs):
        first = np.array([place for _, place in self._places["edges"]])
        x = ops.expand_dims(ops.take(inputs, first, axis=1), axis=-1)  # (B, n, 1)
        missing = ops.expand_dims(ops.take(inputs, first + 1, axis=1), axis=-1)
        left, size, low, high = (
            ops.convert_to_tensor(a, "float32")
            for a in (self._left, self._size, self._low, self._high)
        )
        code = ops.minimum(ops.maximum((x - left) / size, low), high) * (1 - missing)
        code = ops.concatenate([code, missing], axis=-1)  # (B, n, K + 1)
        tokens = ops.matmul(ops.transpose(code, (1, 0, 2)), self.numbers)
        return ops.transpose(tokens, (1, 0, 2))  # (B, n, U)

    def _kernel(self, shape, name):
        limit = float(shape[-1]) ** -0.5
        return self.add_weight(
            shape=(*shape, self._units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name=name,
        )

    def _but_unseen(self, rows):
        """Normal numbers, but zeros in these rows."""
        draw = keras.initializers.RandomNormal(stddev=self._units**-0.5)
        kept = np.ones((sum(column.get("codes", 0) for column in self.columns), 1))
        kept[rows] = 0

        def initialize(shape, dtype=None):
            return draw(shape, dtype) * ops.convert_to_tensor(kept, dtype)

        return initialize


def _kind_and_size(layer, column):
    if isinstance(column, dict) and len(column) == 1:
        (kind,) = column
        if kind == "edges" and len(column[kind]):
            return kind, 2
        if kind == "codes" and column[kind] > _UNSEEN:
            return kind, 1
        if kind == "width":
            return kind, require_positive(layer, "a column's width", column[kind])
    raise ValueError(
        f"{layer.name} expects a column to be {{'edges': [...]}}, {{'codes': K}} of at "
        f"least 2 codes or {{'width': W}}; received {column!r}."
    )
