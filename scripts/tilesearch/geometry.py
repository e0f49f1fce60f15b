"""How well a point set fills the unit cube.

The measures of `measure`, for n points in [0, 1]^d:

=========================  =========================================================  =========
name                       what                                                       good
=========================  =========================================================  =========
``covering_radius``        largest distance of a point of the cube to the nearest     small
                           design point (dispersion); ``covering_lower`` and
                           ``covering_upper`` bound it, equal up to d = 4
``separation``             smallest distance between two design points                large
``mesh_ratio``             covering radius over half the separation, at least 1       small
``packing_fraction``       volume of the spheres of radius separation / 2, over that  large
                           of the cube enlarged by that radius
``discrepancy_cd``, `_wd`, centred, wrap-around, mixture and L2-star discrepancy      small
`_md`, `_l2star`           (the squared ones, as scipy gives them)
``slices_hit``             share of the n equal slices of an axis that hold a point,  large
                           mean over axes (1 for a Latin hypercube)
``gap_1d``                 longest stretch of an axis without a coordinate, on the    small
                           worst axis
``separation_2d``          smallest distance between two points seen along all but    large
                           two axes, on the worst pair of axes
``covering_radius_2d``     covering radius of the points seen so, on the worst pair   small
=========================  =========================================================  =========

The covering radius leads: it bounds how far from the optimum the best point of a search can lie
(Niederreiter 1992, ch. 6), while discrepancy and success correlate weakly (Bossek et al. 2019,
arXiv:1912.08956). What is not defined is NaN: the separation of one point, a pair of axes in
one dimension.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import gamma, inf, nan, pi, sqrt

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, cKDTree
from scipy.stats import qmc

from tilesearch.samplers import make, sampler_class
from tilesearch.seeds import rng_for

#: covering radii are exact up to this dimension
EXACT_D = 4
DISCREPANCIES = {"cd": "CD", "wd": "WD", "md": "MD", "l2star": "L2-star"}


def check_points(points) -> np.ndarray:
    """`points` as a float array of shape (n, d) in the closed unit cube.

    Raises
    ------
    ValueError
        If the shape is not (n, d) with n, d >= 1, or a coordinate lies outside [0, 1].
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(f"points have shape {points.shape}, it must be (n, d) with n, d >= 1")
    if not ((points >= 0) & (points <= 1)).all():
        raise ValueError("points must lie in the unit cube, scale them to [0, 1] first")
    return points


def separation(points) -> float:
    """Smallest distance between two points; NaN for one point.

    Parameters
    ----------
    points : array_like, shape (n, d)
        Points in [0, 1].

    Examples
    --------
    >>> separation([[0.0, 0.0], [0.3, 0.4], [1.0, 1.0]])
    0.5
    """
    points = check_points(points)
    if len(points) < 2:
        return nan
    return float(cKDTree(points).query(points, k=2)[0][:, 1].min())


@dataclass(frozen=True)
class CoveringRadius:
    """Covering radius and what is known about it.

    Parameters
    ----------
    value : float
        Distance of some point of the cube to its nearest design point; the largest one found.
    upper : float
        No point of the cube is farther from its nearest design point than this.
    """

    value: float
    upper: float

    @property
    def lower(self) -> float:
        """The covering radius is at least this: `value` is attained."""
        return self.value

    @property
    def exact(self) -> bool:
        """Whether the bounds agree to 1e-9."""
        return self.upper - self.value <= 1e-9


def covering_radius(
    points, *, exact_d: int = EXACT_D, tolerance: float = 1e-3, steps: int = 100
) -> CoveringRadius:
    """Largest distance of a point of the unit cube to its nearest design point.

    Within the Voronoi cell of a design point, clipped to the cube, the distance is convex, so
    it is largest at a vertex of a clipped cell. Up to `exact_d` dimensions all those vertices
    are listed (`clipped_voronoi_vertices`). Above, their number explodes and the radius is
    bracketed by branch and bound over boxes (`bracket_covering_radius`).

    Parameters
    ----------
    points : array_like, shape (n, d)
        Points in [0, 1].
    exact_d : int
        Highest dimension that is solved exactly.
    tolerance : float
        Branch and bound ends when upper - lower <= tolerance.
    steps : int
        Branch and bound ends after this many linear programs (a few milliseconds each).

    Returns
    -------
    CoveringRadius
        Value and upper bound; equal (to rounding) up to `exact_d` dimensions.

    Examples
    --------
    One point in the middle of the square is half a diagonal from the corners:

    >>> covering_radius([[0.5, 0.5]]).value == 0.5 * 2**0.5
    True
    """
    points = check_points(points)
    d = points.shape[1]
    if d <= exact_d:
        value = float(cKDTree(points).query(clipped_voronoi_vertices(points))[0].max())
        return CoveringRadius(value, value)
    return bracket_covering_radius(points, tolerance=tolerance, steps=steps)


