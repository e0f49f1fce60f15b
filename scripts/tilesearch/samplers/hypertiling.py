"""Aperiodic tilings of R^d as designs."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import special_ortho_group

from tilesearch.samplers import multigrid
from tilesearch.samplers.base import BELOW_ONE, Sampler, check_count

_POINTS = ("vertices", "intersections")


@dataclass(frozen=True)
class Tiling:
    """A piece of a tiling that covers the unit cube, for drawing.

    Attributes
    ----------
    points : ndarray, shape (n, d)
        The design: the vertices of the tiling in the unit cube.
    tiles : ndarray, shape (t, 2**d, d)
        Corners of the tiles that cover the cube, in the coordinates of `points`; some stick out
        of it. Those within the cube are the `points`. Corners are in binary order: in 2-d,
        corners 0, 1, 3, 2 go round the rhomb.
    kind : ndarray of int, shape (t,)
        Tiles of the same volume share a number; 0 is the smallest. In 2-d: 0 the thin, 1 the
        thick rhomb; in 3-d: 0 the oblate, 1 the prolate rhombohedron; in 1-d: 0 the short, 1 the
        long interval.
    volume : ndarray, shape (t,)
        Volumes of the tiles, as parts of the cube.
    """

    points: np.ndarray
    tiles: np.ndarray
    kind: np.ndarray
    volume: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """The edges of all tiles, shape (t * d * 2**(d-1), 2, d); shared edges are repeated."""
        count = self.tiles.shape[1]
        steps = [1 << bit for bit in range(count.bit_length() - 1)]
        ends = [(c, c | step) for c in range(count) for step in steps if not c & step]
        return self.tiles[:, ends].reshape(-1, 2, self.tiles.shape[2])


class Hypertiling(Sampler):
    """Points of a Penrose-like tiling of R^d, cropped to n points in the unit cube.

    A de Bruijn multigrid [1]_ is drawn (uniform random offsets, and a random rotation), and what
    lies in a cube about the origin becomes the design. The points are ranked by their largest
    coordinate in size (by their integers, should two be equal): the first n are taken, and the
    cube ends where the next one lies. So any n is exact, and no scale has to be searched. The
    points come from the centre outwards.

    - ``points="vertices"``: the vertices of the tiling that is dual to the multigrid; d = 1
      Fibonacci chain, d = 2 Penrose rhombs, d = 3 Ammann rhombohedra, d = 4...8 see
      `tilesearch.samplers.multigrid.star`. A Delone set: two points are never closer, and holes
      never larger, than a fixed multiple of the edge length.
    - ``points="intersections"``: the points in which d hyperplanes of the multigrid meet. They
      can come arbitrarily close to each other.

    Each call draws a new tiling; the n points of one call belong together.

    Parameters
    ----------
    d : int
        Dimension, 1 to 8.
    points : {"vertices", "intersections"}
        What is taken as points.
    star : array_like, shape (m, d), optional
        The vectors of the multigrid, more than d of them and any d linearly independent; None
        takes `tilesearch.samplers.multigrid.star`.
    rotate : bool
        Whether the tiling is rotated at random (default). Not rotated, its edges have the
        directions of the star.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Raises
    ------
    ValueError
        If `d` is not an int from 1 to 8, `points` or `rotate` is none of its values, `star` is
        not such a matrix, or the `n` of a call is not an int of at least 1.

    Notes
    -----
    *Marginals.* In a cube of fixed size, the points of a tiling with uniform offsets have the same
    density everywhere, exactly, so each coordinate is uniform over many draws. Here the cube is
    fitted to n points, and ends at a point that is left out. Vertices keep their distance from
    it, so that they are a little rarer at the boundary than inside: the outermost 5 % of an axis
    (2.5 % at either end) hold 4.67 % of the points for n = 16 in 2-d, 4.86 % for n = 100 in 2-d,
    4.93 % for n = 32 in 5-d, 4.98 % for n = 256 in 8-d. Intersections come in rows, and are
    more frequent there: 5.93, 5.27, 5.92, 5.32 % (measured over 200,000 coordinates each; the
    tests bound this). Within one draw, vertices are far more even than independent points.

    *Offsets.* If the star's vectors add up to zero (d even), the offsets are made to add up to
    zero, too: de Bruijn's condition, under which the tiling for d = 2 is Penrose's. Other sums
    give generalised Penrose tilings with other patches of tiles. If they do not add up to zero
    (d odd), all offsets give tilings with the same patches.

    References
    ----------
    .. [1] N. G. de Bruijn, Algebraic theory of Penrose's non-periodic tilings of the plane,
       Indagationes Mathematicae 43 (1981) 39-66.

    Examples
    --------
    >>> from tilesearch.samplers import Hypertiling
    >>> points = Hypertiling(2, rng=1).random(36)
    >>> points.shape
    (36, 2)
    >>> tiling = Hypertiling(2, rng=1).tiling(36)
    >>> bool((tiling.points == points).all()), tiling.tiles.shape[1:]
    (True, (4, 2))
    """

    highest_d = 8

    def __init__(self, d: int, *, points: str = "vertices", star=None, rotate=True, rng=None):
        if points not in _POINTS:
            raise ValueError(f"points is {points!r}, take one of {', '.join(_POINTS)}")
        if not isinstance(rotate, (bool, np.bool_)):
            raise ValueError(f"rotate is {rotate!r}, it must be True or False")
        super().__init__(d, rng=rng)
        self.points = points
        self.rotate = bool(rotate)
        self.star = multigrid.star(d) if star is None else multigrid.Star(star)
        if self.star.d != d:
            raise ValueError(
                f"star has vectors of {self.star.d} components, they must have d = {d}"
            )

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        return self._draw(n)[0]

    def tiling(self, n: int) -> Tiling:
        """Draw `n` points as `random` does, together with the tiles around them.

        Parameters
        ----------
        n : int
            Number of points, at least 1.

        Returns
        -------
        Tiling

        Raises
        ------
        ValueError
            If `n` is not an int of at least 1, if the points are intersections (which are no
            corners of tiles), or if d is more than 3 (too many tiles to draw).
        """
        check_count(n)
        if self.points != "vertices":
            raise ValueError(f"points is {self.points!r}, tiles need points='vertices'")
        if self.d > 3:
            raise ValueError(f"d is {self.d}, tiles are made for d of at most 3")
        points, half, offsets, rotation = self._draw(int(n))
        self.num_generated += int(n)
        subset, corners = multigrid.tiles(self.star, offsets, half, rotation)
        turned = self.star.vectors if rotation is None else self.star.vectors @ rotation.T
        tiles = 0.5 + (corners - offsets - 0.5) @ turned / (2 * half)
        sizes, kind_of = np.unique(np.round(self.star.volumes, 9), return_inverse=True)
        kind = kind_of[subset]
        return Tiling(points, tiles, kind, sizes[kind] / (2 * half) ** self.d)

    def _draw(self, n: int):
        """The points, half the side of the cube before scaling, the offsets and the rotation."""
        rotation = None
        if self.rotate and self.d > 1:
            rotation = special_ortho_group.rvs(self.d, random_state=self.rng)
        offsets = self.rng.random(self.star.m)
        if self.star.sums_to_zero:
            offsets[-1] = -offsets[:-1].sum()
        keys, positions = self._enough(n, offsets, rotation)
        size = np.abs(positions).max(1)
        order = np.lexsort((*keys.T[::-1], size))[: n + 1]
        half = size[order[-1]]
        points = 0.5 + positions[order[:n]] / (2 * half)
        # A point is on the boundary only where it ties with the next one, which is left out.
        return np.clip(points, 0.0, BELOW_ONE), half, offsets, rotation

    def _enough(self, n: int, offsets: np.ndarray, rotation: np.ndarray | None):
        """Integers (as keys) and positions of more than `n` points: all that are in some cube."""
        vertices = self.points == "vertices"
        density = self.star.density if vertices else self.star.intersection_density
        expected = n + 1 + n**0.5
        while True:
            half = (expected / density) ** (1 / self.d) / 2
            if vertices:
                keys, positions = multigrid.vertices(self.star, offsets, half, rotation)
            else:
                kind, index, positions = multigrid.intersections(self.star, offsets, half, rotation)
                keys = np.column_stack([kind, index])
            if len(positions) > n:
                return keys, positions
            # In high dimensions the number in a small cube fluctuates widely.
            expected *= min(max(1.2 * n / (len(positions) + 1), 1.3), 4.0)
