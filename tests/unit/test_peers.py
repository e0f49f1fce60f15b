"""The defining property of each peer sampler."""

import warnings

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import qmc

from tilesearch.samplers import LHS, Grid, Halton, Hammersley, MaximinLHS, Rd, Sobol, make
from tilesearch.samplers.grid import axis_values, levels_for
from tilesearch.samplers.lhs import _total_energy
from tilesearch.samplers.lowdiscrepancy import generalised_golden_ratio


def is_latin(points):
    n = len(points)
    slices = (points * n).astype(int)
    return all(sorted(column) == list(range(n)) for column in slices.T.tolist())


@pytest.mark.parametrize(("levels", "d"), [(2, 8), (3, 5), (5, 3), (10, 2), (7, 1)])
def test_grid_is_full_for_powers(levels, d):
    for ends in (True, False):
        points = Grid(d, ends=ends, rng=1).random(levels**d)
        axes = [axis_values(levels, ends=ends)] * d
        full = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
        np.testing.assert_array_equal(points, full)


def test_grid_positions():
    np.testing.assert_allclose(axis_values(3), [0, 0.5, 1], atol=1e-15)
    np.testing.assert_allclose(axis_values(3, ends=False), [1 / 6, 1 / 2, 5 / 6])
    assert axis_values(1).tolist() == [0.5]
    assert axis_values(2).max() < 1


def test_grid_is_thinned_without_repeats():
    full = {tuple(point) for point in Grid(3).random(64).tolist()}
    thin = [tuple(point) for point in Grid(3, rng=2).random(50).tolist()]
    assert len(set(thin)) == 50
    assert set(thin) < full
    assert thin == sorted(thin)


def test_thinning_takes_each_cell_equally_often():
    counts = np.zeros(4)
    for seed in range(400):
        points = Grid(2, ends=False, rng=seed).random(3)
        counts += np.bincount((points > 0.5) @ [2, 1], minlength=4)
    assert counts.sum() == 1200
    assert (abs(counts - 300) < 5 * np.sqrt(400 * 0.75 * 0.25)).all()


def test_thinning_does_not_list_the_whole_grid():
    points = Grid(62, rng=1).random(2)  # 2^62 cells
    assert points.shape == (2, 62)
    assert len(np.unique(points, axis=0)) == 2


@pytest.mark.parametrize("d", range(1, 9))
def test_levels_are_the_smallest_that_hold_n(d):
    for n in [*range(1, 300), 10**6, 10**6 + 1, 3**d, 3**d + 1, 10**d, 10**d - 1]:
        levels = levels_for(n, d)
        assert levels**d >= n
        assert levels == 1 or (levels - 1) ** d < n


def test_bad_grid_options():
    with pytest.raises(ValueError, match="ends is 'yes', it must be True or False"):
        Grid(2, ends="yes")
    with pytest.raises(ValueError, match="d is 63, it must be at most 62"):
        Grid(63)


@pytest.mark.parametrize("name", ["lhs", "lhs-optimised", "lhs-maximin"])
@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 3), (17, 1), (36, 2), (50, 5), (32, 8)])
def test_latin_hypercubes_hit_each_slice_once(name, n, d):
    assert is_latin(make(name, d, rng=3).random(n))


def test_optimised_lhs_lowers_the_discrepancy():
    plain = [qmc.discrepancy(LHS(2, rng=k).random(30)) for k in range(5)]
    better = [qmc.discrepancy(make("lhs-optimised", 2, rng=k).random(30)) for k in range(5)]
    assert max(better) < min(plain)


@pytest.mark.parametrize(("n", "d", "factor"), [(36, 2, 3), (64, 3, 2.5), (100, 8, 1.5)])
def test_maximin_lhs_keeps_points_apart(n, d, factor):
    plain = np.mean([pdist(LHS(d, rng=k).random(n)).min() for k in range(5)])
    apart = np.mean([pdist(MaximinLHS(d, rng=k).random(n)).min() for k in range(2)])
    assert apart > factor * plain


