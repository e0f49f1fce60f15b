from itertools import combinations

import numpy as np
import pytest
from analysis_studies import failing, study

from tilesearch.analysis.budget import budget_interval, budgets, expected_minima, invert, said
from tilesearch.analysis.scores import minima


def test_expected_minima_equal_the_mean_over_all_subsets():
    losses = np.random.default_rng(0).random(7)
    losses[3] = losses[5]  # a tie
    for m, found in enumerate(expected_minima(losses), start=1):
        subsets = [min(subset) for subset in combinations(losses, m)]
        assert found == pytest.approx(np.mean(subsets), rel=1e-12)


def test_expected_minima_of_uniform_points_are_those_of_theory():
    # E[min of m uniforms] = 1 / (m + 1), and the estimate is unbiased.
    rng = np.random.default_rng(1)
    found = np.mean([expected_minima(rng.random(40)) for _ in range(2000)], axis=0)
    np.testing.assert_allclose(found, 1 / (np.arange(1, 41) + 1), atol=0.02, rtol=0.1)


def test_large_pools_neither_overflow_nor_rise():
    curve = expected_minima(np.random.default_rng(0).random(2000), 1500)
    assert np.isfinite(curve).all()
    assert (np.diff(curve) <= 1e-12).all()


@pytest.mark.parametrize("m", [1, 2, 5, 6])
def test_invert_undoes_the_curve(m):
    curve = expected_minima(np.random.default_rng(2).random(6))
    assert invert(curve, curve[m - 1]) == pytest.approx(m)


def test_invert_gives_bounds_beyond_the_curve():
    assert invert([2.0, 1.0], 0.9) == np.inf
    assert invert([2.0, 1.0], 2.1) == -np.inf
    assert invert([1.0], 1.0) == 1
    assert invert([1.0, 1.0, 1.0], 1.0) == 1


def test_the_interval_of_random_covers_its_own_number():
    # A bowl whose floor moves; 20 random points against a pool of 60 others. The t-interval
    # falls a little short of 0.95, as minima are skewed.
    rng = np.random.default_rng(3)
    for batches in (5, 20):
        covered = 0
        for _ in range(200):
            loss = 1 + (
                (rng.random((batches, 80, 2)) - rng.uniform(0.3, 0.7, (batches, 1, 2))) ** 2
            ).sum(2)
            curve = np.array([expected_minima(pool) for pool in loss[:, 20:]])
            low, high = budget_interval(curve, loss[:, :20].min(axis=1))
            covered += low <= 20 <= high
        assert 0.87 < covered / 200 <= 1


def test_the_budget_of_random_is_one_within_its_error():
    evaluations = study(batches=40, resolutions=(2, 3, 4, 5), samplers=("random",))
    table = budgets(evaluations, minima(evaluations))
    # The largest design leaves too few others to compare with, which must be said.
    assert (table["ratio_low"] <= 1).all()
    assert (table["ratio_high"] >= 1).all()
    inner = table[table["n"] < 25]
    assert np.isfinite(inner["ratio"]).all()
    assert inner["ratio"].between(0.6, 1.7).all()


def test_a_design_worth_twice_its_points_gets_twice_the_budget():
    evaluations = study(batches=60, resolutions=(2, 3, 4, 5), better=("rsa",), worth=2)
    table = budgets(evaluations, minima(evaluations)).set_index(["sampler", "n"])
    for n in (4, 9, 16):
        row = table.loc[("rsa", n)]
        assert row["ratio_low"] < 2 < row["ratio_high"]
        assert row["ratio"] == pytest.approx(2, rel=0.45)
        assert row["ratio_low"] > 0.99


def test_beyond_the_pool_there_is_a_bound():
    evaluations = study(batches=10, resolutions=(2, 3), better=("rsa",), worth=500)
    table = budgets(evaluations, minima(evaluations)).set_index(["sampler", "n"])
    row = table.loc[("rsa", 9)]
    assert row["text"] == "> 13"
    assert row["budget"] == np.inf
    assert row["interval"] == "> 13"


def test_worse_than_one_point_is_a_bound_too():
    evaluations = study(batches=10, resolutions=(2, 3))
    evaluations.loc[evaluations["sampler"] == "grid", "loss"] += 10
    table = budgets(evaluations, minima(evaluations)).set_index(["sampler", "n"])
    assert table.loc[("grid", 4), "text"] == "< 1"


def test_a_design_of_random_is_not_in_its_own_pool():
    evaluations = study(batches=5)
    table = budgets(evaluations, minima(evaluations)).set_index(["sampler", "n"])
    assert table.loc[("random", 4), "pool"] == 9
    assert table.loc[("random", 9), "pool"] == 4
    assert table.loc[("lhs", 9), "pool"] == 13


def test_failed_random_points_count_as_the_worst_and_are_said():
    evaluations = study(batches=5)
    lost = (evaluations["sampler"] == "random") & (evaluations["point"] == 0)
    table = budgets(failing(evaluations, lost), minima(failing(evaluations, lost)))
    assert (table["pool"].loc[table["sampler"] == "lhs"] == 13).all()
    assert all("10 failed random points" in note for note in table["note"])


def test_one_batch_gives_a_number_without_an_interval():
    evaluations = study(batches=1)
    table = budgets(evaluations, minima(evaluations))
    assert (table["interval"] == "unknown").all()
    assert all("one batch" in note for note in table["note"])


@pytest.mark.parametrize("losses", [[], [1.0, np.nan], [1.0, np.inf]])
def test_a_pool_without_finite_losses_is_refused(losses):
    with pytest.raises(ValueError, match="all finite"):
        expected_minima(losses)


def test_an_unknown_budget_is_said():
    assert said(float("nan"), 5) == "unknown"


def test_equal_losses_are_worth_one_point():
    curve = expected_minima(np.full(87, 0.1 + 0.2))
    assert (curve == 0.1 + 0.2).all()
    assert invert(curve, 0.1 + 0.2) == 1
