import itertools

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.attribution import shapley_interactions, shapley_values
from keras_fusion.experiments.scores import accuracy
from tests.attribution.games import by_orders, played, random_game, rows
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, absent_as, draw, randomize

MANY = "abcdefghij"


@pytest.fixture(scope="module")
def model():
    made = zoo.FusionClassifier(
        VECTORS, 3, fusion="SoftmaxGating", units=4, modality_mask=True
    )
    return randomize(made)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_values_are_means_over_all_orders(count):
    worth = random_game(MANY[:count])
    found = shapley_values(played(worth), rows(MANY[:count]))
    np.testing.assert_allclose(found.values[0], by_orders(worth, MANY[:count]))
    assert found.base == pytest.approx(worth(frozenset()))
    assert found.modalities == tuple(MANY[:count])
    assert not found.standard_error.any()


def test_a_game_on_paper():
    """Gloves: one left, two right; a pair is worth 1: 2/3, 1/6, 1/6."""

    def worth(there):
        return float("l" in there and len(there) > 1)

    found = shapley_values(played(worth), rows("lrs"))
    np.testing.assert_allclose(found.values, [[2 / 3, 1 / 6, 1 / 6]])


def test_they_add_up_alike_players_are_alike_and_a_dummy_gets_nothing():
    names = "abcde"

    def worth(there):  # a and b are alike, e does nothing
        return len(there & set("ab")) ** 2 + 3 * ("c" in there) * ("d" in there)

    found = shapley_values(played(worth), rows(names)).values[0]
    assert found.sum() == pytest.approx(worth(frozenset(names)) - worth(frozenset()))
    assert found[0] == pytest.approx(found[1]) and found[0] > 1
    assert found[4] == pytest.approx(0, abs=1e-12)


def test_of_a_model_the_values_add_up_to_its_outputs(model):
    inputs = draw(VECTORS, rows=500)  # more than one batch of coalitions
    mask = np.ones((500, 3), bool)
    mask[::3, 1] = False
    found = shapley_values(model, absent_as(np.nan, inputs, mask))
    assert found.values.shape == (500, 3, 3)
    full = model.predict(absent_as(0, inputs, mask), verbose=0)
    assert_close(found.base + found.values.sum(axis=1), full)
    assert_close(found.values[::3, 1], np.zeros((167, 3)))  # absent, so a dummy
    assert np.abs(found.values[1::3, 1]).max() > 1e-2
    nothing = np.zeros((500, 3), bool)
    assert_close(found.base, model.predict(absent_as(0, inputs, nothing), verbose=0))


def test_of_a_model_the_values_are_those_of_its_coalitions(model):
    inputs = draw(VECTORS, rows=3)

    def worth(there):
        mask = np.tile([name in there for name in VECTORS], (3, 1))
        return model.predict(absent_as(0, inputs, mask), verbose=0)[1, 2]

    found = shapley_values(model, inputs).values[1, :, 2]
    np.testing.assert_allclose(found, by_orders(worth, list(VECTORS)), atol=1e-6)


def test_of_a_score():
    """`a` is right in half of the rows, `b` in all: 1/4 for `a`, 3/4 for `b`."""
    labels = np.ones(8, int)

    def answers(inputs):
        of_a, of_b = inputs["modality_mask"].T
        there = (of_a & (inputs["a"][:, 0] > 0)) | of_b
        return np.stack([~there, there], axis=1)

    inputs = rows("ab", 8)
    inputs["a"][::2] = 1
    found = shapley_values(answers, inputs, labels=labels, measure=accuracy)
    np.testing.assert_allclose(found.values, [0.25, 0.75])
    assert found.base == 0 and found.standard_error.shape == (2,)
    twice = shapley_values(
        answers, inputs, labels=labels, measure=lambda *of: [accuracy(*of), 1]
    )
    np.testing.assert_allclose(twice.values, [[0.25, 0], [0.75, 0]], atol=1e-12)
    pairs = shapley_interactions(answers, inputs, labels=labels, measure=accuracy)
    np.testing.assert_allclose(pairs, [[0.25, -0.5], [-0.5, 0.75]])


def test_orders_and_their_reverses_are_exact_where_modalities_interact_in_pairs():
    single = dict(zip(MANY, np.random.default_rng(0).normal(size=10)))
    double = random_game(MANY, seed=1)

    def worth(there):
        pairs = map(frozenset, itertools.combinations(sorted(there), 2))
        return sum(map(single.get, there)) + sum(map(double, pairs))

    found = shapley_values(played(worth), rows(MANY), permutations=4)
    expected = [
        single[i] + sum(double(frozenset((i, j))) for j in MANY if j != i) / 2
        for i in MANY
    ]
    np.testing.assert_allclose(found.values[0], expected)
    assert np.abs(found.standard_error).max() < 1e-7


