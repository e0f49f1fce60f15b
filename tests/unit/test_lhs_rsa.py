"""LHS-RSA: a Latin hypercube first, a packing second."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from tilesearch.samplers import make
from tilesearch.samplers.lhs_rsa import LHSRSA
from tilesearch.samplers.rsa import RSA


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 8), st.integers(1, 60), st.integers(0, 99))
def test_every_slice_holds_one_point_and_the_distance_is_kept(d, n, seed):
    sampler = LHSRSA(d, rng=seed)
    points = sampler.random(n)
    assert points.shape == (n, d)
    slices = np.sort(np.floor(points * n).astype(int), axis=0)
    np.testing.assert_array_equal(slices, np.tile(np.arange(n)[:, None], d))
    if n > 1:
        assert pdist(points).min() >= 2 * sampler.radius > 0.0


@pytest.mark.parametrize(("d", "n"), [(2, 49), (3, 64), (5, 32), (8, 64)])
def test_distance_lies_between_lhs_and_rsa(d, n):
    latin = np.mean([pdist(make("lhs", d, rng=s).random(n)).min() for s in range(4)])
    both, packed = LHSRSA(d, rng=0), RSA(d, rng=0)
    both.random(n)
    packed.random(n)
    assert 1.5 * latin < 2 * both.radius
    assert 0.5 * packed.radius < both.radius < packed.radius


def test_cells_and_jitter_are_not_biased():
    points = np.concatenate([LHSRSA(2, rng=s).random(8) for s in range(300)])
    jitter = points * 8 % 1.0
    # the marginal of an axis is uniform; 5 standard errors of a uniform's mean
    assert np.abs(points.mean(axis=0) - 0.5).max() < 0.01
    assert np.abs(jitter.mean() - 0.5) < 5 * np.sqrt(1 / 12 / jitter.size)


def test_same_seed_same_points_reset_and_new_sets():
    sampler = LHSRSA(3, rng=7)
    first = sampler.random(20)
    assert not np.array_equal(first, sampler.random(20))
    sampler.reset()
    assert sampler.radius is None
    np.testing.assert_array_equal(sampler.random(20), first)


@pytest.mark.parametrize("options", [{"d": 0}, {"d": 9}, {"d": 2, "tolerance": 0}])
def test_bad_options(options):
    with pytest.raises(ValueError, match=r"d is|tolerance is"):
        LHSRSA(**options)


@pytest.mark.parametrize("n", [0, 1.5])
def test_bad_counts(n):
    with pytest.raises(ValueError, match="n is"):
        LHSRSA(2).random(n)
