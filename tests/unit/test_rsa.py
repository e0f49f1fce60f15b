"""RSA: separation, saturation, published packing fractions, and where the points lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist
from scipy.stats import chisquare, ks_2samp, qmc

from tilesearch.samplers.rsa import RSA, SATURATION, ball_volume, saturated_packing, widest_packing
from tilesearch.samplers.voxels import pack


def torus_distances(points):
    gaps = np.abs(points[:, None] - points[None])
    gaps = np.minimum(gaps, 1.0 - gaps)
    return np.sqrt((gaps**2).sum(axis=2))[np.triu_indices(len(points), 1)]


def separation(points, boundary):
    if len(points) < 2:
        return np.inf
    return (pdist(points) if boundary == "free" else torus_distances(points)).min()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(1, 8), st.integers(1, 40), st.sampled_from(["free", "periodic"]), st.integers(0, 99)
)
def test_exactly_n_points_that_keep_the_distance(d, n, boundary, seed):
    if boundary == "periodic" and d > 4:
        n = min(n, 12 if d < 7 else 4)
    sampler = RSA(d, boundary=boundary, rng=seed)
    points = sampler.random(n)
    assert points.shape == (n, d)
    assert points.min() >= 0.0
    assert points.max() < 1.0
    assert separation(points, boundary) >= 2 * sampler.radius
    # on the torus the radius ends at 1/2, where more spheres than asked for may still fit, and
    # in 7 and 8 dimensions nothing has to be proved there
    assert sampler.saturated or (boundary == "periodic" and (sampler.radius == 0.5 or d > 6))
    assert (sampler.free_volume == 0.0) == sampler.saturated


@pytest.mark.parametrize(("d", "n"), [(7, 24), (8, 20)])
def test_seven_and_eight_dimensions_are_proved_too(d, n):
    sampler = RSA(d, rng=3)
    points = sampler.random(n)
    assert sampler.saturated
    assert pdist(points).min() >= 2 * sampler.radius


def test_many_points_in_many_dimensions_tell_what_is_left():
    sampler = RSA(7, rng=3)
    points = sampler.random(128)
    assert points.shape == (128, 7)
    assert pdist(points).min() >= 2 * sampler.radius
    assert not sampler.saturated
    assert 0 < sampler.free_volume < 1e-3
    tree = cKDTree(points)
    probes = qmc.Sobol(7, rng=1).random_base2(16)
    assert (tree.query(probes)[0] > 2 * sampler.radius).mean() <= sampler.free_volume


@pytest.mark.parametrize("boundary", ["free", "periodic"])
@pytest.mark.parametrize(("d", "n"), [(1, 20), (2, 50), (3, 60), (4, 30)])
def test_saturated_means_that_no_probe_finds_a_place(d, n, boundary):
    sampler = RSA(d, boundary=boundary, rng=5)
    points = sampler.random(n)
    assert sampler.saturated
    tree = cKDTree(points, boxsize=None if boundary == "free" else 1.0)
    probes = qmc.Sobol(d, rng=1).random_base2(15)
    assert tree.query(probes)[0].max() < 2 * sampler.radius
    # the probes are fine enough to find the place of a point that is taken away
    fewer = cKDTree(points[:-1], boxsize=None if boundary == "free" else 1.0)
    near = points[-1] + 1e-9
    assert fewer.query(near % 1.0)[0] > 2 * sampler.radius - 1e-8


@pytest.mark.parametrize("d", [2, 3, 5])
def test_probes_by_descent_find_no_place(d):
    """Holes of a saturated packing are looked for at the local maxima of the distance."""
    sampler = RSA(d, rng=8)
    points = sampler.random(40)
    tree = cKDTree(points)
    rng = np.random.default_rng(0)
    probes = rng.random((3000, d))
    best, _ = tree.query(probes)
    for scale in np.geomspace(0.2, 1e-4, 60):
        moved = np.clip(probes + scale * rng.normal(size=probes.shape), 0.0, 1.0)
        distance, _ = tree.query(moved)
        better = distance > best
        probes[better], best[better] = moved[better], distance[better]
    assert best.max() < 2 * sampler.radius
    # the search is not blind: it comes near the radius, as a hole was only just closed
    assert best.max() > 2 * sampler.radius * 0.97


@pytest.mark.parametrize(
    ("d", "radius", "packings"), [(1, 5e-4, 20), (2, 0.006, 10), (3, 0.025, 5), (4, 0.06, 5)]
)
def test_packing_fractions_on_the_torus_are_the_published_ones(d, radius, packings):
    """Rényi for d = 1, Zhang & Torquato (2013) for d = 2, 3, 4."""
    fractions = [
        len(saturated_packing(d, radius, boundary="periodic", rng=seed)) * ball_volume(d, radius)
        for seed in range(packings)
    ]
    error = np.std(fractions, ddof=1) / np.sqrt(packings)
    assert error < 0.01 * SATURATION[d - 1]
    assert abs(np.mean(fractions) - SATURATION[d - 1]) < 3 * error


def test_published_values_are_those_of_the_literature():
    np.testing.assert_allclose(
        SATURATION[:6], [0.7475979, 0.54700, 0.38413, 0.2600, 0.1707, 0.109], rtol=3e-3
    )


@pytest.mark.parametrize("boundary", ["free", "periodic"])
def test_first_points_are_uniform_and_the_second_avoids_the_first(boundary):
    draws = np.stack([pack(2, 0.3, seed=s, periodic=boundary == "periodic").centres[:2]
                      for s in range(4000)])  # fmt: skip
    cells = (draws[:, 0] * 4).astype(int) @ [4, 1]
    assert chisquare(np.bincount(cells, minlength=16)).pvalue > 1e-3
    # given the first, the second is uniform outside its circle: on the torus its angle and the
    # squared distance within the square of half the side around it are those of uniform points
    if boundary == "periodic":
        offset = (draws[:, 1] - draws[:, 0] + 0.5) % 1.0 - 0.5
        distance = np.hypot(*offset.T)
        assert distance.min() >= 0.3
        ring = distance < 0.5
        expected = np.pi * (0.25 - 0.09) / (1.0 - np.pi * 0.09)
        error = np.sqrt(expected * (1 - expected) / len(draws))
        assert abs(ring.mean() - expected) < 4 * error
        areas = np.histogram(distance[ring] ** 2, bins=8, range=(0.09, 0.25))[0]
        assert chisquare(areas).pvalue > 1e-3


def test_late_points_are_uniform_over_what_is_free():
    """Voxels and plain rejection give the same law of the eighth of about eleven points."""
    diameter, runs, late = 0.3, 800, 8
    rng = np.random.default_rng(2)
    by_rejection = []
    while len(by_rejection) < runs:
        centres = np.empty((0, 2))
        for point in rng.random((3000, 2)):
            if len(centres) == 0 or ((centres - point) ** 2).sum(axis=1).min() >= diameter**2:
                centres = np.vstack([centres, point])
            if len(centres) == late:
                by_rejection.append(centres)
                break
    by_rejection = np.stack(by_rejection)
    packings = [pack(2, diameter, seed=s, limit=late).centres for s in range(runs)]
    by_voxels = np.stack([p for p in packings if len(p) == late])
    assert len(by_voxels) > 0.99 * runs
    for statistic in (
        lambda p: p[:, -1, 0],
        lambda p: np.abs(p[:, -1] - 0.5).max(axis=1),
        lambda p: np.sort(np.linalg.norm(p[:, :-1] - p[:, -1:], axis=2), axis=1)[:, 0],
        lambda p: np.sort(np.linalg.norm(p[:, :-1] - p[:, -1:], axis=2), axis=1)[:, 1],
    ):
        assert ks_2samp(statistic(by_voxels), statistic(by_rejection)).pvalue > 1e-3


def test_radius_is_the_largest_on_its_stream():
    for seed in range(5):
        diameter, packing = widest_packing(30, 2, seed=seed)
        assert packing.saturated
        assert len(packing.centres) == 30
        # the stream is a function of the seed: the same diameter gives the same packing
        again, same = widest_packing(30, 2, seed=seed)
        assert again == diameter
        np.testing.assert_array_equal(same.centres, packing.centres)


def test_neighbouring_diameters_share_the_stream():
    one = pack(2, 0.2, seed=4, base=5).centres
    two = pack(2, 0.2 * (1 + 1e-13), seed=4, base=5).centres
    np.testing.assert_array_equal(one, two)
    other = pack(2, 0.2, seed=5, base=5).centres
    assert not np.array_equal(one[:1], other[:1])


def test_radius_agrees_with_the_packing_fraction():
    """n spheres of the radius found cover the published share of a torus, within its spread."""
    for d, n in [(1, 200), (2, 200), (3, 200), (4, 100)]:
        sampler = RSA(d, boundary="periodic", rng=1)
        sampler.random(n)
        fraction = n * ball_volume(d, sampler.radius)
        assert abs(fraction / SATURATION[d - 1] - 1.0) < 4 * 0.3 / np.sqrt(n) + 0.005


@pytest.mark.parametrize(
    ("d", "boundary", "low", "high"),
    [(2, "free", 0.15, 0.20), (3, "free", 0.22, 0.27), (2, "periodic", 0.08, 0.12)],
)
def test_marginals_near_the_faces_are_as_documented(d, boundary, low, high):
    points = np.concatenate([RSA(d, boundary=boundary, rng=s).random(64) for s in range(60)])
    outer = np.mean((points < 0.05) | (points >= 0.95))
    assert low < outer < high


def test_same_seed_same_points_reset_and_new_sets():
    sampler = RSA(3, rng=7)
    first = sampler.random(20)
    radius = sampler.radius
    second = sampler.random(20)
    assert not np.array_equal(first, second)
    sampler.reset()
    assert sampler.radius is None
    np.testing.assert_array_equal(sampler.random(20), first)
    assert sampler.radius == radius
    np.testing.assert_array_equal(RSA(3, rng=7).random(20), first)


def test_one_point_fills_the_cube():
    sampler = RSA(3, rng=0)
    assert sampler.random(1).shape == (1, 3)
    assert sampler.radius == pytest.approx(np.sqrt(3) / 2)
    torus = RSA(3, boundary="periodic", rng=0)
    torus.random(1)
    assert torus.radius == 0.5


def test_voxel_limit_is_kept_and_reported():
    sampler = RSA(5, most_voxels=300, rng=0)
    points = sampler.random(40)
    assert points.shape == (40, 5)
    assert pdist(points).min() >= 2 * sampler.radius
    assert not sampler.saturated
    assert 0.0 < sampler.free_volume <= 1.0


def test_torus_in_high_dimensions_reports_a_bound():
    sampler = RSA(8, boundary="periodic", rng=0)
    points = sampler.random(16)
    assert torus_distances(points).min() >= 2 * sampler.radius
    assert not sampler.saturated
    assert 0.0 < sampler.free_volume < 1.0


def test_free_volume_bounds_what_probes_find():
    packing = pack(4, 0.35, seed=1, most_voxels=3000, limit=60)
    assert not packing.saturated
    probes = np.random.default_rng(0).random((20_000, 4))
    free = np.mean(cKDTree(packing.centres).query(probes)[0] >= 0.35)
    assert free <= packing.free_volume


@pytest.mark.parametrize("boundary", ["free", "periodic"])
def test_saturated_packing_keeps_the_distance_and_is_saturated(boundary):
    points = saturated_packing(2, 0.03, boundary=boundary, rng=3)
    tree = cKDTree(points, boxsize=None if boundary == "free" else 1.0)
    assert tree.query(points, k=2)[0][:, 1].min() >= 0.06
    probes = qmc.Sobol(2, rng=1).random_base2(16)
    assert tree.query(probes)[0].max() < 0.06
    np.testing.assert_array_equal(points, saturated_packing(2, 0.03, boundary=boundary, rng=3))


def test_huge_radius_leaves_one_sphere():
    assert saturated_packing(3, 5.0, rng=1).shape == (1, 3)
    assert saturated_packing(2, 0.5, boundary="periodic", rng=1).shape == (1, 2)


@pytest.mark.parametrize("radius", [0, -0.1, np.inf, np.nan, "x", None])
def test_bad_radius(radius):
    with pytest.raises(ValueError, match="radius"):
        saturated_packing(2, radius)


@pytest.mark.parametrize(
    "options",
    [
        {"d": 0},
        {"d": 9},
        {"d": 2.0},
        {"d": 2, "boundary": "wall"},
        {"d": 2, "tolerance": 0},
        {"d": 2, "tolerance": 1.0},
        {"d": 2, "tolerance": "fine"},
        {"d": 2, "most_voxels": 0},
        {"d": 2, "most_voxels": 1.5},
    ],
)
def test_bad_options(options):
    with pytest.raises(ValueError, match=r"d is|boundary is|tolerance is|most_voxels is"):
        RSA(**options)


@pytest.mark.parametrize("n", [0, -1, 2.0, True])
def test_bad_counts(n):
    with pytest.raises(ValueError, match="n is"):
        RSA(2).random(n)


def test_sphere_that_overlaps_its_images_is_refused():
    with pytest.raises(ValueError, match="images"):
        saturated_packing(2, 0.51, boundary="periodic")
    with pytest.raises(ValueError, match="boundary"):
        saturated_packing(2, 0.1, boundary="open")
    with pytest.raises(ValueError, match="at most 8"):
        saturated_packing(9, 0.1)
