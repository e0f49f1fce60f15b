"""Multigrids and their dual tilings in any dimension: stars, vertices, intersections, tiles.

A *star* of m vectors e_j in R^d and m offsets g_j define m grids of parallel hyperplanes
``e_j.x + g_j = integer``. The multigrid cuts space into cells; cell x has the integer vector
``k_j = ceil(e_j.x + g_j)``, and the *dual tiling* has the vertex ``sum_j k_j e_j`` for each cell,
an edge for each pair of cells that share a facet, and a tile (a parallelotope spanned by d vectors
of the star) for each point in which d hyperplanes meet. For the five vectors of a regular pentagon
and offsets that sum to an integer this is the Penrose tiling by rhombs [1]_; for the six axes of
the icosahedron it is the Ammann tiling by two rhombohedra [2]_, [3]_.

How vertices are found
----------------------
Which integer vectors k belong to a cell? Those for which the m slabs
``k_j - 1 < e_j.x + g_j < k_j`` have a point in common. By Helly's theorem they have, if and only
if any d + 1 of them have, and with ``sum_j c_j e_j = 0`` the one linear relation (*circuit*)
among d + 1 vectors, that is

    |sum_j c_j z_j| < 1/2 sum_j |c_j|,    z = k - g - 1/2.

So a vertex is tested exactly, by C(m, d + 1) dot products, without a linear program, and no
vertex is found twice, because it is identified by its integers. The candidates are the integer
vectors in an ellipsoid that holds all vertices in a given cube: ``z`` splits into its part in the
row space of the star, which is the vertex's position, and its part across, which lies in the
projected unit cube, whatever the vertex (*window* of the cut-and-project method [3]_). They are
enumerated as by Fincke and Pohst [4]_. This is complete by construction; there is no margin to
choose. Intersections of hyperplanes are lattice points, too (one lattice for each d vectors of
the star), and found by the same enumeration.

References
----------
.. [1] N. G. de Bruijn, Algebraic theory of Penrose's non-periodic tilings of the plane,
   Indagationes Mathematicae 43 (1981) 39-66.
.. [2] P. Kramer & R. Neri, On periodic and non-periodic space fillings of E^m obtained by
   projection, Acta Crystallographica A 40 (1984) 580-587.
.. [3] F. Gähler & J. Rhyner, Equivalence of the generalised grid and projection methods for the
   construction of quasiperiodic tilings, J. Phys. A 19 (1986) 267-277.
.. [4] U. Fincke & M. Pohst, Improved methods for calculating vectors of short length in a
   lattice, Mathematics of Computation 44 (1985) 463-471.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, product
from math import comb, sqrt

import numba
import numpy as np
from scipy.linalg import null_space

GOLDEN = (1 + sqrt(5)) / 2

#: number of vectors of the harmonic star in R^d, d even: the smallest prime of at least d + 2
_HARMONIC = {2: 5, 4: 7, 6: 11, 8: 11}

#: a star of more circuits or d-subsets than this is refused: its tables would fill the memory
_MOST_SUBSETS = 500_000


@dataclass(frozen=True, eq=False)
class Star:
    """The m vectors of a multigrid in R^d, and what follows from them.

    Parameters
    ----------
    vectors : ndarray, shape (m, d)
        The vectors e_j, more than d of them, any d of them linearly independent.

    Raises
    ------
    ValueError
        If `vectors` is not such a matrix, or m so large that there are more than 500,000
        subsets of d or d + 1 vectors.

    Examples
    --------
    Vertices of the Penrose tiling per square of the edge length:

    >>> round(star(2).density, 4)
    1.2311
    """

    vectors: np.ndarray

    def __post_init__(self):
        try:
            vectors = np.array(self.vectors, dtype=float)
        except (TypeError, ValueError):
            vectors = np.empty(0)  # refused in the next line
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise ValueError(
                f"star is {self.vectors!r}, it must be a finite matrix of shape (m, d)"
            )
        m, d = vectors.shape
        if d < 1 or m <= d:
            raise ValueError(f"star has {m} vectors in {d} dimensions, it must have more than {d}")
        if max(comb(m, d), comb(m, d + 1)) > _MOST_SUBSETS:
            raise ValueError(f"star has {m} vectors in {d} dimensions, take fewer vectors")
        vectors.setflags(write=False)
        object.__setattr__(self, "vectors", vectors)
        # Volumes relative to the box of the edges: scale-free.
        lengths = np.linalg.norm(vectors, axis=1)
        if (
            lengths.min() <= 1e-9 * lengths.max()
            or (self.volumes / lengths[self.subsets].prod(1)).min() < 1e-7
        ):
            raise ValueError(f"star is degenerate, any {d} of its vectors must be independent")

    @property
    def m(self) -> int:
        """Number of vectors."""
        return self.vectors.shape[0]

    @property
    def d(self) -> int:
        """Dimension."""
        return self.vectors.shape[1]

    @cached_property
    def subsets(self) -> np.ndarray:
        """All choices of d vectors, shape (C(m, d), d): the kinds of tiles, by direction."""
        return np.array(list(combinations(range(self.m), self.d)))

    @cached_property
    def volumes(self) -> np.ndarray:
        """Volume of the tile of each of the `subsets`."""
        return np.abs(np.linalg.det(self.vectors[self.subsets]))

    @cached_property
    def density(self) -> float:
        """Vertices (and tiles) of the dual tiling per unit volume.

        The intersections of the grids S = {j_1, ..., j_d} are a lattice of density |det S|. The
        mean of the dual map is x -> A x with A = sum_j e_j e_j^T, so tiles of kind S have the
        density |det S| / det A; they fill space, since sum_S (det S)^2 = det A (Cauchy-Binet).
        In a simple arrangement there are as many cells as intersections: each cell has one
        lowest corner. Hence sum_S |det S| / det A vertices.
        """
        return float(self.volumes.sum() / np.linalg.det(self.vectors.T @ self.vectors))

    @cached_property
    def intersection_density(self) -> float:
        """Intersections of d hyperplanes per unit volume: sum_S |det S|."""
        return float(self.volumes.sum())

    @cached_property
    def sums_to_zero(self) -> bool:
        """Whether the vectors add up to zero.

        Then the sum of the offsets, modulo 1, decides which patches of tiles occur (for the
        pentagon, an integer sum makes the Penrose tiling).
        """
        return bool(np.allclose(self.vectors.sum(0), 0.0, atol=1e-9 * np.abs(self.vectors).max()))

    @cached_property
    def circuits(self) -> tuple[np.ndarray, np.ndarray]:
        """The linear relations among d + 1 vectors, as (indices, coefficients).

        Both have shape (C(m, d + 1), d + 1). Coefficients are scaled to sum_j |c_j| = 1, and the
        rows stand in a shuffled order (always the same), so that most integer vectors that are no
        cell are refused by the first rows.
        """
        members = np.array(list(combinations(range(self.m), self.d + 1)))
        basis = self.vectors[members[:, :-1]].transpose(0, 2, 1)
        last = self.vectors[members[:, -1]][..., None]
        weights = np.linalg.solve(basis, last)[..., 0]
        weights = np.hstack([weights, np.full((len(members), 1), -1.0)])
        weights /= np.abs(weights).sum(1, keepdims=True)
        order = np.random.default_rng(0).permutation(len(members))
        return members[order], np.ascontiguousarray(weights[order])

    @cached_property
    def across(self) -> np.ndarray:
        """Orthonormal rows that span the complement of the star's row space, (m - d, m)."""
        return np.ascontiguousarray(null_space(self.vectors.T).T)

    @cached_property
    def lattices(self) -> tuple[np.ndarray, np.ndarray]:
        """The lattices in which the grids of the `subsets` meet, as Q and R, (C(m, d), d, d).

        The hyperplanes n of subset S meet in the point Q R (n - offsets_S).
        """
        return _triangular(np.linalg.inv(self.vectors[self.subsets]))

    @cached_property
    def window_radius(self) -> float:
        """Largest distance of the window from its centre, or a bound on it where m > 18."""
        return _zonotope_radius(self.across)

    @cached_property
    def separation(self) -> float:
        """A lower bound on the distance of two vertices, attained for d = 1, 2, 3.

        It is the length of the shortest nonzero sum_j n_j e_j with integers n that are the
        difference of two cells: the slabs ``|e_j.x - n_j| < 1`` have a point in common.
        """
        longest = np.linalg.norm(self.vectors, axis=1).min()  # edges are differences
        half = longest / 4
        while True:
            n, positions = _differences(self, half)
            lengths = np.linalg.norm(positions[n.any(1)], axis=1)
            # All differences up to length `half` are in the cube.
            if lengths.size and lengths.min() <= half:
                return float(lengths.min())
            half = min(1.25 * half, longest * (1 + 1e-9))

    @cached_property
    def spread(self) -> float:
        """Largest distance of a vertex from the mean A x of its cell's points x."""
        return _zonotope_radius(self.vectors.T)


