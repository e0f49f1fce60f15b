"""Hypertilings: what is known of Penrose, Ammann, Fibonacci tilings, and of any multigrid."""

import importlib.util
from collections import Counter, defaultdict
from itertools import combinations, groupby, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist
from scipy.stats import special_ortho_group

from tilesearch.samplers import Hypertiling, make, multigrid

GOLDEN = (1 + 5**0.5) / 2
DIMENSIONS = range(1, 9)


@pytest.fixture(scope="module")
def benchmark_module():
    """benchmarks/samplers.py, which holds the plain loop over intersections."""
    path = Path(__file__).parents[2] / "benchmarks" / "samplers.py"
    spec = importlib.util.spec_from_file_location("benchmark_samplers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def offsets_for(star, seed, total=0.0):
    offsets = np.random.default_rng(seed).random(star.m)
    if star.sums_to_zero:
        offsets[-1] = total - offsets[:-1].sum()
    return offsets


def half_for(star, n):
    return (n / star.density) ** (1 / star.d) / 2


def rows_of(array):
    return set(map(tuple, array.tolist()))


# The stars


@pytest.mark.parametrize("d", DIMENSIONS)
def test_star_is_tight_and_any_d_of_its_vectors_are_independent(d):
    star = multigrid.star(d)
    frame = star.vectors.T @ star.vectors
    assert frame == pytest.approx(np.eye(d) * np.trace(frame) / d, abs=1e-12)
    assert star.volumes.min() > 1e-3
    if d > 1:
        assert np.linalg.norm(star.vectors, axis=1) == pytest.approx(1.0)


def test_star_is_the_pentagon_in_2d_and_the_icosahedron_in_3d():
    pentagon = np.sort(np.degrees(np.arctan2(*multigrid.star(2).vectors.T[::-1])) % 360)
    assert np.diff(pentagon) == pytest.approx(72.0)
    axes = multigrid.star(3).vectors
    cosines = np.abs(axes @ axes.T)[np.triu_indices(6, 1)]
    assert cosines == pytest.approx(1 / 5**0.5)


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_star_has_no_small_period(d):
    # A period is a nonzero integer vector in the row space.
    star = multigrid.star(d)
    n = np.array(list(product((-2, -1, 0, 1, 2), repeat=star.m)))
    n = n[n.any(1)]
    assert np.abs(n @ star.across.T).max(1).min() > 1e-3


def test_a_star_of_nine_vectors_in_4d_would_have_a_period():
    # The reason for primes; it also shows that the test above can fail.
    angles = 2 * np.pi * np.outer(np.arange(9), [3, 4]) / 9
    star = multigrid.Star(np.hstack([np.cos(angles), np.sin(angles)]) / 2**0.5)
    period = np.array([1, -1, 0] * 3)
    assert np.abs(star.across @ period).max() < 1e-12


def test_circuits_are_the_linear_relations():
    star = multigrid.star(4)
    members, weights = star.circuits
    sums = np.einsum("rj,rja->ra", weights, star.vectors[members])
    assert np.abs(sums).max() < 1e-12
    assert np.abs(weights).sum(1) == pytest.approx(1.0)


# Completeness and exactness of the vertices


@pytest.mark.parametrize(("d", "n"), [(1, 40), (2, 300), (3, 60), (4, 12)])
def test_vertices_are_those_of_the_loop_over_intersections(benchmark_module, d, n):
    star = multigrid.star(d)
    offsets, half = offsets_for(star, d), half_for(star, n)
    k, positions = multigrid.vertices(star, offsets, half)
    reach = benchmark_module.reach_for(star, half)
    assert len(k) > n / 3
    assert rows_of(k) == benchmark_module.plain_loop(star.vectors, offsets, half, reach)
    assert positions == pytest.approx((k - offsets - 0.5) @ star.vectors)


def test_vertices_of_a_skew_star_are_those_of_the_loop(benchmark_module):
    # Lengths and directions of no symmetry.
    star = multigrid.Star(np.random.default_rng(5).normal(size=(5, 2)))
    offsets, half = offsets_for(star, 1), half_for(star, 100)
    k, _ = multigrid.vertices(star, offsets, half)
    reach = benchmark_module.reach_for(star, half)
    assert len(k) > 50
    assert rows_of(k) == benchmark_module.plain_loop(star.vectors, offsets, half, reach)


@pytest.mark.parametrize("d", [5, 6, 7, 8])
def test_vertices_in_high_dimensions_are_cells_and_none_is_missed(d):
    star = multigrid.star(d)
    rng = np.random.default_rng(d)
    offsets, half = offsets_for(star, d), half_for(star, 60)
    k, _ = multigrid.vertices(star, offsets, half)
    # Each is a cell: the widest slab around a common point of all its slabs is positive.
    rows = np.vstack([star.vectors, -star.vectors])
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    for cell in k[:: max(1, len(k) // 20)]:
        limits = np.concatenate([cell - offsets, offsets - cell + 1])
        answer = linprog(np.eye(d + 1)[-1] * -1, A_ub=rows, b_ub=limits, bounds=(None, None))
        assert -answer.fun > 1e-9
    # None is missed: the cells of random points are found, if their vertices are in the cube.
    x = rng.uniform(-1, 1, (200_000, d)) * (half + 1) / (star.m / d)
    cells = np.unique(np.ceil(x @ star.vectors.T + offsets).astype(int), axis=0)
    inside = np.abs((cells - offsets - 0.5) @ star.vectors).max(1) <= half
    assert inside.sum() > 10
    assert rows_of(cells[inside]) <= rows_of(k)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_vertices_of_a_small_cube_are_those_of_a_large_one_inside(d):
    star = multigrid.star(d)
    rotation = np.linalg.qr(np.random.default_rng(d).normal(size=(d, d)))[0]
    offsets, half = offsets_for(star, d + 10), half_for(star, 40)
    small, _ = multigrid.vertices(star, offsets, half, rotation)
    large, positions = multigrid.vertices(star, offsets, 1.4 * half, rotation)
    assert rows_of(small) == rows_of(large[np.abs(positions).max(1) <= half])


def naive_intersections(star, offsets, half):
    """(grids, integers) of all intersections in the cube, by solving for each of many."""
    reach = half * star.d**0.5
    found = set()
    for chosen in combinations(range(star.m), star.d):
        normals = star.vectors[list(chosen)]
        spans = reach * np.linalg.norm(normals, axis=1)
        ranges = [
            range(int(np.floor(offsets[j] - s)), int(np.ceil(offsets[j] + s)) + 1)
            for j, s in zip(chosen, spans, strict=True)
        ]
        index = np.array(list(product(*ranges)))
        x = np.linalg.solve(normals, (index - offsets[list(chosen)]).T).T
        found |= {chosen + tuple(i) for i in index[np.abs(x).max(1) <= half].tolist()}
    return found


@pytest.mark.parametrize(("d", "half"), [(1, 9.0), (2, 3.0), (3, 1.2), (5, 0.7)])
def test_intersections_are_complete_and_lie_on_their_hyperplanes(d, half):
    star = multigrid.star(d)
    offsets = offsets_for(star, d + 20)
    kind, index, positions = multigrid.intersections(star, offsets, half)
    assert len(kind) > 10
    found = rows_of(np.hstack([star.subsets[kind], index]))
    assert len(found) == len(kind)
    assert found == naive_intersections(star, offsets, half)
    values = np.einsum("fja,fa->fj", star.vectors[star.subsets[kind]], positions)
    assert values + offsets[star.subsets[kind]] == pytest.approx(index)


@pytest.mark.parametrize(("d", "n"), [(1, 5000), (2, 40_000), (3, 60_000), (4, 40_000)])
def test_density_is_as_theory_says(d, n):
    star = multigrid.star(d)
    k, _ = multigrid.vertices(star, offsets_for(star, 3), half_for(star, n))
    assert len(k) == pytest.approx(n, rel=0.02)
    half = (n / star.intersection_density) ** (1 / d) / 2
    kind, _, _ = multigrid.intersections(star, offsets_for(star, 3), half)
    assert len(kind) == pytest.approx(n, rel=0.02)


def test_density_of_the_penrose_tiling():
    # Thick and thin rhombs, golden ratio : 1, have the areas sin 72 and sin 36 degrees.
    thick, thin = np.sin(np.radians([72, 36]))
    assert multigrid.star(2).density == pytest.approx((GOLDEN + 1) / (GOLDEN * thick + thin))


# The tilings


@pytest.mark.parametrize(("d", "n"), [(1, 50), (2, 200), (3, 100)])
def test_tiles_cover_the_cube_once(d, n):
    tiling = Hypertiling(d, rng=d).tiling(n)
    where = np.random.default_rng(0).random((500, d))
    origin, sides = tiling.tiles[:, 0], tiling.tiles[:, [1 << i for i in range(d)]]
    sides = sides - origin[:, None]
    inside = np.linalg.solve(
        sides.transpose(0, 2, 1)[None], (where[:, None] - origin[None])[..., None]
    )[..., 0]
    assert (((inside > 0) & (inside < 1)).all(-1).sum(1) == 1).all()
    assert np.abs(np.linalg.det(sides)) == pytest.approx(tiling.volume)
    # The points are exactly the corners inside.
    within = ((tiling.tiles > 1e-9) & (tiling.tiles < 1 - 1e-9)).all(-1)
    corners = tiling.tiles[within]
    assert cKDTree(tiling.points).query(corners)[0].max() < 1e-9
    assert cKDTree(corners).query(tiling.points)[0].max() < 1e-9


def test_penrose_edges_have_five_directions_and_one_length():
    tiling = Hypertiling(2, rng=3).tiling(500)
    sides = tiling.edges[:, 1] - tiling.edges[:, 0]
    lengths = np.linalg.norm(sides, axis=1)
    assert lengths == pytest.approx(lengths[0])
    angles = np.degrees(np.arctan2(sides[:, 1], sides[:, 0])) % 180
    # The five directions are 36 degrees apart, wherever the rotation put the first.
    turned = (angles - angles[0]) / 36
    assert turned == pytest.approx(np.round(turned), abs=1e-6)
    assert len(np.unique(np.round(turned).astype(int) % 5)) == 5


@pytest.mark.parametrize(("d", "half"), [(2, 100.0), (3, 16.0)])
def test_large_tiles_to_small_tiles_is_the_golden_ratio(d, half):
    # Thick : thin rhombs of Penrose, prolate : oblate rhombohedra of Ammann.
    star = multigrid.star(d)
    # Rows of equal tiles along the sides of the cube would disturb the count: hence rotated.
    rotation = special_ortho_group.rvs(d, random_state=1)
    kind, _ = multigrid.tiles(star, offsets_for(star, 4), half, rotation)
    large = star.volumes[kind] > star.volumes.mean()
    assert len(np.unique(np.round(star.volumes, 9))) == 2
    assert large.sum() / (~large).sum() == pytest.approx(GOLDEN, rel=0.01)


def angle_sequence(star, offsets, half):
    """Counts of the vertices' cyclic sequences of angles in units of 36 degrees."""
    _, corners = multigrid.tiles(star, offsets, half)
    positions = (corners - offsets - 0.5) @ star.vectors
    around = defaultdict(list)
    ring = [0, 1, 3, 2]
    for tile, places in zip(corners, positions, strict=True):
        for i, here in enumerate(ring):
            one = places[ring[i - 1]] - places[here]
            other = places[ring[(i + 1) % 4]] - places[here]
            middle = one + other
            angle = round(np.degrees(np.arccos(np.clip(one @ other, -1, 1))) / 36)
            around[tuple(tile[here])].append((np.arctan2(middle[1], middle[0]), angle))
    counts = Counter()
    for vertex, angles in around.items():
        position = (np.array(vertex) - offsets - 0.5) @ star.vectors
        if np.abs(position).max() > half - 2:
            continue  # not all its tiles are there
        turn = [angle for _, angle in sorted(angles)]
        assert sum(turn) == 10
        ways = [way[i:] + way[:i] for way in (turn, turn[::-1]) for i in range(len(turn))]
        counts[tuple(min(ways))] += 1
    return counts


#: De Bruijn's eight vertex types; two of them (five acute thick rhombs: the star, and the sun)
#: differ in their matching rules only. Their shares are powers of the golden ratio.
PENROSE_VERTICES = {
    (3, 3, 4): 2,
    (1, 2, 1, 3, 3): 3,
    (2, 4, 4): 4,
    (2, 2, 2, 4): 5,
    (2, 2, 2, 2, 2): 6,
    (1, 1, 2, 1, 1, 2, 2): 6,
    (1, 1, 2, 2, 2, 2): 7,
}


def test_penrose_tiling_has_only_the_known_vertex_stars():
    star = multigrid.star(2)
    counts = angle_sequence(star, offsets_for(star, 2), 40.0)
    assert set(counts) == set(PENROSE_VERTICES)
    total = sum(counts.values())
    for angles, power in PENROSE_VERTICES.items():
        assert counts[angles] / total == pytest.approx(GOLDEN**-power, abs=0.005)


def test_offsets_of_another_sum_give_other_vertex_stars():
    star = multigrid.star(2)
    counts = angle_sequence(star, offsets_for(star, 2, total=0.5), 15.0)
    assert set(counts) - set(PENROSE_VERTICES)


def test_sampler_draws_penrose_tilings():
    # The points of `random` are the vertices of tilings whose offsets add up to zero.
    sampler = Hypertiling(2, rng=8)
    _, _, offsets, _ = sampler._draw(50)
    assert offsets.sum() == pytest.approx(0.0, abs=1e-12)


def test_fibonacci_chain():
    points = np.sort(Hypertiling(1, rng=6).random(3000)[:, 0])
    gaps = np.diff(points)
    long = gaps > gaps.mean()
    assert gaps[long] == pytest.approx(gaps[long][0])
    assert gaps[~long] == pytest.approx(gaps[~long][0])
    assert gaps[long][0] / gaps[~long][0] == pytest.approx(GOLDEN)
    assert long.sum() / (~long).sum() == pytest.approx(GOLDEN, rel=0.01)
    # Short intervals stand alone, long ones alone or in pairs.
    runs = {(bool(kind), len(list(run))) for kind, run in groupby(long[3:-3])}
    assert {(kind, length) for kind, length in runs if length <= 2} >= {(True, 2), (False, 1)}
    assert runs <= {(True, 1), (True, 2), (False, 1)}


def test_points_lie_on_the_projected_lattice():
    # Without rotation and scale, differences of points are integer combinations of the star.
    sampler = Hypertiling(4, rotate=False, rng=2)
    points, half, offsets, rotation = sampler._draw(100)
    assert rotation is None
    k, positions = multigrid.vertices(sampler.star, offsets, half)
    integers = k[cKDTree(positions).query((points - 0.5) * 2 * half)[1]]
    sides = (integers - integers[0]) @ sampler.star.vectors
    assert (points - points[0]) * 2 * half == pytest.approx(sides)
    assert len(np.unique(integers, axis=0)) == 100


# Delone


def closest_by_theory(star):
    """Shortest difference of two cells: integers n for which |e_j.x - n_j| < 1 has an x."""
    rows = np.vstack([star.vectors, -star.vectors])
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    n = np.array(list(product((-2, -1, 0, 1, 2), repeat=star.m)))
    lengths = np.linalg.norm(n @ star.vectors, axis=1)
    order = np.argsort(lengths)
    goal = -np.eye(star.d + 1)[-1]
    for cell in n[order[lengths[order] > 1e-9]]:
        limits = np.concatenate([cell + 1, 1 - cell])
        if -linprog(goal, A_ub=rows, b_ub=limits, bounds=(None, None)).fun > 1e-9:
            return np.linalg.norm(cell @ star.vectors)
    raise AssertionError("no difference found")


@pytest.mark.parametrize(("d", "n"), [(1, 500), (2, 3000), (3, 5000)])
def test_closest_vertices_are_as_far_apart_as_theory_says(d, n):
    star = multigrid.star(d)
    assert star.separation == pytest.approx(closest_by_theory(star))
    _, positions = multigrid.vertices(star, offsets_for(star, 5), half_for(star, n))
    nearest = cKDTree(positions).query(positions, k=2)[0][:, 1]
    assert nearest.min() == pytest.approx(star.separation)


def test_separation_of_penrose_and_fibonacci():
    # The short diagonal of the thin rhomb, and the short interval.
    assert multigrid.star(2).separation == pytest.approx(2 * np.sin(np.radians(18)))
    assert multigrid.star(1).separation == pytest.approx(1 / (GOLDEN**2 + 1) ** 0.5)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_vertices_are_a_delone_set(d):
    star = multigrid.star(d)
    sampler = Hypertiling(d, rng=d)
    points, half, _, _ = sampler._draw(400)
    assert pdist(points).min() * 2 * half >= star.separation * (1 - 1e-9)
    # No place of a tile is farther than half the diagonal of a box of its edges from a corner.
    _, positions = multigrid.vertices(star, offsets_for(star, d), half)
    edge = np.linalg.norm(star.vectors, axis=1).max()
    places = np.random.default_rng(d).uniform(-1, 1, (300, d)) * max(half - edge * d**0.5 / 2, 0)
    holes = cKDTree(positions).query(places)[0]
    assert holes.max() <= edge * d**0.5 / 2


# The sampler


@settings(max_examples=80, deadline=None)
@given(
    d=st.integers(1, 8),
    n=st.integers(1, 300),
    points=st.sampled_from(["vertices", "intersections"]),
    rotate=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_exactly_n_different_points_in_the_cube(d, n, points, rotate, seed):
    sample = Hypertiling(d, points=points, rotate=rotate, rng=seed).random(n)
    assert sample.shape == (n, d)
    assert sample.dtype == float
    assert (sample >= 0).all()
    assert (sample < 1).all()
    assert len(np.unique(sample, axis=0)) == n


def test_large_samples_are_exact():
    assert len(np.unique(Hypertiling(2, rng=1).random(30_000), axis=0)) == 30_000
    assert len(np.unique(Hypertiling(8, rng=1).random(3000), axis=0)) == 3000


@pytest.mark.parametrize("points", ["vertices", "intersections"])
def test_reproducible_resettable_and_new_in_each_call(points):
    sampler = Hypertiling(3, points=points, rng=11)
    first, second = sampler.random(20), sampler.random(20)
    assert (first == Hypertiling(3, points=points, rng=11).random(20)).all()
    assert not np.isclose(first, second).any(1).all()
    assert sampler.num_generated == 40
    sampler.reset()
    assert (sampler.random(20) == first).all()
    assert not (Hypertiling(3, points=points, rng=12).random(20) == first).all()


def test_points_come_from_the_centre_outwards_and_nest():
    few, many = Hypertiling(3, rng=4).random(30), Hypertiling(3, rng=4).random(90)
    size = np.abs(many - 0.5).max(1)
    assert (np.diff(size) >= 0).all()
    ratio = (many[:30] - 0.5) / (few - 0.5)
    assert ratio == pytest.approx(ratio[0, 0])


def test_registered_names():
    assert (make("hypertiling", 2, rng=1).random(9) == Hypertiling(2, rng=1).random(9)).all()
    expected = Hypertiling(2, points="intersections", rng=1).random(9)
    assert (make("hypertiling-intersections", 2, rng=1).random(9) == expected).all()


def test_ties_at_the_boundary_are_broken_by_the_integers(monkeypatch):
    sampler = Hypertiling(1, rotate=False, rng=1)
    keys = np.array([[3, 0], [1, 0], [2, 0], [0, 0]])
    positions = np.array([[2.0], [-2.0], [2.0], [0.0]])
    monkeypatch.setattr(sampler, "_enough", lambda *_: (keys, positions))
    points = sampler.random(3)
    assert points[:, 0].tolist() == [0.5, 0.0, np.nextafter(1.0, 0.0)]


def test_tiling_has_the_points_of_random():
    tiling = Hypertiling(3, rng=9).tiling(80)
    assert (tiling.points == Hypertiling(3, rng=9).random(80)).all()
    assert set(tiling.kind) == {0, 1}
    assert tiling.volume[tiling.kind == 1].min() > tiling.volume[tiling.kind == 0].max()


def test_a_star_of_the_users():
    # Ammann-Beenker: four directions 45 degrees apart; edges have eight of them.
    angles = np.radians([0, 45, 90, 135])
    star = np.column_stack([np.cos(angles), np.sin(angles)])
    tiling = Hypertiling(2, star=star, rotate=False, rng=1).tiling(100)
    sides = tiling.edges[:, 1] - tiling.edges[:, 0]
    turned = np.degrees(np.arctan2(sides[:, 1], sides[:, 0])) / 45
    assert turned == pytest.approx(np.round(turned), abs=1e-6)
    assert len(tiling.points) == 100


def outer_share(values):
    """Share of coordinates in the outermost 5 % of [0, 1)."""
    return (np.minimum(values, 1 - values) < 0.025).mean()


def test_marginals_are_uniform_but_for_a_thin_layer_at_the_boundary():
    sampler = Hypertiling(2, rng=21)
    values = np.concatenate([sampler.random(100) for _ in range(500)])
    for axis in range(2):
        shares = np.histogram(values[:, axis], bins=10, range=(0, 1))[0] / len(values)
        # Independent points would have a standard deviation of 0.0013.
        assert shares == pytest.approx(0.1, abs=0.004)
    assert 0.046 < outer_share(values) < 0.0505


def test_boundary_layers_are_as_the_docstring_says():
    # Rarer vertices, more frequent intersections, in small samples.
    for points, low, high in [("vertices", 0.044, 0.0495), ("intersections", 0.055, 0.064)]:
        sampler = Hypertiling(2, points=points, rng=22)
        values = np.concatenate([sampler.random(16) for _ in range(1000)])
        assert low < outer_share(values) < high


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"d": 0}, "d is 0"),
        ({"d": 9}, "d is 9, it must be at most 8"),
        ({"d": 2.0}, "d is 2.0"),
        ({"d": True}, "d is True"),
        ({"d": 2, "points": "edges"}, "points is 'edges', take one of vertices, intersections"),
        ({"d": 2, "points": ["vertices"]}, "points is"),
        ({"d": 2, "rotate": "no"}, "rotate is 'no', it must be True or False"),
        ({"d": 2, "star": np.eye(2)}, "more than 2"),
        ({"d": 2, "star": np.ones(3)}, "shape"),
        ({"d": 2, "star": [[1, 0], [0, 1], [1, np.nan]]}, "finite"),
        ({"d": 2, "star": [[1, 0], [0, 1], [2, 0]]}, "degenerate"),
        ({"d": 2, "star": [[1, 0], [0, 1], [0, 0]]}, "degenerate"),
        ({"d": 2, "star": [[1, 0], [0]]}, "star"),
        ({"d": 2, "star": "pentagon"}, "star"),
        ({"d": 2, "star": np.random.default_rng(0).normal(size=(400, 2))}, "fewer"),
        ({"d": 3, "star": multigrid.star(2).vectors}, "d = 3"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Hypertiling(**arguments)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", True, None])
def test_bad_counts(n):
    with pytest.raises(ValueError, match="n is"):
        Hypertiling(2).random(n)
    with pytest.raises(ValueError, match="n is"):
        Hypertiling(2).tiling(n)


def test_tilings_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="tiles need points='vertices'"):
        Hypertiling(2, points="intersections").tiling(5)
    with pytest.raises(ValueError, match="d is 4"):
        Hypertiling(4).tiling(5)