def clipped_voronoi_vertices(points) -> np.ndarray:
    """Vertices of the Voronoi cells of `points`, clipped to the unit cube.

    A vertex lies in the interior of one face of the cube (the cube itself, a side, an edge, ...,
    a corner), and is a vertex of the Voronoi diagram restricted to that face. The restriction
    is a power diagram, read off the lower convex hull of the points lifted by z = sum of squared
    coordinates (Aurenhammer 1987). All 3^d faces are visited.

    Parameters
    ----------
    points : array_like, shape (n, d)
        Points in [0, 1]; meant for d <= 4.

    Returns
    -------
    ndarray, shape (m, d)
        The vertices, the corners of the cube among them, some maybe twice.

    Examples
    --------
    >>> sorted(clipped_voronoi_vertices([[0.2], [0.6]]).round(6).ravel().tolist())
    [0.0, 0.4, 1.0]
    """
    points = check_points(points)
    return np.concatenate(
        [
            _vertices_in_face(points, face)
            for face in product((None, 0.0, 1.0), repeat=points.shape[1])
        ]
    )


def _vertices_in_face(points: np.ndarray, face: Sequence[float | None]) -> np.ndarray:
    # `face` fixes a coordinate at 0 or 1, or leaves it free (None).
    free = np.array([side is None for side in face])
    fixed = np.array([side for side in face if side is not None])
    if not free.any():
        return fixed[None, :]
    inside = points[:, free]
    height = (inside**2).sum(axis=1) + ((points[:, ~free] - fixed) ** 2).sum(axis=1)
    centres = _power_vertices(inside, height)
    centres = centres[((centres >= 0) & (centres <= 1)).all(axis=1)]
    vertices = np.empty((len(centres), len(face)))
    vertices[:, free] = centres
    vertices[:, ~free] = fixed
    return vertices


def _power_vertices(sites: np.ndarray, height: np.ndarray) -> np.ndarray:
    # A vertex c with |c|^2 - 2 c.site + height = const for the sites of a lower facet, <= for all.
    k = sites.shape[1]
    lifted = np.unique(np.column_stack([sites, height]), axis=0)
    offsets = lifted - lifted.mean(axis=0)
    if np.linalg.matrix_rank(offsets[:, :k], tol=1e-10) < k:
        return np.empty((0, k))  # cells reach across the face, their vertices are on its rim
    _, singular, directions = np.linalg.svd(offsets, full_matrices=True)
    if len(singular) <= k or singular[k] < 1e-10:
        normals = directions[k][None, :]  # all sites are on one sphere: one vertex
    else:
        normals = np.unique(ConvexHull(lifted).equations[:, :-1], axis=0)
        normals = normals[normals[:, -1] < -1e-12]
    return -normals[:, :k] / (2.0 * normals[:, -1:])


def bracket_covering_radius(points, *, tolerance: float = 1e-3, steps: int = 100) -> CoveringRadius:
    """Covering radius in any dimension, between two bounds.

    The squared distance to the nearest point is q(x) = min over i of (|x|^2 - 2 p_i.x +
    |p_i|^2). In a box, |x|^2 is at most its secant, which is linear, so the largest q is bounded
    by a linear program. Its solution is a place to look for a large distance: replacing |x|^2 by
    its tangent instead gives a linear program whose solution has a larger q (the
    convex-concave procedure), until it stays at a Voronoi vertex. The box with the highest bound
    is cut in two where the secant is worst, and so on.

    Parameters
    ----------
    points : array_like, shape (n, d)
        Points in [0, 1].
    tolerance : float
        Stop when upper - lower <= tolerance.
    steps : int
        Stop after cutting this many boxes.

    Returns
    -------
    CoveringRadius
        The lower bound is the distance of a place that was found, the upper bound is proven; the
        truth is between them.
    """
    points = check_points(points)
    search = _Bracket(points)
    for _ in range(steps):
        if search.upper - search.lower <= tolerance:
            break
        search.cut()
    return CoveringRadius(search.lower, max(search.lower, search.upper))


