"""Blue noise: the elimination against a plain version, and what it is good for."""

import copy

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from tilesearch.samplers.blue_noise import ALPHA, BETA, GAMMA, BlueNoise, densest_radius


def plainly_eliminated(candidates, n):
    d = candidates.shape[1]
    high = 2 * densest_radius(n, d)
    low = high * BETA * (1 - (n / len(candidates)) ** GAMMA)
    distance = cdist(candidates, candidates)
    weight = np.where(distance < high, (1 - np.maximum(distance, low) / high), 0.0) ** ALPHA
    np.fill_diagonal(weight, 0.0)
    left = list(range(len(candidates)))
    while len(left) > n:
        left.pop(int(np.argmax(weight[np.ix_(left, left)].sum(axis=1))))
    return candidates[left]


@pytest.mark.parametrize(("d", "n"), [(1, 9), (2, 20), (3, 15), (6, 12)])
def test_equals_the_plain_version(d, n):
    sampler = BlueNoise(d, rng=3)
    candidates = copy.deepcopy(sampler.rng).random((5 * n, d))
    np.testing.assert_array_equal(sampler.random(n), plainly_eliminated(candidates, n))


@pytest.mark.parametrize(("d", "n"), [(1, 1), (2, 1), (2, 2), (2, 100), (5, 50), (8, 40), (12, 10)])
def test_exactly_n_points_farther_apart_than_random_ones(d, n):
    points = BlueNoise(d, rng=1).random(n)
    assert points.shape == (n, d)
    assert points.min() >= 0.0
    assert points.max() < 1.0
    if n > 2:
        random = np.random.default_rng(1).random((n, d))
        assert pdist(points).min() > pdist(random).min()


def test_distance_reaches_most_of_the_densest_packing():
    points = BlueNoise(2, rng=2).random(200)
    assert pdist(points).min() > 0.65 * 2 * densest_radius(200, 2)


def test_periodic_points_keep_their_distance_across_the_faces():
    for boundary, across in [("periodic", True), ("free", False)]:
        points = BlueNoise(2, boundary=boundary, rng=1).random(100)
        shifted = points + np.array([1.0, 0.0])
        gap = cdist(points, shifted).min()
        assert (gap > 0.6 * 2 * densest_radius(100, 2)) == across


def test_same_seed_same_points_reset_and_new_sets():
    sampler = BlueNoise(2, rng=7)
    first = sampler.random(20)
    assert not np.array_equal(first, sampler.random(20))
    sampler.reset()
    np.testing.assert_array_equal(sampler.random(20), first)


@pytest.mark.parametrize(
    "options", [{"d": 0}, {"d": 2, "surplus": 1}, {"d": 2, "surplus": 2.5}, {"d": 2, "boundary": 1}]
)
def test_bad_options(options):
    with pytest.raises(ValueError, match=r"d is|surplus is|boundary is"):
        BlueNoise(**options)
