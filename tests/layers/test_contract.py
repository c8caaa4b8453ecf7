"""The laws that every operator obeys, in every configuration."""

import keras
import numpy as np
import pytest
from keras import ops, tree

from keras_fusion import layers, zoo
from keras_fusion.common.gradients import with_gradients
from keras_fusion.testing import check_operator, laws
from keras_fusion.testing.laws import fill_absent
from tests.conftest import assert_close, to_numpy, tried_here
from tests.layers.cases import (
    CASES,
    VARIANTS,
    WIDTH,
    draw,
    each_aligned_case,
    each_case,
    inputs_for,
    modalities,
    query_for,
    some_absent,
)

COUNTS = tried_here([3, 1, 2, 8])
# Files hold them, so they are registered, but nobody puts them in a model by hand.
MADE_BY_BUILDERS = {
    "BagOfWords",
    "BalancedModel",
    "Blend",
    "EnsembleAverage",
    "EvidentialModel",
    "GradientGates",
    "GraphModel",
    "HeadedModel",
    "Heads",
    "HeldStatistics",
    "LearnedReplacement",
    "LinearFeatures",
    "LinearPrediction",
    "ModalityInput",
    "PaddedConv1D",
    "PresentMean",
    "StandIn",
    "TokenPresence",
    "WithMask",
}


def probe(outputs):
    """A scalar that depends on every number of the outputs, each by its own factor."""
    return sum(
        ops.sum(y * ops.convert_to_tensor(draw(*y.shape, seed=k), y.dtype))
        for k, y in enumerate(outputs)
    )


class Subject:
    """An operator of M modalities with random weights, asked for all it can tell."""

    def __init__(self, case, count):
        self.case, self.count = case, count
        self.inputs = case.inputs(count)
        self.op = case.operator(self.inputs)
        self.query = query_for(self.op, self.inputs)
        self.run = with_gradients(self._answer, self.op.trainable_variables)

    def outcome(self, inputs, there):
        """Fused outputs, weights or None, and the gradients of inputs and variables."""
        arrays = [*inputs, *self.query.values()]
        (fused, weights), found = self.run(arrays, there=there)
        return fused, weights, found

    def _answer(self, arrays, there):
        call = {"modality_mask": there, "training": True}
        call |= dict(zip(self.query, arrays[self.count :]))
        inputs = arrays[: self.count]
        if self.op.has_weights:
            fused, weights = self.op(inputs, return_weights=True, **call)
        else:
            fused, weights = self.op(inputs, **call), None
        fused = tree.flatten(fused)
        return probe(fused), (fused, weights)


def counts(case):
    """M of 1, 2, 3 and 8 for the first variant of an operator, two of them for others.

    Eight aligned modalities are stacked where three are not; eight sets of tokens go no
    other way than three, and take long to compile.
    """
    chosen = COUNTS
    if case.config != VARIANTS[case.name][0]:
        chosen = (3, 8) if case.new().takes == "aligned" else (1, 3)
    return [n for n in chosen if case.fits(n)]


SUBJECTS = [(case, count) for case in CASES for count in counts(case)]


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda p: f"{p[0]}-M{p[1]}")
def subject(request):
    return Subject(*request.param)


def assert_same(actual, expected):
    """Bit by bit, no NaN."""
    for a, b in zip(tree.flatten(actual), tree.flatten(expected), strict=True):
        if a is None and b is None:
            continue
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
        assert not np.isnan(to_numpy(a)).any()


def test_every_operator_is_in_the_table():
    assert set(VARIANTS) == set(layers.operators())


def test_the_catalogue_is_complete():
    known = keras.saving.get_custom_objects().items()
    own = {n.split(">")[1]: kind for n, kind in known if n.startswith("keras_fusion>")}
    registered = {n for n, kind in own.items() if issubclass(kind, keras.layers.Layer)}
    assert registered and registered - MADE_BY_BUILDERS <= set(layers.__all__)
    assert all(layers.get(name) is layer for name, layer in layers.operators().items())