class _Bracket:
    # Branch and bound for the largest distance to the nearest of `points`.

    def __init__(self, points: np.ndarray):
        self.points = points
        self.tree = cKDTree(points)
        self.d = points.shape[1]
        self.a = np.column_stack([2.0 * points, np.ones(len(points))])
        self.b = (points**2).sum(axis=1)
        self.lower = 0.0
        self._probe()
        self.boxes = [self._bound(np.zeros(self.d), np.ones(self.d))]

    @property
    def upper(self) -> float:
        return max((box[0] for box in self.boxes), default=self.lower)

    def cut(self) -> None:
        bound, low, high, x = self.boxes.pop(int(np.argmax([box[0] for box in self.boxes])))
        axis = int(np.argmax((x - low) * (high - x)))
        middle = x[axis]
        # Not too near an end, else one half is as large as the whole.
        width = high[axis] - low[axis]
        middle = min(max(middle, low[axis] + 0.2 * width), high[axis] - 0.2 * width)
        for side in (0, 1):
            lower, upper = low.copy(), high.copy()
            (upper if side == 0 else lower)[axis] = middle
            box = self._bound(lower, upper)
            self.boxes.append((min(box[0], bound), *box[1:]))
        self.boxes = [box for box in self.boxes if box[0] > self.lower]

    def _solve(self, slope: np.ndarray, low: np.ndarray, high: np.ndarray):
        # max of slope.x + t with t <= |p_i|^2 - 2 p_i.x, x in the box
        bounds = [*zip(low, high, strict=True), (None, None)]
        found = linprog(-np.append(slope, 1.0), A_ub=self.a, b_ub=self.b, bounds=bounds)
        if found.x is None:
            raise RuntimeError(f"linear program of the covering radius failed: {found.message}")
        return np.clip(found.x[:-1], low, high), -found.fun

    def _bound(self, low: np.ndarray, high: np.ndarray):
        x, best = self._solve(low + high, low, high)
        # 1e-7: the solver's own tolerance on each constraint.
        bound = sqrt(max(best - low @ high + 1e-7, 0.0))
        # A climb costs a few linear programs and seldom gains more than a tenth.
        if bound > self.lower and self.tree.query(x)[0] > 0.9 * self.lower:
            self._ascend(x)
        return bound, low, high, x

    def _ascend(self, x: np.ndarray) -> None:
        distance = self.tree.query(x)[0]
        zero, one = np.zeros(self.d), np.ones(self.d)
        while True:
            self.lower = max(self.lower, float(distance))
            better, _ = self._solve(2.0 * x, zero, one)
            new = self.tree.query(better)[0]
            if new <= distance + 1e-9:
                return
            x, distance = better, new

    def _probe(self) -> None:
        # Starts: the corners (a random 4096 of them from d = 13 on) and 2000 d points of a
        # fixed sequence; the ten farthest from the design climb.
        if self.d <= 12:
            corners = np.array(list(product((0.0, 1.0), repeat=self.d)))
        else:
            corners = np.random.default_rng(0).integers(2, size=(4096, self.d)).astype(float)
        starts = np.concatenate([corners, make("rd", self.d, rng=0).random(2000 * self.d)])
        distances = self.tree.query(starts)[0]
        for x in starts[np.argsort(distances)[-10:]]:
            self._ascend(x)


def packing_fraction(points) -> float:
    """Volume of n spheres of radius r = separation / 2 over that of the enlarged cube.

    The spheres round points of the unit cube do not overlap and lie in the cube of side 1 + 2 r,
    so the fraction n V_d r^d / (1 + 2 r)^d is below 1 and can be compared with the densities of
    sphere packings. NaN for one point.

    Examples
    --------
    Points on the corners of the square: four discs of radius 1/2 in a square of side 2.

    >>> round(packing_fraction([[0, 0], [0, 1], [1, 0], [1, 1]]), 6)
    0.785398
    """
    points = check_points(points)
    n, d = points.shape
    radius = separation(points) / 2.0
    return float(n * pi ** (d / 2) / gamma(d / 2 + 1) * (radius / (1.0 + 2.0 * radius)) ** d)


def slices_hit(points) -> float:
    """Share of the n equal slices of an axis that hold a point, mean over axes.

    Examples
    --------
    >>> slices_hit([[0.1, 0.1], [0.2, 0.9]])
    0.75
    """
    points = check_points(points)
    n, d = points.shape
    slices = np.minimum((points * n).astype(int), n - 1)
    return float(np.mean([len(np.unique(slices[:, i])) / n for i in range(d)]))


def gap_1d(points) -> float:
    """Longest stretch of an axis without a coordinate, the ends included, on the worst axis.

    Examples
    --------
    >>> gap_1d([[0.25], [0.5]])
    0.5
    """
    points = check_points(points)
    padded = np.pad(np.sort(points, axis=0), ((1, 1), (0, 0)), constant_values=((0, 1), (0, 0)))
    return float(np.diff(padded, axis=0).max())


def separation_2d(points) -> float:
    """`separation` of the points seen along all but two axes, smallest over pairs of axes.

    Examples
    --------
    >>> separation_2d([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    0.0
    """
    points = check_points(points)
    pairs = combinations(range(points.shape[1]), 2)
    return min((separation(points[:, pair]) for pair in pairs), default=nan)


