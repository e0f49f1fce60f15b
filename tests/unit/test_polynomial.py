"""The odd polynomial: a bijection, its inverse, and the sharing of trainings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tilesearch.problems.base import Batch
from tilesearch.problems.polynomial import mangle, true_coefficients, unmangle
from tilesearch.samplers import make
from tilesearch.space import Parameter, Space
from tilesearch.training.boosting import BoostingTrainer, PolynomialTrainer

coefficients = st.lists(st.floats(0.5, 1.5), min_size=1, max_size=6)


@settings(deadline=None)  # a busy machine is no failure
@given(coefficients, st.lists(st.floats(-10, 10), min_size=1, max_size=20))
def test_the_inverse_is_exact_to_1e_10(c, y):
    assert np.abs(unmangle(mangle(y, c), c) - y).max() <= 1e-10


@settings(deadline=None)  # a busy machine is no failure
@given(coefficients, st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_the_inverse_agrees_with_a_bracketing_solver(c, values):
    for value, y in zip(values, unmangle(values, c), strict=True):
        bound = abs(value) / c[0] + 1
        root = brentq(lambda t, v=value: mangle(t, c) - v, -bound, bound, xtol=1e-14, rtol=1e-14)
        assert y == pytest.approx(root, rel=1e-9, abs=1e-10)


def test_the_inverse_is_monotone_odd_and_broadcasts():
    values = np.linspace(-50, 50, 1001)
    c = np.array([[0.5, 1.5, 0.7], [1.0, 0.5, 1.2]])
    y = unmangle(values[None, :], c[:, None, :])
    assert y.shape == (2, 1001)
    assert (np.diff(y, axis=1) > 0).all()
    np.testing.assert_allclose(y, -y[:, ::-1], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(y[1], unmangle(values, c[1]))


def test_mangling_is_the_sum_of_odd_powers():
    y = np.linspace(-1.5, 1.5, 31)
    expected = 0.6 * y + 1.1 * y**3 + 1.4 * y**5
    np.testing.assert_allclose(mangle(y, [0.6, 1.1, 1.4]), expected, rtol=1e-13)


def test_a_coefficient_must_be_positive():
    with pytest.raises(ValueError, match="must be positive"):
        unmangle([1.0], [1.0, 0.0])


def test_true_coefficients_lie_in_the_middle_and_differ_by_batch():
    drawn = np.array([true_coefficients(6, 1, "housing", "d8", b) for b in range(300)])
    assert drawn.min() >= 0.6
    assert drawn.max() <= 1.4
    assert drawn.mean() == pytest.approx(1.0, abs=0.03)
    assert len(np.unique(drawn[:, 0])) == 300


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    y = x[:, 0] + 0.5 * x[:, 1] ** 2 + 0.1 * rng.normal(size=300)
    parts = [{"x": x[s], "y": y[s]} for s in (slice(200), slice(200, 250), slice(250, 300))]
    return Batch(*parts)


OPTIONS = {"task": "regression", "settings": {"rounds": 40, "patience": 10}, "seed": 1}


@pytest.mark.parametrize("d", [3, 4])
def test_a_grid_of_r_to_the_d_points_trains_at_most_r_squared_models(batch, d):
    parameters = [Parameter("learning_rate", 0.05, 0.3), Parameter("max_depth", 1, 4, "int")]
    parameters += [Parameter(f"c{k + 1}", 0.5, 1.5) for k in range(d - 2)]
    space = Space("s", tuple(parameters))
    values = space.values(make("grid", d).random(4**d))
    points = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    trainer = PolynomialTrainer(batch, true=np.ones(d - 2), **OPTIONS)
    outcomes = list(trainer.evaluate(points))
    assert len(outcomes) == 4**d
    assert {o.point for o in outcomes} == set(range(4**d))
    assert 0 < trainer.trainings <= 4**2
    assert all(np.isfinite(o.loss) for o in outcomes)


def test_the_true_coefficients_give_nearly_the_smallest_loss(batch):
    true = np.array([1.2, 0.7])
    trainer = PolynomialTrainer(batch, true=true, **OPTIONS)
    rates = {"learning_rate": 0.1, "max_depth": 3}
    grid = [(a, b) for a in np.linspace(0.5, 1.5, 11) for b in np.linspace(0.5, 1.5, 11)]
    points = [{**rates, "c1": a, "c2": b} for a, b in [tuple(true), *grid]]
    losses = np.array([o.loss for o in sorted(trainer.evaluate(points), key=lambda o: o.point)])
    assert losses[0] <= 1.05 * losses.min()
    assert losses.max() > 1.5 * losses[0]
    assert trainer.trainings == 1


def test_one_coefficient_of_one_is_the_plain_training(batch):
    point = {"learning_rate": 0.1, "max_depth": 3}
    (plain,) = BoostingTrainer(batch, **OPTIONS).evaluate([point])
    (odd,) = PolynomialTrainer(batch, true=np.ones(1), **OPTIONS).evaluate([{**point, "c1": 1.0}])
    # The target is only rescaled, which LightGBM's splits hardly notice.
    assert odd.loss == pytest.approx(plain.loss, rel=1e-3)
