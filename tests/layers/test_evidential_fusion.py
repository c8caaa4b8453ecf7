import itertools

import numpy as np
import pytest
from keras import ops

from keras_fusion.layers import EvidentialFusion
from tests.conftest import assert_close, to_numpy

RULES = "dempster", "averaging", "cumulation"
each_rule = pytest.mark.parametrize("rule", RULES)
CLASSES = 4


def drawn(count=3, rows=5, seed=0):
    rng = np.random.default_rng(seed)
    return [3 * rng.gamma(1, size=(rows, CLASSES)) for _ in range(count)]


def asked(evidence, rule="dempster", **call):
    tensors = [ops.convert_to_tensor(e.astype("float32")) for e in evidence]
    return [to_numpy(x) for x in EvidentialFusion(rule)(tensors, **call)]


def pair_by_dempster(b1, u1, b2, u2):
    """The rule of TMC for two opinions, as the paper writes it."""
    conflict = sum(b1[i] * b2[j] for i, j in itertools.permutations(range(CLASSES), 2))
    scale = 1 / (1 - conflict)
    return scale * (b1 * b2 + b1 * u2 + b2 * u1), scale * u1 * u2


def pair_by_averaging(b1, u1, b2, u2):
    """The rule of ECML for two opinions, as the paper writes it."""
    return (b1 * u2 + b2 * u1) / (u1 + u2), 2 * u1 * u2 / (u1 + u2)


def opinion(evidence):
    total = evidence.sum() + CLASSES
    return evidence / total, CLASSES / total


def expected(belief, uncertainty):
    return belief + uncertainty / CLASSES


def test_dempsters_rule_is_that_of_the_paper():
    evidence = drawn()
    probabilities, uncertainty, _ = asked(evidence)
    for row in range(5):
        b, u = opinion(evidence[0][row])
        for other in evidence[1:]:
            b, u = pair_by_dempster(b, u, *opinion(other[row]))
        assert_close(probabilities[row], expected(b, u).astype("float32"))
        assert_close(uncertainty[row : row + 1], np.float32([u]))


def test_averaging_is_that_of_the_paper():
    evidence = drawn(2)
    probabilities, uncertainty, _ = asked(evidence, "averaging")
    for row in range(5):
        opinions = [opinion(e[row]) for e in evidence]
        b, u = pair_by_averaging(*opinions[0], *opinions[1])
        assert_close(probabilities[row], expected(b, u).astype("float32"))
        assert_close(uncertainty[row : row + 1], np.float32([u]))


def test_cumulation_adds_evidence():
    evidence = drawn()
    alpha = sum(evidence) + 1
    probabilities, uncertainty, _ = asked(evidence, "cumulation")
    total = alpha.sum(axis=1)
    assert_close(probabilities, (alpha / total[:, None]).astype("float32"))
    assert_close(uncertainty, (CLASSES / total).astype("float32"))


def test_conflict_is_that_of_the_paper():
    evidence = drawn(3)
    _, _, conflict = asked(evidence)
    means = [(e + 1) / (e + 1).sum(1, keepdims=True) for e in evidence]
    unsure = [CLASSES / (e + 1).sum(1) for e in evidence]
    pairs = [
        np.abs(means[a] - means[b]).sum(1) / 2 * (1 - unsure[a]) * (1 - unsure[b])
        for a, b in itertools.combinations(range(3), 2)
    ]
    assert_close(conflict, np.mean(pairs, axis=0).astype("float32"))
    same = asked([evidence[0], evidence[0]])[2]
    assert_close(same, np.zeros(5, "float32"))
    sure = np.array([[1e4, 0, 0, 0]]), np.array([[0, 0, 0, 1e4]])
    assert asked(sure)[2][0] > 0.99


@each_rule
def test_the_order_is_free(rule):
    evidence = drawn()
    for order in itertools.permutations(evidence):
        for found, first in zip(asked(order, rule), asked(evidence, rule)):
            assert_close(found, first)


@each_rule
def test_an_absent_modality_is_as_if_it_were_not_there(rule):
    evidence = drawn()
    mask = np.ones((5, 3), bool)
    mask[:, 1] = False
    nothing = [evidence[0], np.full((5, CLASSES), np.nan), evidence[2]]
    found = asked(nothing, rule, modality_mask=ops.convert_to_tensor(mask))
    for x, there in zip(found, asked([evidence[0], evidence[2]], rule)):
        assert_close(x, there)


@pytest.mark.parametrize("rule", ["dempster", "cumulation"])
def test_a_vacuous_opinion_is_neutral(rule):
    evidence = drawn(2)
    vacuous = np.zeros((5, CLASSES))
    found, without = asked([*evidence, vacuous], rule), asked(evidence, rule)
    for x, there in zip(found[:2], without):
        assert_close(x, there)


@each_rule
def test_with_nothing_there_it_knows_nothing(rule):
    mask = ops.convert_to_tensor(np.zeros((5, 3), bool))
    probabilities, uncertainty, conflict = asked(drawn(), rule, modality_mask=mask)
    assert_close(probabilities, np.full((5, CLASSES), 0.25, "float32"))
    assert_close(uncertainty, np.ones(5, "float32"))
    assert_close(conflict, np.zeros(5, "float32"))


def test_evidence_below_zero_is_none_and_much_of_it_is_finite():
    negative = asked([-drawn(1)[0], np.zeros((5, CLASSES))])
    assert_close(negative[1], np.ones(5, "float32"))
    huge = asked([np.full((1, CLASSES), 1e9)] * 12)
    assert all(np.isfinite(x).all() for x in huge)


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="rule.*dempster.*received 'yager'"):
        EvidentialFusion("yager")