def covering_radius_2d(points) -> float:
    """`covering_radius` of the points seen along all but two axes, largest over pairs of axes.

    Examples
    --------
    >>> round(covering_radius_2d([[0.5, 0.5, 0.0]]), 3)
    1.118
    """
    points = check_points(points)
    pairs = combinations(range(points.shape[1]), 2)
    return max((covering_radius(points[:, pair]).value for pair in pairs), default=nan)


def discrepancies(points) -> dict[str, float]:
    """Discrepancies by `scipy.stats.qmc.discrepancy`, under the keys of `DISCREPANCIES`.

    Examples
    --------
    >>> sorted(discrepancies([[0.5, 0.5]]))
    ['cd', 'l2star', 'md', 'wd']
    """
    points = check_points(points)
    return {
        key: float(qmc.discrepancy(points, method=method)) for key, method in DISCREPANCIES.items()
    }


def measure(points, *, tolerance: float = 1e-3, steps: int = 100) -> dict[str, float]:
    """All measures of the module's table.

    Parameters
    ----------
    points : array_like, shape (n, d)
        Points in [0, 1].
    tolerance, steps
        Effort of `covering_radius` above its exact dimensions.

    Returns
    -------
    dict of str to float
    """
    points = check_points(points)
    covering = covering_radius(points, tolerance=tolerance, steps=steps)
    apart = separation(points)
    return {
        "covering_radius": covering.value,
        "covering_lower": covering.lower,
        "covering_upper": covering.upper,
        "separation": apart,
        "mesh_ratio": covering.value / (apart / 2.0) if apart != 0 else inf,
        "packing_fraction": packing_fraction(points),
        **{f"discrepancy_{key}": value for key, value in discrepancies(points).items()},
        "slices_hit": slices_hit(points),
        "gap_1d": gap_1d(points),
        "separation_2d": separation_2d(points),
        "covering_radius_2d": covering_radius_2d(points),
    }


@dataclass(frozen=True)
class Draw:
    """One design of one sampler.

    Parameters
    ----------
    sampler : str
        Name of the sampler.
    points : ndarray, shape (n, d)
        Points in [0, 1].
    """

    sampler: str
    points: np.ndarray


def draws(
    samplers: Iterable[str], d: int, n: int, *, seeds: int = 10, seed: int = 0
) -> Iterator[Draw]:
    """Draw `seeds` designs of n points in d dimensions from each of `samplers`.

    Parameters
    ----------
    samplers : iterable of str
        Names in `tilesearch.samplers.SAMPLERS`. One that does not go up to `d` is left out.
    d, n : int
        Dimension and number of points.
    seeds : int
        Number of designs per sampler.
    seed : int
        The designs are seeded by `seed`, sampler, d, n and their number.

    Yields
    ------
    Draw
    """
    for name in samplers:
        highest = sampler_class(name).highest_d
        if highest is not None and d > highest:
            continue
        for k in range(seeds):
            yield Draw(name, make(name, d, rng=rng_for(seed, "geometry", name, d, n, k)).random(n))


def table(designs: Iterable[Draw], *, tolerance: float = 1e-3, steps: int = 100) -> list[dict]:
    """Measures per sampler, dimension and number of points: mean and standard error over designs.

    Parameters
    ----------
    designs : iterable of Draw
        For example from `draws`; any order.
    tolerance, steps
        Effort of `covering_radius` above its exact dimensions.

    Returns
    -------
    list of dict
        Rows with ``sampler``, ``d``, ``n``, ``measure``, ``mean``, ``error`` (standard error of
        the mean, NaN for a single design) and ``seeds`` (number of designs); one row per measure.
        `pandas.DataFrame` takes it as it is.

    Examples
    --------
    >>> rows = table(draws(["random"], 2, 4, seeds=3))
    >>> rows[0]["measure"], rows[0]["seeds"], rows[0]["mean"] > 0
    ('covering_radius', 3, True)
    """
    groups: dict[tuple, list[dict]] = {}
    known: dict[tuple, dict] = {}
    for design in designs:
        key = (design.sampler, design.points.shape[1], design.points.shape[0])
        # A grid is the same for every seed: measure it once.
        content = (*key, design.points.tobytes())
        if content not in known:
            known[content] = measure(design.points, tolerance=tolerance, steps=steps)
        groups.setdefault(key, []).append(known[content])
    return [
        {"sampler": sampler, "d": d, "n": n, **row}
        for (sampler, d, n), measured in groups.items()
        for row in _summary(measured)
    ]


def _summary(measured: list[dict]) -> Iterator[dict]:
    count = len(measured)
    for name in measured[0]:
        values = np.array([one[name] for one in measured])
        # A mesh ratio can be infinite: its mean is too, its error is unknown.
        known = count > 1 and np.isfinite(values).all()
        error = float(values.std(ddof=1) / sqrt(count)) if known else nan
        yield {"measure": name, "mean": float(values.mean()), "error": error, "seeds": count}