def test_whoever_imports_the_layers_can_load_every_model():
    """`load_model` says "Could not locate class" of what nobody imported."""
    assert zoo.builders()
    for name, kind in keras.saving.get_custom_objects().items():
        is_layer = isinstance(kind, type) and issubclass(kind, keras.layers.Layer)
        trains = kind.__module__.startswith("keras_fusion.balancing.")  # in no file
        if name.startswith("keras_fusion>") and is_layer and not trains:
            assert getattr(layers, kind.__name__, None) is kind


def test_absent_modalities_have_no_influence(subject):
    there = some_absent(subject.count)

    def outcome(filler):
        return subject.outcome(fill_absent(subject.inputs, there, filler), there)

    expected = outcome(0.5)
    assert_same(outcome(np.nan), expected)
    assert_same(outcome(1e30), expected)


def test_all_absent_gives_zeros_and_finite_gradients(subject):
    there = np.zeros((3, subject.count), bool)
    fused, weights, found = subject.outcome(subject.inputs, there)
    assert all(not to_numpy(y).any() for y in fused)
    assert weights is None or not to_numpy(weights).any()
    assert all(np.isfinite(g).all() for g in found)


def test_every_weight_and_every_input_gets_a_gradient(subject):
    if subject.count == 1:
        return  # one modality needs no weighing
    there = np.ones((3, subject.count), bool)
    _, _, found = subject.outcome(subject.inputs, there)
    assert len(found) >= subject.count + len(subject.op.trainable_variables)
    assert all(g.any() for g in found)


def test_weights_obey_what_they_document(subject):
    there = some_absent(subject.count)
    _, weights, _ = subject.outcome(subject.inputs, there)
    if weights is None:
        return
    weights = to_numpy(weights)
    assert weights.shape[0] == 3 and weights.shape[-1] == subject.count
    by_modality = np.moveaxis(weights, -1, 1)
    assert not by_modality[~there].any()
    weighed = subject.case.weighs(there)
    assert all(w.any() for w in by_modality[weighed])
    if subject.case.sums_to_one(subject.count):
        total = weights.sum(axis=-1)
        assert_close(total, (total != 0).astype("float32"))
        assert total[weighed.any(axis=1)].any()
        assert total[1].all()


@pytest.mark.only_on("torch", reason="some run elsewhere, and theirs in other words")
@each_case
def test_the_public_check_holds(case):
    op, inputs = case.new(), case.inputs()
    check_operator(op, inputs, **query_for(op, inputs))


@pytest.mark.only_on("tensorflow", "jax", reason="all laws are asked on torch")
@pytest.mark.parametrize("law", [laws.check_weights_are_tracked, laws.check_full_mask])
@each_case
def test_the_public_laws(case, law):
    op, inputs = case.new(), case.inputs()
    law(op, inputs, query_for(op, inputs))


@each_case
def test_operators_without_weights_point_to_shapley_values(case):
    inputs = case.inputs()
    op = case.operator(inputs)
    if op.has_weights:
        fused, weights = op(inputs, **query_for(op, inputs), return_weights=True)
        assert_same(fused, op(inputs, **query_for(op, inputs)))
    else:
        words = f"{case.name} has no weights.*attribution.shapley_values"
        with pytest.raises(ValueError, match=words):
            op(inputs, return_weights=True)


@pytest.mark.only_on("torch", reason="rows meet in no kernel of a backend")
@each_case
def test_a_batch_is_its_samples_one_by_one(case):
    inputs = case.inputs()
    there = np.ones((3, len(inputs)), bool)
    there[0, 1] = False
    op = case.operator(inputs)
    query = query_for(op, inputs)

    def outputs(rows):
        asked = {name: q[rows] for name, q in query.items()}
        rows_of = [x[rows] for x in inputs]
        return op(rows_of, modality_mask=there[rows], training=True, **asked)

    together = tree.flatten(outputs(slice(None)))
    alone = [tree.flatten(outputs(slice(n, n + 1))) for n in range(3)]
    for k, batch in enumerate(together):
        assert_close(batch, np.concatenate([to_numpy(one[k]) for one in alone]))