def test_maximin_lhs_reaches_the_known_optimum():
    # van Dam et al. 2007 (Operations Research 55): the best 5-point maximin Latin hypercube in
    # 2-d has squared distance 5 on the integer lattice. The jitter within slices changes a
    # distance by at most sqrt(2) slices.
    points = MaximinLHS(2, effort=1000, rng=1).random(5)
    lattice = np.floor(points * 5)
    assert pdist(lattice).min() ** 2 == pytest.approx(5)


def test_maximin_effort_pays():
    def apart(effort):
        return np.mean(
            [pdist(MaximinLHS(3, effort=effort, rng=k).random(120)).min() for k in (1, 2)]
        )

    assert apart(300) > apart(1)


def test_energy_of_maximin_is_the_naive_sum():
    points = np.random.default_rng(0).random((3, 12))
    rows = np.empty(12)
    total = _total_energy(points, rows, np.empty(12))
    naive = (pdist(points.T) ** -16.0).sum()
    assert total == pytest.approx(naive, rel=1e-9)
    assert rows.sum() == pytest.approx(2 * naive, rel=1e-9)


def test_bad_lhs_options():
    with pytest.raises(ValueError, match="optimization is 'lloyd'"):
        LHS(2, optimization="lloyd")
    for effort in (0, 1.5, True):
        with pytest.raises(ValueError, match="effort is"):
            MaximinLHS(2, effort=effort)


@pytest.mark.parametrize(("cls", "scipys"), [(Sobol, qmc.Sobol), (Halton, qmc.Halton)])
@pytest.mark.parametrize("n", [1, 2, 5, 36, 64])
def test_sequences_are_scipys(cls, scipys, n):
    # Each engine spawns a generator of its own from the one it is given: ours, then scipy's.
    parent = np.random.default_rng(5).spawn(1)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # n is no power of 2
        expected = scipys(3, rng=parent).random(n)
    points = cls(3, rng=np.random.default_rng(5)).random(n)
    np.testing.assert_array_equal(points, expected)


@pytest.mark.parametrize("n", [2, 16, 128])
def test_sobol_is_balanced_for_powers_of_two(n):
    assert is_latin(Sobol(5, rng=2).random(n))


@pytest.mark.parametrize("base_axis", [(2, 0), (3, 1), (5, 2)])
def test_halton_is_balanced_in_each_base(base_axis):
    base, axis = base_axis
    column = Halton(3, rng=4).random(base**2)[:, axis]
    assert sorted((column * base**2).astype(int).tolist()) == list(range(base**2))


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 10, 37])
def test_hammersley_has_one_even_axis(n, d):
    points = Hammersley(d, rng=8).random(n)
    shift = points[0, 0] * n
    assert 0 <= shift < 1
    np.testing.assert_allclose(points[:, 0], (np.arange(n) + shift) / n, atol=1e-15)


def test_golden_ratios():
    # golden ratio, plastic number (Roberts 2018)
    assert generalised_golden_ratio(1) == pytest.approx((1 + 5**0.5) / 2, abs=1e-15)
    assert generalised_golden_ratio(2) == pytest.approx(1.32471795724474602596, abs=1e-15)
    for d in range(1, 30):
        root = generalised_golden_ratio(d)
        assert root ** (d + 1) == pytest.approx(root + 1, rel=1e-13)


def test_rd_advances_by_a_constant_step():
    points = Rd(2, rng=3).random(50)
    steps = np.diff(points, axis=0) % 1.0
    expected = 1.32471795724474602596 ** -np.array([1.0, 2.0])
    np.testing.assert_allclose(steps, np.broadcast_to(expected, steps.shape), atol=1e-12)


@pytest.mark.parametrize("cls", [Sobol, Halton, Hammersley, Rd])
def test_low_discrepancy_beats_random(cls):
    random = np.mean([qmc.discrepancy(make("random", 2, rng=k).random(64)) for k in range(5)])
    low = np.mean([qmc.discrepancy(cls(2, rng=k).random(64)) for k in range(5)])
    assert low < 0.5 * random
