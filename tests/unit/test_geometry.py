"""Measures of point sets against naive versions and known values."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from tilesearch import geometry
from tilesearch.figures.geometry import PANELS, geometry_figure
from tilesearch.geometry import Draw, covering_radius, measure, table
from tilesearch.samplers import make


def naive_covering(points, per_axis):
    """Largest distance over a lattice of probes: a lower bound of the covering radius."""
    d = points.shape[1]
    axis = np.linspace(0, 1, per_axis)
    probes = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)
    nearest = np.full(len(probes), np.inf)
    for point in points:
        nearest = np.minimum(nearest, ((probes - point) ** 2).sum(axis=1))
    return math.sqrt(nearest.max())


@pytest.mark.parametrize(("d", "levels"), [(1, 7), (2, 6), (3, 4), (4, 3), (4, 2), (2, 2), (2, 1)])
def test_covering_of_grids(d, levels):
    centred = make("grid-centred", d).random(levels**d)
    assert covering_radius(centred).value == pytest.approx(math.sqrt(d) / (2 * levels), abs=1e-12)
    if levels > 1:
        ends = make("grid", d).random(levels**d)
        expected = math.sqrt(d) / (2 * (levels - 1))
        assert covering_radius(ends).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 8])
def test_covering_of_one_point_is_its_farthest_corner(d):
    point = np.random.default_rng(d).random((1, d))
    farthest = np.linalg.norm(np.maximum(point, 1 - point))
    found = covering_radius(point)
    assert found.value == pytest.approx(farthest, abs=1e-12)
    assert found.upper == pytest.approx(farthest, abs=1.1e-3)


@pytest.mark.parametrize(("n", "radius"), [(2, 0.5590169943749475), (4, 0.3535533905932738)])
def test_covering_of_the_best_coverings_of_the_square(n, radius):
    # Thinnest coverings of the square by equal discs (Heppes & Melissen 1997): two discs sqrt(5)/4,
    # four discs sqrt(2)/4.
    points = {2: [[0.25, 0.5], [0.75, 0.5]], 4: list(product((0.25, 0.75), repeat=2))}[n]
    assert covering_radius(points).value == pytest.approx(radius, abs=1e-12)


@pytest.mark.parametrize(
    "points",
    [
        [[0.2, 0.2], [0.4, 0.4], [0.6, 0.6]],  # on a line
        [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],  # on a circle
        [[0.3, 0.7], [0.3, 0.7], [0.9, 0.1]],  # twice the same
        [[0.5, 0.0], [0.5, 1.0]],  # on opposite edges
        [[0.0, 0.2, 0.9], [0.1, 0.2, 0.9], [0.7, 0.2, 0.9]],  # a line in space
        [[0.1, 0.1, 0.5], [0.9, 0.1, 0.5], [0.1, 0.9, 0.5], [0.8, 0.8, 0.5]],  # a plane
    ],
)
def test_covering_of_degenerate_sets(points):
    points = np.array(points)
    value = covering_radius(points).value
    lattice = naive_covering(points, 81)
    # A lattice with step h misses at most half a diagonal of its cells.
    assert lattice - 1e-12 <= value <= lattice + math.sqrt(points.shape[1]) / 160


@settings(max_examples=25, deadline=None)
@given(
    d=st.integers(1, 3),
    n=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
    steps=st.sampled_from([0, 2, 5, 1000]),
)
def test_exact_covering_agrees_with_brute_force(d, n, seed, steps):
    # steps < 1000: coordinates on a coarse lattice, full of ties and points on the boundary
    points = np.random.default_rng(seed).random((n, d))
    if 0 < steps < 1000:
        points = np.round(points * steps) / steps
    value = covering_radius(points).value
    per_axis = {1: 2001, 2: 101, 3: 25}[d]
    lattice = naive_covering(points, per_axis)
    assert lattice - 1e-9 <= value <= lattice + math.sqrt(d) / (2 * (per_axis - 1))


@pytest.mark.parametrize(("d", "n"), [(1, 5), (2, 20), (3, 27), (4, 16)])
@pytest.mark.parametrize("name", ["random", "grid", "lhs"])
def test_bracket_holds_the_exact_radius(name, d, n):
    points = make(name, d, rng=2).random(n)
    exact = covering_radius(points)
    assert exact.exact
    bracket = covering_radius(points, exact_d=0, steps=200)
    assert bracket.lower <= exact.value + 1e-9
    assert exact.value <= bracket.upper + 1e-9
    assert bracket.upper - bracket.lower < 2e-3


@pytest.mark.parametrize("d", [5, 8])
def test_bracket_closes_on_grids_and_narrows_with_effort(d):
    # A grid of 2^d points with ends: the centre of the cube is the hole.
    points = make("grid", d).random(2**5) if d == 5 else make("grid-centred", d).random(1)
    exact = math.sqrt(d) / 2
    loose, tight = (covering_radius(points, steps=steps) for steps in (2, 40))
    for found in (loose, tight):
        assert found.lower <= exact + 1e-9
        assert found.upper >= exact - 1e-9
    assert tight.upper <= loose.upper
    assert tight.value == pytest.approx(exact, abs=1e-9)


def test_bracket_of_random_points_is_above_probes():
    points = make("random", 6, rng=3).random(40)
    found = covering_radius(points, steps=20)
    probes = make("random", 6, rng=4).random(2000)
    distances = np.sqrt(((probes[:, None] - points) ** 2).sum(axis=2)).min(axis=1)
    assert distances.max() <= found.lower
    assert found.lower < found.upper < 1.3 * found.lower
    assert not found.exact


def test_voronoi_vertices_are_equidistant_to_enough_points():
    points = make("random", 3, rng=5).random(20)
    vertices = geometry.clipped_voronoi_vertices(points)
    distances = np.sqrt(((vertices[:, None] - points) ** 2).sum(axis=2))
    nearest = np.sort(distances, axis=1)
    free = ((vertices > 0) & (vertices < 1)).sum(axis=1)
    # A vertex in a face of k free coordinates has k + 1 nearest points.
    for k in range(4):
        spread = nearest[free == k, : k + 1]
        assert len(spread)
        np.testing.assert_allclose(spread, spread[:, :1].repeat(k + 1, axis=1), atol=1e-9)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_separation_is_the_smallest_distance(d):
    points = make("random", d, rng=1).random(30)
    assert geometry.separation(points) == pytest.approx(pdist(points).min(), abs=1e-15)


def test_hexagonal_lattice():
    # Rows sqrt(3)/2 s apart, every other one shifted by s / 2.
    s = 0.2
    rows = np.arange(6) * s * math.sqrt(3) / 2
    points = [(x, y) for k, y in enumerate(rows) for x in np.arange((k % 2) * s / 2, 1 + 1e-9, s)]
    assert geometry.separation(points) == pytest.approx(s, abs=1e-12)


def test_repeated_points():
    found = measure([[0.5, 0.5], [0.5, 0.5]])
    assert found["separation"] == 0
    assert found["mesh_ratio"] == math.inf
    assert found["packing_fraction"] == 0


def test_one_point():
    found = measure([[0.5, 0.5, 0.5]])
    assert math.isnan(found["separation"])
    assert math.isnan(found["mesh_ratio"])
    assert math.isnan(found["packing_fraction"])
    assert found["slices_hit"] == 1
    assert found["gap_1d"] == 0.5


@pytest.mark.parametrize(("d", "volume"), [(1, 2), (2, math.pi), (3, 4 * math.pi / 3)])
def test_packing_fraction_of_full_grids(d, volume):
    # Four levels with ends: r = 1/6, 4^d spheres in a cube of side 4/3.
    points = make("grid", d).random(4**d)
    expected = 4**d * volume * (1 / 6) ** d / (4 / 3) ** d
    assert geometry.packing_fraction(points) == pytest.approx(expected, abs=1e-12)


def test_mesh_ratio_is_at_least_one():
    for name in ("grid", "lhs", "random", "lhs-maximin"):
        assert measure(make(name, 2, rng=1).random(16))["mesh_ratio"] >= 1


def test_projections_of_a_grid_and_of_a_latin_hypercube():
    grid, latin = make("grid", 3).random(27), make("lhs", 3, rng=1).random(27)
    assert geometry.slices_hit(grid) == pytest.approx(3 / 27)
    assert geometry.slices_hit(latin) == 1
    assert geometry.gap_1d(grid) == pytest.approx(0.5)
    assert geometry.gap_1d(latin) < 2 / 27
    assert geometry.separation_2d(grid) == 0
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert geometry.separation_2d(latin) == min(pdist(latin[:, pair]).min() for pair in pairs)
    assert geometry.covering_radius_2d(grid) == pytest.approx(math.sqrt(2) / 4)
    assert math.isnan(geometry.separation_2d(latin[:, :1]))


def test_discrepancies_of_the_centre():
    # Hickernell 1998: CD^2 of one point in the middle of the line is 13/12 - 1, and the
    # L2-star discrepancy of it is sqrt(1/12).
    found = geometry.discrepancies([[0.5]])
    assert found["cd"] == pytest.approx(1 / 12)
    assert found["l2star"] == pytest.approx(math.sqrt(1 / 12))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([0.1, 0.2], "shape"),
        (np.empty((0, 2)), "shape"),
        ([[0.1, 1.2]], "unit cube"),
        ([[0.1, math.nan]], "unit cube"),
    ],
)
@pytest.mark.parametrize("function", [measure, covering_radius, geometry.separation])
def test_bad_points(function, points, message):
    with pytest.raises(ValueError, match=message):
        function(points)


def test_table_means_and_errors():
    designs = list(geometry.draws(["random", "grid"], 2, 9, seeds=4, seed=1))
    assert [design.sampler for design in designs] == ["random"] * 4 + ["grid"] * 4
    rows = {(row["sampler"], row["measure"]): row for row in table(designs)}
    values = [geometry.separation(design.points) for design in designs[:4]]
    row = rows["random", "separation"]
    assert (row["d"], row["n"], row["seeds"]) == (2, 9, 4)
    assert row["mean"] == pytest.approx(np.mean(values))
    assert row["error"] == pytest.approx(np.std(values, ddof=1) / 2)
    assert rows["grid", "separation"]["error"] == 0
    assert rows["grid", "separation"]["seeds"] == 4


def test_table_of_single_designs_has_no_errors():
    rows = table([Draw("mine", np.array([[0.1], [0.9]])), Draw("mine", np.array([[0.5]]))])
    assert {row["n"] for row in rows} == {1, 2}
    assert all(math.isnan(row["error"]) and row["seeds"] == 1 for row in rows)


def test_draws_are_seeded_by_name_and_skip_what_is_out_of_range():
    alone = next(geometry.draws(["lhs"], 2, 5, seeds=1))
    among = list(geometry.draws(["random", "lhs"], 2, 5, seeds=1))[1]
    np.testing.assert_array_equal(alone.points, among.points)
    other = next(geometry.draws(["lhs"], 2, 5, seeds=1, seed=1))
    assert not np.array_equal(alone.points, other.points)
    assert [draw.sampler for draw in geometry.draws(["grid", "random"], 63, 2, seeds=1)] == [
        "random"
    ]


def test_figure_shows_all_samplers_best_on_top():
    rows = table(geometry.draws(["random", "grid", "grid-centred"], 3, 8, seeds=2))
    figure = geometry_figure(rows, 3, 8)
    assert [axes.get_title() for axes in figure.axes] == [panel.title for panel in PANELS]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert set(labels) == {"random", "grid", "grid, centred"}
    assert labels[-1] == "grid, centred"
    drawn = sorted(line.get_xdata()[0] for c in figure.axes[1].containers for line in c.lines[:1])
    means = sorted(row["mean"] for row in rows if row["measure"] == "separation")
    np.testing.assert_allclose(drawn, means)
    assert "2 seeds" in figure.get_supxlabel()


def test_figure_says_where_only_bounds_are_known():
    rows = table(geometry.draws(["random", "lhs"], 5, 6, seeds=1), steps=0)
    assert "bounds" in geometry_figure(rows, 5, 6).get_supxlabel()


@pytest.mark.parametrize("highest", [9.0, 300.0])
def test_labels_of_logarithmic_axes_do_not_overlap(highest):
    rows = table(geometry.draws(["random", "lhs"], 2, 9, seeds=1))
    for row, value in zip(
        [row for row in rows if row["measure"] == "mesh_ratio"], [1.9, highest], strict=True
    ):
        row["mean"] = value
    figure = geometry_figure(rows, 2, 9)
    figure.draw_without_rendering()
    axis = next(axes for axes in figure.axes if axes.get_title() == "mesh ratio").xaxis
    low, high = axis.get_view_interval()
    boxes = sorted(
        (box.x0, box.x1)
        for ticks in (axis.get_major_ticks(), axis.get_minor_ticks())
        for tick in ticks
        if tick.label1.get_text() and low <= tick.get_loc() <= high
        for box in [tick.label1.get_window_extent()]
    )
    assert len(boxes) >= 2
    assert all(one[1] < other[0] for one, other in pairwise(boxes))


def test_figure_leaves_out_what_is_not_defined():
    rows = table(geometry.draws(["random"], 2, 1, seeds=2))
    titles = [axes.get_title() for axes in geometry_figure(rows, 2, 1).axes]
    assert "separation" not in titles
    assert "covering radius (2-d)" not in titles
    assert titles[0] == "covering radius"


def test_figure_without_rows():
    with pytest.raises(ValueError, match="no rows with d = 2 and n = 9"):
        geometry_figure([], 2, 9)