def test_sampled_values_agree_within_their_error():
    names = MANY[:9]
    single = dict(zip(names, np.linspace(-1, 1, 9)))

    def worth(there):  # triples share what they are worth
        return sum(map(single.get, there)) + 6 * {"a", "b", "c"}.issubset(there)

    expected = np.array([single[i] + 2 * (i in "abc") for i in names])
    few, many = (
        shapley_values(played(worth), rows(names), permutations=p, seed=3)
        for p in (64, 1024)
    )
    for found in few, many:
        errors, distance = found.standard_error[0], np.abs(found.values[0] - expected)
        assert np.all(errors[:3] > 0) and np.all(distance <= 4 * errors + 1e-9)
        assert np.all(distance[3:] < 1e-9)
        whole = worth(frozenset(names)) - worth(frozenset())
        assert found.values.sum() == pytest.approx(whole)
    ratio = few.standard_error[0, :3] / many.standard_error[0, :3]
    assert np.all((ratio > 2.5) & (ratio < 6.4))  # of 4


def test_interactions_are_those_of_the_definition():
    names = "abcd"
    worth = random_game(names)
    found = shapley_interactions(played(worth), rows(names))[0]
    np.testing.assert_allclose(np.diag(found), by_orders(worth, names))
    np.testing.assert_allclose(found, found.T)
    for i, j in itertools.permutations(names, 2):
        # i and j as one player beside the two others: orders of three players
        others = [name for name in names if name not in (i, j)]
        total = 0.0
        for order in itertools.permutations([*others, "pair"]):
            before = frozenset(order[: order.index("pair")])
            total += worth(before | {i, j}) - worth(before | {i})
            total += worth(before) - worth(before | {j})
        place = names.index(i), names.index(j)
        assert found[place] == pytest.approx(total / 6)


def test_who_needs_whom():
    def worth(there):
        return 2.0 * ({"a", "b"} <= there) - ({"b", "c"} <= there) + len(there)

    found = shapley_interactions(played(worth), rows("abc"))[0]
    np.testing.assert_allclose(found[0], [2, 2, 0], atol=1e-12)
    assert found[1, 2] == pytest.approx(-1)


def test_a_graph_is_asked_as_a_whole():
    model = zoo.GraphNodeClassifier(
        {"text": (4,), "links": (3,)}, 2, units=4, modality_mask=True
    )
    inputs = draw({"text": (4,), "links": (3,)}, rows=5)
    inputs["edge_index"] = np.array([[0, 1, 2, 3], [1, 2, 3, 4]], "int32")
    found = shapley_values(randomize(model), inputs)
    there = np.ones((5, 2), bool)
    full = keras.ops.convert_to_numpy(model(inputs | {"modality_mask": there}))
    assert_close(found.base + found.values.sum(axis=1), full)


def test_one_output_of_several(model):
    several = keras.Model(
        model.input, {"classes": model.output, "twice": 2 * model.output}
    )
    inputs = draw(VECTORS)
    once = shapley_values(several, inputs, output="classes").values
    twice = shapley_values(several, inputs, output="twice").values
    assert_close(twice, 2 * once)
    with pytest.raises(
        ValueError, match=r"one of \['classes', 'twice'\]; received None"
    ):
        shapley_values(several, inputs)


def test_what_does_not_fit_is_refused(model):
    inputs = draw(VECTORS)
    plain = zoo.FusionClassifier(VECTORS, 3)
    for function in shapley_values, shapley_interactions:
        with pytest.raises(ValueError, match="build it with modality_mask=True"):
            function(plain, inputs)
        with pytest.raises(ValueError, match="received only `labels`"):
            function(model, inputs, labels=np.zeros(3, int))
        with pytest.raises(ValueError, match=r"missing \['c'\]"):
            function(model, {m: inputs[m] for m in "ab"})
        with pytest.raises(ValueError, match=r"shape \(B, 3\).*received \(3, 2\)"):
            function(model, inputs | {"modality_mask": np.ones((3, 2), bool)})
        with pytest.raises(ValueError, match="as many rows"):
            function(model, inputs | {"a": inputs["a"][:2]})
    with pytest.raises(ValueError, match="an even number from 4.*received 5"):
        shapley_values(model, inputs, permutations=5)
    with pytest.raises(ValueError, match="at most 8 modalities; received 9"):
        shapley_interactions(played(len), rows(MANY[:9]))
