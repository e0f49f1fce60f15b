import itertools
import math

import numpy as np
import pytest
from analysis_studies import study
from scipy import stats

from tilesearch.analysis.scores import minima, scores
from tilesearch.analysis.uncertainty import (
    bca_interval,
    choose,
    exponential_fit,
    exponential_interval,
    gaussian_interval,
    merged_edges,
    uncertainties,
)


def coverage(interval, draw, truth, studies):
    ends = np.array([interval(draw()) for _ in range(studies)])
    return np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))


# The bounds are 3.5 standard deviations of a proportion of the given number of studies or more.


@pytest.mark.parametrize("n", [3, 10])
def test_gaussian_interval_covers_the_mean_at_its_level(n):
    rng = np.random.default_rng(1)
    found = coverage(gaussian_interval, lambda: rng.normal(3, 2, n), 3, 1200)
    assert 0.928 < found < 0.972


@pytest.mark.parametrize("n", [2, 10])
def test_exponential_interval_covers_the_mean_at_its_level(n):
    rng = np.random.default_rng(2)
    found = coverage(exponential_interval, lambda: rng.exponential(0.1, n), 0.1, 1200)
    assert 0.928 < found < 0.972


def test_bca_interval_covers_a_skewed_mean_nearly_at_its_level():
    # BCa is second-order accurate: at n = 30 it falls short of 0.95 by one to three points.
    rng = np.random.default_rng(3)
    found = coverage(
        lambda x: bca_interval(x, resamples=400, rng=rng), lambda: rng.exponential(1, 30), 1, 400
    )
    assert 0.89 < found < 0.985


@pytest.mark.parametrize("n", [44, 200])
def test_the_fit_of_true_exponentials_is_rejected_at_its_level(n):
    rng = np.random.default_rng(n)
    p = np.array([exponential_fit(rng.exponential(0.1, n)).p_value for _ in range(1000)])
    assert 0.025 < np.mean(p < 0.05) < 0.08
    # Not only the tail: the p-values are nearly uniform.
    assert stats.kstest(p, "uniform").statistic < 0.08


def test_the_switch_takes_the_right_one_on_known_distributions():
    rng = np.random.default_rng(5)
    exponential = [choose(exponential_fit(rng.exponential(1, 44)).p_value) for _ in range(200)]
    gaussian = [choose(exponential_fit(rng.normal(1, 0.2, 44)).p_value) for _ in range(200)]
    assert exponential.count("exponential") > 175
    assert gaussian.count("gaussian") > 195


def test_the_threshold_decides():
    rows = minima(study(batches=44, resolutions=(4,)))
    always = uncertainties(rows, threshold=0.0, resamples=50)
    never = uncertainties(rows, threshold=1.0, resamples=50)
    assert set(always["chosen"]) == {"exponential"}
    assert set(never["chosen"]) == {"gaussian"}
    np.testing.assert_allclose(always["chosen_error"], (always["mean"] - 1) / np.sqrt(44))
    np.testing.assert_allclose(never["chosen_error"], never["error"])


@pytest.mark.parametrize("n", [16, 20, 44, 300])
def test_every_merged_bin_expects_five(n):
    rng = np.random.default_rng(n)
    for _ in range(50):
        values = rng.exponential(2.0, n)
        edges = merged_edges(n, values.mean(), values.max())
        expected = n * np.diff(stats.expon.cdf(edges, scale=values.mean()))
        assert expected.min() >= 5 * (1 - 1e-9)
        assert expected.sum() == pytest.approx(n)
        assert edges[0] == 0
        assert np.isinf(edges[-1])


def test_the_chi_square_test_equals_one_by_hand():
    values = np.random.default_rng(0).exponential(1, 60)
    fit = exponential_fit(values)
    edges = merged_edges(60, values.mean(), values.max())
    chi2 = 0.0
    for low, high in itertools.pairwise(edges):
        observed = sum(1 for v in values if low <= v < high)
        expected = 60 * (math.exp(-low / values.mean()) - math.exp(-high / values.mean()))
        chi2 += (observed - expected) ** 2 / expected
    assert fit.chi2 == pytest.approx(chi2)
    assert fit.bins == len(edges) - 1
    assert fit.p_value == pytest.approx(stats.chi2.sf(chi2, fit.bins - 2))


def test_many_zeros_speak_against_an_exponential():
    values = np.concatenate([np.zeros(30), np.random.default_rng(0).exponential(1, 30)])
    assert exponential_fit(values).p_value < 0.01


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([], "no p-value: no batch"),
        ([0.1], "1 batch is too few"),
        ([0.1] * 10, "10 batches are too few"),
        ([0.0] * 50, "all scaled minima are 0"),
    ],
)
def test_without_a_test_the_fit_says_why(values, note):
    fit = exponential_fit(values)
    assert math.isnan(fit.p_value)
    assert note in fit.note


def test_negative_scaled_minima_are_refused():
    with pytest.raises(ValueError, match="finite and 0 or more"):
        exponential_fit([0.1, -0.2])


def test_uncertainties_extend_the_scores_and_do_not_depend_on_the_order_of_rows():
    rows = minima(study(batches=20, resolutions=(2, 4)))
    table = uncertainties(rows, resamples=200)
    plain = scores(rows)
    np.testing.assert_array_equal(table["mean"], plain["mean"])
    assert ((table["bca_low"] <= table["mean"]) & (table["mean"] <= table["bca_high"])).all()
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
    shuffled = uncertainties(rows.sample(frac=1, random_state=0), resamples=200)
    np.testing.assert_allclose(shuffled["low"], table["low"])


@pytest.mark.parametrize("bad", [{"threshold": 1.5}, {"level": 1.0}])
def test_numbers_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="is 1"):
        uncertainties(minima(study(batches=2)), **bad)