def _zonotope_radius(rows: np.ndarray) -> float:
    """max |rows @ t| over t in [-1/2, 1/2]^m; for m > 18 a bound on it."""
    m = rows.shape[1]
    if m > 18:
        return float(np.linalg.norm(rows, 2) * sqrt(m) / 2)
    # A convex function is largest in a corner; t and -t give the same.
    corners = (np.arange(2 ** (m - 1))[:, None] >> np.arange(m) & 1) - 0.5
    return float(np.sqrt(((corners @ rows.T) ** 2).sum(1).max()))


def _harmonic_vectors(d: int) -> np.ndarray:
    """The harmonic star in R^d, d even: unit vectors, sum zero, A = (m / d) I."""
    m = _HARMONIC[d]
    angles = 2 * np.pi * np.outer(np.arange(m), np.arange((m - d + 1) // 2, (m + 1) // 2)) / m
    return np.hstack([np.cos(angles), np.sin(angles)]) * sqrt(2 / d)


@lru_cache(maxsize=8)
def star(d: int) -> Star:
    """The star of this package for dimension `d`.

    - d = 1: the two lengths golden ratio : 1 (a projection of the square lattice): the Fibonacci
      chain. All other stars have vectors of length 1 with A = sum_j e_j e_j^T = (m / d) I.
    - d even: harmonic star. m is the smallest prime of at least d + 2 (5, 7, 11, 11), and e_j
      has the components cos and sin of 2 pi f j / m, times sqrt(2 / d), for the d / 2 largest
      frequencies f = (m - d + 1)/2, ..., (m - 1)/2. For d = 2 it is the regular pentagon.
    - d odd: the harmonic star of q = 5, 7, 11 vectors in R^(d-1), raised to a cone around an
      additional axis: e_0 = (0, ..., 0, 1) and e_j = (sqrt(1 - h^2) f_j, h) with
      h^2 = ((q + 1) / d - 1) / q. For d = 3 these are the 6 axes of the icosahedron.

    Notes
    -----
    Why these? *Not degenerate*: up to signs, d vectors of a harmonic star are a Vandermonde
    matrix of d different roots of unity with consecutive exponents, so any d are independent. On
    the cone, d vectors (without the axis) have exponents 0 and d - 1 consecutive ones, and their
    determinant is the Vandermonde one times a complete homogeneous polynomial of the roots, a sum
    of 3 (d = 3), 5 (d = 5), 28 (d = 7) roots of unity of prime order 5, 7, 11; such a sum vanishes
    only if its number of terms is a multiple of the order. *Aperiodic*: a period would be an
    integer vector in the star's row space; its Fourier coefficients vanish for the frequencies
    left out, one of which is conjugate to those of the star since m (or q) is prime, so all
    vanish (on the cone, h is irrational, which rules the axis out). A star of 9 vectors in 4
    dimensions would have periods: hence primes. *Even*: compared with the next prime (11, 13, 13
    vectors for d = 4, 6, 8), points of the same density keep about 6 to 17 % more distance from
    their nearest neighbours, and are found several times faster.

    The closest vertices (`Star.separation`) are 0.526, 0.618, 0.563, 0.690, 0.602, 0.517, 0.591
    and 0.815 apart for d = 1 to 8.

    Examples
    --------
    >>> [star(d).m for d in range(1, 9)]
    [2, 5, 6, 7, 8, 11, 12, 11]
    """
    if d == 1:
        return Star(np.array([[GOLDEN], [1.0]]) / sqrt(GOLDEN**2 + 1))
    if d % 2 == 0:
        return Star(_harmonic_vectors(d))
    flat = _harmonic_vectors(d - 1)
    q = len(flat)
    height = sqrt(((q + 1) / d - 1) / q)
    cone = np.hstack([flat * sqrt(1 - height**2), np.full((q, 1), height)])
    return Star(np.vstack([np.eye(d)[-1], cone]))


# Compiled code below has explicit loops for what would be array slices: they compile 4 times
# faster.


@numba.njit(cache=True)
def _doubled(rows):
    """A copy of the (n, m) integers with as many empty rows appended."""
    larger = np.empty((2 * rows.shape[0], rows.shape[1]), np.int64)
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            larger[i, j] = rows[i, j]
    return larger


@numba.njit(cache=True)
def _is_cell(z, members, weights):
    """Whether every circuit allows z = k - offset - 1/2 (Helly; see the module)."""
    for row in range(members.shape[0]):
        total = 0.0
        for j in range(members.shape[1]):
            total += weights[row, j] * z[members[row, j]]
        if abs(total) >= 0.5:
            return False
    return True


@numba.njit(cache=True)
def _integers_in_ellipsoid(upper, lift, slack, centre, half, members, weights):
    """Integer vectors k with |upper (k - centre)| <= 1, in a box and allowed by the circuits.

    `upper` is an upper triangular (m, m) matrix with a positive diagonal. The position of k,
    ``lift @ upper @ (k - centre)``, must lie in the box [-half, half]^d. `slack`, of the shape
    (d, m) of `lift`, says how far the first i components can still move each coordinate:
    ``slack[a, i] = |lift[a, :i]|``. `members` and `weights` are circuits, or have no rows. Depth
    first, from the last component to the first. Returns an int64 array of m columns and the number
    of its rows that are filled.
    """
    m = upper.shape[0]
    d = lift.shape[0]
    found = np.empty((256, m), np.int64)
    count = 0
    k = np.zeros(m, np.int64)
    z = np.zeros(m)
    highest = np.zeros(m, np.int64)
    shift = np.zeros(m)
    used = np.zeros(m + 1)  # used[i]: squared length taken up by components i, ..., m - 1
    position = np.zeros((m + 1, d))  # position[i]: the position, as far as these decide it
    i = m - 1
    fresh = True
    while i < m:
        if fresh:
            total = 0.0
            for j in range(i + 1, m):
                total += upper[i, j] * z[j]
            shift[i] = total
            # The allowance keeps points on the surface in despite rounding.
            reach = np.sqrt(max(1.0 + 1e-9 - used[i + 1], 0.0))
            k[i] = np.int64(np.ceil(centre[i] + (-reach - total) / upper[i, i]))
            highest[i] = np.int64(np.floor(centre[i] + (reach - total) / upper[i, i]))
            fresh = False
        else:
            k[i] += 1
        if k[i] > highest[i]:
            i += 1
            continue
        z[i] = k[i] - centre[i]
        length = upper[i, i] * z[i] + shift[i]
        used[i] = used[i + 1] + length**2
        reach = np.sqrt(max(1.0 + 1e-9 - used[i], 0.0))
        hopeless = False
        for a in range(d):
            position[i, a] = position[i + 1, a] + lift[a, i] * length
            if abs(position[i, a]) - slack[a, i] * reach > half:
                hopeless = True
                break
        if hopeless:
            continue
        if i > 0:
            i -= 1
            fresh = True
        elif _is_cell(z, members, weights):
            if count == found.shape[0]:
                found = _doubled(found)
            for j in range(m):
                found[count, j] = k[j]
            count += 1
    return found, count


def _triangular(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """QR decomposition with a positive diagonal of R; works on stacks of matrices."""
    turn, upper = np.linalg.qr(matrix)
    signs = np.sign(np.diagonal(upper, axis1=-2, axis2=-1))
    return turn * signs[..., None, :], np.ascontiguousarray(upper * signs[..., :, None])


def _slack(lift: np.ndarray) -> np.ndarray:
    """The `slack` that belongs to the `lift` of `_integers_in_ellipsoid`; works on stacks."""
    slack = np.zeros_like(lift)
    # Column 0 stays 0 exactly: nothing is left to move, and the test of the box is exact.
    slack[..., 1:] = np.sqrt(np.cumsum(lift[..., :-1] ** 2, axis=-1))
    return slack


def vertices(
    chosen: Star, offsets: np.ndarray, half: float, rotation: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """All vertices of the dual tiling in the cube [-half, half]^d.

    The tiling is moved so that the mean over all offsets is symmetric about the origin: cell k
    has its vertex at ``sum_j (k_j - offsets_j - 1/2) e_j``, then rotated. With offsets uniform on
    [0, 1)^m, vertices are then a stationary point process: every place has the same density.

    Parameters
    ----------
    chosen : Star
    offsets : ndarray, shape (m,)
        Offsets of the grids. Where more than d hyperplanes meet in a point (for random offsets,
        with probability 0), cells of no volume have no vertex.
    half : float
        Half the side of the cube, above 0.
    rotation : ndarray, shape (d, d), optional
        Orthogonal matrix applied to positions.

    Returns
    -------
    k : ndarray of int64, shape (found, m)
        The integers of each vertex's cell, all rows different.
    positions : ndarray, shape (found, d)

    Examples
    --------
    A square of side 40 holds about 1.2311 * 1600 = 1970 vertices of the Penrose tiling.

    >>> k, positions = vertices(star(2), np.array([0.1, 0.2, 0.3, 0.15, -0.75]), 20.0)
    >>> abs(len(k) - 1970) < 20
    True
    """
    centre = np.asarray(offsets, dtype=float) + 0.5
    return _project(_frame(chosen, rotation), chosen, half, centre, 1.0)


def _differences(chosen: Star, half: float) -> tuple[np.ndarray, np.ndarray]:
    """Differences of two vertices of a tiling that lie in a cube, as integers and positions."""
    # The window of differences is twice as large as that of vertices, centred, and open: integers
    # lie on its boundary, and must stay out despite rounding.
    return _project(_frame(chosen, None), chosen, half, np.zeros(chosen.m), 2.0 - 1e-9)


def _project(frame, chosen: Star, half: float, centre: np.ndarray, window: float):
    """Integers k and positions of k - centre in the cube and in `window` times the window."""
    d, m = frame.shape
    # The ellipsoid around (ball that holds the cube) x (ball that holds the window), weighted so
    # that its volume is least.
    radius = half * sqrt(m)
    along = frame / radius
    across = chosen.across * sqrt((m - d) / m) / (window * chosen.window_radius)
    turn, upper = _triangular(np.vstack([along, across]))
    lift = np.ascontiguousarray(radius * turn[:d])
    members, weights = chosen.circuits
    k, count = _integers_in_ellipsoid(
        upper, lift, _slack(lift), centre, half, members, weights / window
    )
    k = k[:count].copy()
    return k, (k - centre) @ frame.T


def _frame(chosen: Star, rotation: np.ndarray | None) -> np.ndarray:
    """The rotated star as a (d, m) matrix."""
    turned = chosen.vectors if rotation is None else chosen.vectors @ np.asarray(rotation).T
    return np.ascontiguousarray(turned.T)


def intersections(
    chosen: Star, offsets: np.ndarray, half: float, rotation: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All points of the cube [-half, half]^d in which d hyperplanes of the multigrid meet.

    A point in which more than d meet (for random offsets, with probability 0) is found once for
    each d of them.

    Parameters
    ----------
    chosen, offsets, half, rotation
        As for `vertices`.

    Returns
    -------
    kind : ndarray of int, shape (found,)
        Which of `chosen.subsets` meet.
    index : ndarray of int64, shape (found, d)
        The integers of the d hyperplanes.
    positions : ndarray, shape (found, d)

    Examples
    --------
    >>> kind, index, positions = intersections(star(2), np.array([0.1, 0.2, 0.3, 0.15, 0.25]), 9.0)
    >>> bool(abs(len(kind) / 18**2 - star(2).intersection_density) < 0.2)
    True
    """
    turn = chosen.lattices[0] if rotation is None else rotation @ chosen.lattices[0]
    radius = half * sqrt(chosen.d)
    lift = np.ascontiguousarray(radius * turn)
    centres = np.asarray(offsets, dtype=float)[chosen.subsets]
    found, count = _lattice_points(chosen.lattices[1] / radius, lift, _slack(lift), centres, half)
    kind, index = found[:count, 0], found[:count, 1:]
    bases = turn @ chosen.lattices[1]
    positions = np.einsum("sij,sj->si", bases[kind], index - centres[kind])
    return kind, index, positions


@numba.njit(cache=True)
def _lattice_points(uppers, lifts, slacks, centres, half):
    """`_integers_in_ellipsoid` for a stack of lattices.

    Column 0 of the array that is returned says which lattice, the others hold the integers.
    """
    d = centres.shape[1]
    no_members = np.empty((0, 1), np.int64)
    no_weights = np.empty((0, 1))
    found = np.empty((256, d + 1), np.int64)
    count = 0
    for s in range(centres.shape[0]):
        some, number = _integers_in_ellipsoid(
            uppers[s], lifts[s], slacks[s], centres[s], half, no_members, no_weights
        )
        while count + number > found.shape[0]:
            found = _doubled(found)
        for i in range(number):
            found[count, 0] = s
            for j in range(d):
                found[count, j + 1] = some[i, j]
            count += 1
    return found, count


def tiles(
    chosen: Star, offsets: np.ndarray, half: float, rotation: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The tiles of the dual tiling that cover the cube [-half, half]^d.

    Precisely, those whose bounding box meets the cube.

    Parameters
    ----------
    chosen, offsets, half, rotation
        As for `vertices`; positions are the same.

    Returns
    -------
    kind : ndarray of int, shape (found,)
        Which of `chosen.subsets` spans the tile; its volume is ``chosen.volumes[kind]``.
    corners : ndarray of int64, shape (found, 2**d, m)
        The integers of the corners. Corner number c differs from corner 0 by the vectors of the
        subset whose bits are set in c, the first vector being the highest bit.
    """
    # All points v of the tile dual to the intersection x are at most `spread` from A x.
    smallest = np.linalg.eigvalsh(chosen.vectors.T @ chosen.vectors)[0]
    reach = (half * sqrt(chosen.d) + chosen.spread) / smallest
    kind, index, x = intersections(chosen, offsets, reach, rotation)
    frame = _frame(chosen, rotation)
    base = np.ceil(x @ frame + offsets).astype(np.int64)
    members = chosen.subsets[kind]
    # On its own hyperplanes, rounding is replaced by the integers themselves.
    np.put_along_axis(base, members, index, axis=1)
    steps = np.array(list(product((0, 1), repeat=chosen.d)), dtype=np.int64)
    corners = np.repeat(base[:, None, :], len(steps), axis=1)
    rows = np.arange(len(kind))[:, None, None]
    numbers = np.arange(len(steps))[None, :, None]
    corners[rows, numbers, members[:, None, :]] += steps
    positions = (corners - np.asarray(offsets) - 0.5) @ frame.T
    meets = ((positions.min(1) <= half) & (positions.max(1) >= -half)).all(-1)
    return kind[meets], corners[meets]