@each_aligned_case
def test_tokens_are_fused_one_by_one(case):
    if case.config.get("per") == "element":
        return  # its weights differ from position to position
    inputs = case.inputs()
    op = case.operator(inputs)
    query = query_for(op, inputs)
    tokens = op(inputs, **query)
    flat = {name: q.reshape(6, -1) for name, q in query.items()}
    vectors = op([x.reshape(6, -1) for x in inputs], **flat)
    for a, b in zip(tree.flatten(tokens), tree.flatten(vectors)):
        assert_close(to_numpy(a).reshape(6, -1), b)


def ranks(case):
    return (3,) if case.new().takes == "tokens" else (2, 3, 4, 5)


@pytest.mark.parametrize("case, rank", [(c, r) for c in CASES for r in ranks(c)])
def test_output_shapes(case, rank):
    inputs = modalities(shape=(*(3, 2, 1, 1)[: rank - 1], WIDTH))
    inputs = case.inputs() if case.new().takes == "tokens" else inputs
    op = case.operator(inputs)
    fused = op(inputs, **query_for(op, inputs))
    promised = op.compute_output_shape([x.shape for x in inputs])
    assert tree.map_structure(lambda y: tuple(y.shape), fused) == promised
    for x, y in zip(inputs, tree.flatten(fused)):
        if op.pools_tokens:  # to a vector, or to latents
            assert len(y) == 3 and len(y.shape) <= 3
        else:
            assert tuple(y.shape[:-1]) == x.shape[:-1]


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_case
def test_units_project_different_widths(case):
    widths = (5, WIDTH, 3)
    inputs = [draw(*x.shape[:2], width) for x, width in zip(case.inputs(), widths)]
    op = case.operator(inputs, units=6)
    fused = tree.flatten(op(tuple(inputs), **query_for(op, inputs)))
    shape = op.compute_output_shape([x.shape for x in inputs])
    assert [tuple(y.shape) for y in fused] == (shape if op.returns_streams else [shape])


@pytest.mark.parametrize("name", sorted(layers.operators()))
def test_every_operator_builds_from_its_defaults(name):
    op = layers.get(name)()
    fused = op(inputs_for(op))
    assert tuple(fused.shape[:-1]) == ((3,) if op.pools_tokens else (3, 2))


@pytest.mark.only_on("torch", reason="elsewhere a gradient is never missing")
@pytest.mark.parametrize("masked", [False, True])
@each_case
def test_every_weight_of_one_modality_is_in_the_graph(case, masked):
    """Torch's DDP waits for the gradient of every parameter, be it zero."""
    import torch

    if not case.fits(1):
        pytest.skip("takes several modalities")
    inputs = case.inputs(1)
    op = case.operator(inputs)
    if not op.trainable_variables:
        pytest.skip("has no weights")
    call = {"modality_mask": np.ones((3, 1), bool)} if masked else {}
    fused = tree.flatten(op(inputs, **query_for(op, inputs), **call, training=True))
    leaves = [v.value for v in op.trainable_variables]
    found = torch.autograd.grad(probe(fused), leaves, allow_unused=True)
    unused = [v.path for v, g in zip(op.trainable_variables, found) if g is None]
    assert not unused


@pytest.mark.only_on("torch", reason="about torch modules")
@each_case
def test_trains_in_a_torch_module(case):
    import torch

    class Net(torch.nn.Module):
        def __init__(self, op):
            super().__init__()
            self.op = op
            self.head = torch.nn.LazyLinear(1)

        def forward(self, inputs, **kwargs):
            fused = tree.flatten(self.op(inputs, **kwargs))
            return self.head(torch.cat([y.flatten() for y in fused])).sum()

    inputs = case.inputs()
    net = Net(case.operator(inputs))
    query = query_for(net.op, inputs)
    net(inputs, **query)
    assert len(list(net.parameters())) == len(net.op.trainable_variables) + 2
    before = [p.detach().clone() for p in net.parameters()]
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    net(inputs, **query).backward()
    optimizer.step()
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters())]
    assert all(moved)
